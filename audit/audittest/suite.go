// Package audittest is the suite that every implementation of the audit log's
// storage passes, and a log in memory for tests.
package audittest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"dera.example/dera/audit"
)

// Log is a stored log under test.
type Log interface {
	audit.Source
	// Append adds a record for each text, in order and in one transaction: all
	// of them or none. The leaf contains the text.
	Append(ctx context.Context, texts ...string) error
}

// Config is how to get at an implementation.
type Config struct {
	// Open opens the log that is kept under dir, and makes it when there is
	// none. It closes the log by t.Cleanup, or when close is called.
	Open func(t testing.TB, dir string) (log Log, close func())
	// Tamper puts another leaf in the place of one, behind the back of the
	// implementation: by SQL, say.
	Tamper func(t testing.TB, log Log, index int64, leaf []byte)
}

// Run runs the suite.
func Run(t *testing.T, cfg Config) {
	t.Helper()
	tests := []struct {
		name string
		run  func(t *testing.T, cfg Config)
	}{
		{"empty_log", emptyLog},
		{"leaves_and_hashes_grow_together", grows},
		{"a_batch_is_all_or_nothing", allOrNothing},
		{"concurrent_appends_all_arrive_once", concurrent},
		{"reopened_log_goes_on", reopen},
		{"ranges_of_leaves", ranges},
		{"unknown_hashes_are_errors", unknownHashes},
		{"proofs", proofs},
		{"export_and_verify", exports},
		{"tampered_record_is_named", tampered},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, cfg)
		})
	}
}

func open(t *testing.T, cfg Config) Log {
	t.Helper()
	log, _ := cfg.Open(t, t.TempDir())
	return log
}

// text is the text of the i-th record.
func text(i int64) string { return fmt.Sprintf("record number %d.", i) }

func fill(t *testing.T, log Log, n int64) {
	t.Helper()
	size := size(t, log)
	var texts []string
	for i := range n {
		texts = append(texts, text(size+i))
	}
	if err := log.Append(t.Context(), texts...); err != nil {
		t.Fatalf("append %d records: %v", n, err)
	}
}

func size(t *testing.T, log Log) int64 {
	t.Helper()
	n, err := log.LogSize(t.Context())
	if err != nil {
		t.Fatalf("read size: %v", err)
	}
	return n
}

func leaves(t *testing.T, log Log, from, n int64) [][]byte {
	t.Helper()
	out, err := log.Leaves(t.Context(), from, n)
	if err != nil {
		t.Fatalf("read leaves from %d on: %v", from, err)
	}
	return out
}

// recomputed is every stored hash, made again from the leaves.
func recomputed(t *testing.T, log Log) []tlog.Hash {
	t.Helper()
	hashes, err := audit.Append(nil, 0, leaves(t, log, 0, size(t, log))...)
	if err != nil {
		t.Fatal(err)
	}
	return hashes
}

// checkLog fails unless the log has n records in order, and their hashes.
func checkLog(t *testing.T, log Log, n int64) {
	t.Helper()
	if got := size(t, log); got != n {
		t.Fatalf("size: got %d, want %d", got, n)
	}
	all := leaves(t, log, 0, n)
	if int64(len(all)) != n {
		t.Fatalf("leaves: got %d, want %d", len(all), n)
	}
	for i, leaf := range all {
		if !bytes.Contains(leaf, []byte(text(int64(i)))) {
			t.Fatalf("leaf %d: got %q, want it to contain %q", i, leaf, text(int64(i)))
		}
	}
	want := recomputed(t, log)
	indexes := make([]int64, len(want))
	for i := range indexes {
		indexes[i] = int64(i)
	}
	got, err := log.Hashes(t.Context()).ReadHashes(indexes)
	if err != nil {
		t.Fatalf("read hashes: %v", err)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("the %d stored hashes are not those of the leaves", len(want))
	}
}

func emptyLog(t *testing.T, cfg Config) {
	log := open(t, cfg)
	checkLog(t, log, 0)
	c, err := audit.Head(t.Context(), log, "test", nil, time.Unix(0, 0))
	if want, _ := tlog.TreeHash(0, nil); err != nil || c.Size != 0 || c.Root != want {
		t.Errorf("head: got %+v, %v, want the empty tree", c, err)
	}
}

func grows(t *testing.T, cfg Config) {
	log := open(t, cfg)
	total := int64(0)
	for _, n := range []int64{1, 1, 2, 3, 250, 1, 40} {
		fill(t, log, n)
		total += n
		checkLog(t, log, total)
	}
}

func allOrNothing(t *testing.T, cfg Config) {
	log := open(t, cfg)
	fill(t, log, 3)
	tooLarge := strings.Repeat("x", audit.MaxLeaf+1)
	if err := log.Append(t.Context(), text(3), tooLarge, text(4)); err == nil {
		t.Errorf("append a leaf of more than %d bytes: got no error", audit.MaxLeaf)
	}
	checkLog(t, log, 3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := log.Leaves(ctx, 0, 3); err == nil {
		t.Errorf("read leaves after the context is over: got no error")
	}
	fill(t, log, 2)
	checkLog(t, log, 5)
}

func concurrent(t *testing.T, cfg Config) {
	log := open(t, cfg)
	const writers, each = 4, 8
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				if err := log.Append(t.Context(), fmt.Sprintf("<%d.%d>", w, i)); err != nil {
					t.Errorf("append: %v", err)
				}
			}
		})
	}
	group.Wait()
	all := leaves(t, log, 0, size(t, log))
	if len(all) != writers*each {
		t.Fatalf("leaves: got %d, want %d", len(all), writers*each)
	}
	for w := range writers {
		last := -1
		for i := range each {
			at := slices.IndexFunc(all, func(leaf []byte) bool {
				return bytes.Contains(leaf, fmt.Appendf(nil, "<%d.%d>", w, i))
			})
			if at <= last {
				t.Errorf("record %d.%d: got place %d, want one after %d", w, i, at, last)
			}
			last = at
		}
	}
	got, err := tlog.TreeHash(writers*each, log.Hashes(t.Context()))
	want, _ := tlog.TreeHash(writers*each, stored(recomputed(t, log)))
	if err != nil || got != want {
		t.Errorf("root: got %v, %v, want %v", got, err, want)
	}
}

// stored reads hashes from a list.
func stored(hashes []tlog.Hash) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = hashes[x]
		}
		return out, nil
	})
}

func reopen(t *testing.T, cfg Config) {
	dir := t.TempDir()
	for i := range int64(3) {
		log, done := cfg.Open(t, dir)
		checkLog(t, log, 5*i)
		fill(t, log, 5)
		done()
	}
	log, _ := cfg.Open(t, dir)
	checkLog(t, log, 15)
}

func ranges(t *testing.T, cfg Config) {
	log := open(t, cfg)
	fill(t, log, 10)
	all := leaves(t, log, 0, 10)
	for _, tt := range []struct{ from, n, want int64 }{
		{0, 0, 0}, {0, 3, 3}, {4, 3, 3}, {9, 1, 1}, {8, 100, 2}, {10, 5, 0}, {50, 5, 0},
	} {
		got := leaves(t, log, tt.from, tt.n)
		if int64(len(got)) != tt.want {
			t.Errorf("leaves from %d, %d of them: got %d, want %d", tt.from, tt.n, len(got), tt.want)
			continue
		}
		for i, leaf := range got {
			if !bytes.Equal(leaf, all[tt.from+int64(i)]) {
				t.Errorf("leaf %d: got %q, want %q", tt.from+int64(i), leaf, all[tt.from+int64(i)])
			}
		}
	}
}

func unknownHashes(t *testing.T, cfg Config) {
	log := open(t, cfg)
	fill(t, log, 4)
	count := tlog.StoredHashCount(4)
	r := log.Hashes(t.Context())
	for _, indexes := range [][]int64{{count}, {0, count + 5}} {
		if got, err := r.ReadHashes(indexes); err == nil {
			t.Errorf("read hashes %v of %d: got %v, want an error", indexes, count, got)
		}
	}
	want := recomputed(t, log)
	got, err := r.ReadHashes([]int64{5, 0, 5})
	if err != nil || !slices.Equal(got, []tlog.Hash{want[5], want[0], want[5]}) {
		t.Errorf("read hashes out of order and twice: got %v, %v", got, err)
	}
}

func proofs(t *testing.T, cfg Config) {
	log := open(t, cfg)
	fill(t, log, 37)
	r := log.Hashes(t.Context())
	var heads []audit.Checkpoint
	for n := range int64(38) {
		root, err := tlog.TreeHash(n, r)
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, audit.Checkpoint{Origin: "test", Size: n, Root: root})
	}
	all := leaves(t, log, 0, 37)
	for i, leaf := range all {
		p, err := audit.ProveInclusion(r, 37, int64(i))
		if err != nil {
			t.Fatal(err)
		}
		if err := audit.CheckInclusion(p, heads[37], leaf); err != nil {
			t.Errorf("inclusion of record %d: %v", i, err)
		}
		if err := audit.CheckInclusion(p, heads[37], all[(i+1)%37]); err == nil {
			t.Errorf("inclusion of another record at %d: got no error", i)
		}
	}
	for n := range heads {
		p, err := audit.ProveConsistency(r, int64(n), 37)
		if err != nil {
			t.Fatal(err)
		}
		if err := audit.CheckConsistency(p, heads[n], heads[37]); err != nil {
			t.Errorf("consistency of %d with 37 records: %v", n, err)
		}
	}
}

// export writes the log with a new key to a new folder.
func export(t *testing.T, log Log) (dir string, key *audit.FileKey) {
	t.Helper()
	dir = t.TempDir()
	key, err := audit.NewFileKey(t.TempDir(), "example.com/test", nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := audit.Head(t.Context(), log, "example.com/test", nil, time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := c.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	_, err = audit.Export(t.Context(), log, audit.ExportConfig{Dir: dir, Checkpoint: signed, PublicKey: key.PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	return dir, key
}

func exports(t *testing.T, cfg Config) {
	log := open(t, cfg)
	fill(t, log, 300)
	dir, key := export(t, log)
	r, err := audit.Verify(t.Context(), os.DirFS(dir), audit.VerifyConfig{PublicKey: key.PublicKey()})
	if err != nil || !r.OK() || r.Good != 300 {
		t.Errorf("verify: got %v, %v, want 300 good records", r, err)
	}
	r, err = audit.VerifySource(t.Context(), log, r.Checkpoint)
	if err != nil || !r.OK() || r.Good != 300 {
		t.Errorf("verify the stored log: got %v, %v, want 300 good records", r, err)
	}
}

func tampered(t *testing.T, cfg Config) {
	log := open(t, cfg)
	fill(t, log, 300)
	c, err := audit.Head(t.Context(), log, "example.com/test", nil, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	forged := bytes.Replace(leaves(t, log, 270, 1)[0], []byte(text(270)), []byte(text(999)), 1)
	cfg.Tamper(t, log, 270, forged)
	r, err := audit.VerifySource(t.Context(), log, c)
	if err != nil || r.Verdict != audit.BadRecord || r.Index != 270 {
		t.Errorf("verify the stored log: got %v, %v, want bad record 270", r, err)
	}
}
