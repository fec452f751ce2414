package storetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/audit/audittest"
	"dera.example/dera/store"
)

func logTests() map[string]func(*world) {
	return map[string]func(*world){
		"root_is_that_of_the_records":                  logRoot,
		"largest_record_fits_and_one_byte_more_is_not": logLargest,
		"log_has_no_gaps_with_many_writers":            logRace,
		"record_tells_only_the_commitment":             logSealed,
		"newest_checkpoint_is_kept":                    checkpoints,
	}
}

// merkle is a tlog root over leaves, computed apart from the store.
func merkle(t testing.TB, leaves [][]byte) tlog.Hash {
	t.Helper()
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i, leaf := range leaves {
		stored = append(stored, must(tlog.StoredHashes(int64(i), leaf, read))(t)...)
	}
	return must(tlog.TreeHash(int64(len(leaves)), read))(t)
}

// CheckLog fails unless the log has n records, without a gap, with their hashes.
func CheckLog(t testing.TB, s *store.Store, n int64) {
	t.Helper()
	leaves := must(s.Leaves(t.Context(), 0, 1<<60))(t)
	head := must(audit.Head(t.Context(), s, "test", nil, time.Unix(0, 0)))(t)
	if int64(len(leaves)) != n || head.Size != n {
		t.Errorf("records: got %d in a log of %d, want %d", len(leaves), head.Size, n)
	}
	if want := merkle(t, leaves); head.Root != want {
		t.Errorf("root: got %v, want %v", head.Root, want)
	}
	if r := must(audit.VerifySource(t.Context(), s, head))(t); !r.OK() || r.Good != n {
		t.Errorf("verify: got %v, want %d good records", r, n)
	}
}

func logRoot(w *world) {
	CheckLog(w, w.store, 0)
	var want [][]byte
	for _, n := range []int{1, 1, 3, 0, 70, 2, 130} {
		var b store.Batch
		for range n {
			r := Record(fmt.Sprintf("<%d> & \x00 ü", len(want)), w.clock.Now())
			b.Records = append(b.Records, r)
			want = append(want, must(dera.CanonicalJSON(r))(w))
		}
		w.commit(b)
		CheckLog(w, w.store, int64(len(want)))
	}
	for i, leaf := range must(w.store.Leaves(w.Context(), 0, 1000))(w) {
		if !bytes.Equal(leaf, want[i]) {
			w.Errorf("leaf %d: got %s, want %s", i, leaf, want[i])
		}
	}
}

func logLargest(w *world) {
	r := Record("", w.clock.Now())
	r.Why = "x"
	room := audit.MaxLeaf - len(must(dera.CanonicalJSON(r))(w)) + 1
	r.Why = strings.Repeat("x", room)
	w.commit(store.Batch{Records: []dera.AuditRecord{r}})
	CheckLog(w, w.store, 1)
	w.unchanged(func() {
		r.Why += "x"
		if err := w.store.Commit(w.Context(), store.Batch{Records: []dera.AuditRecord{Record("fits", w.clock.Now()), r}}); err == nil {
			w.Errorf("commit a record of one byte too many: got no error")
		}
	})
}

func logRace(w *world) {
	const writers, each = 10, 12
	for _, err := range w.race(writers, func(s *store.Store, i int) error {
		for n := range each {
			a, b := Record(fmt.Sprintf("%d.%d.a", i, n), w.clock.Now()), Record(fmt.Sprintf("%d.%d.b", i, n), w.clock.Now())
			if err := s.Commit(w.Context(), store.Batch{Records: []dera.AuditRecord{a, b}}); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			w.Errorf("commit: %v", err)
		}
	}
	CheckLog(w, w.store, 2*writers*each)
	leaves := must(w.store.Leaves(w.Context(), 0, 1000))(w)
	for i := 0; i+1 < len(leaves); i += 2 { // the records of a batch stand together
		if !bytes.Equal(bytes.Replace(leaves[i], []byte(`.a"`), []byte(`.b"`), 1), leaves[i+1]) {
			w.Errorf("records %d and %d: got %s and %s, want a pair", i, i+1, leaves[i], leaves[i+1])
		}
	}
}

func logSealed(w *world) {
	a, b := Record("one", w.clock.Now()), Record("two", w.clock.Now())
	a.Sealed, b.Sealed = []byte("marker of a payload"), []byte("marker of a payload")
	b.Commitment = "what the caller says does not count"
	w.commit(store.Batch{Records: []dera.AuditRecord{a, b}})
	want := Vault(w, 1).Commit(a.Sealed)
	for _, leaf := range must(w.store.Leaves(w.Context(), 0, 2))(w) {
		if bytes.Contains(leaf, a.Sealed) || !bytes.Contains(leaf, []byte(want)) {
			w.Errorf("leaf: got %s, want the commitment %s and nothing of the payload", leaf, want)
		}
	}
	if got := must(w.store.Sealed(w.Context(), want))(w); !bytes.Equal(got, a.Sealed) {
		w.Errorf("payload: got %q, want %q", got, a.Sealed)
	}
}

func checkpoints(w *world) {
	for _, c := range []struct {
		size int64
		note string
	}{{3, "three"}, {1, "one"}, {3, "three again"}} {
		if err := w.store.SaveCheckpoint(w.Context(), c.size, c.note); err != nil {
			w.Fatal(err)
		}
	}
	if size, note, err := w.store.LastCheckpoint(w.Context()); err != nil || size != 3 || note != "three again" {
		w.Errorf("checkpoint: got %d, %q, %v, want the last of size 3", size, note, err)
	}
}

// auditLog is the store as the suite of package audit sees a log.
type auditLog struct {
	*store.Store
	db Database
}

// Append implements audittest.Log.
func (l auditLog) Append(ctx context.Context, texts ...string) error {
	var b store.Batch
	for _, text := range texts {
		b.Records = append(b.Records, Record(text, time.Unix(0, 0)))
	}
	return l.Commit(ctx, b)
}

// RunAudit runs the suite of audit logs; at returns the database that belongs to
// a folder, and makes it when there is none.
func RunAudit(t *testing.T, at func(t testing.TB, dir string) Database) {
	t.Helper()
	audittest.Run(t, audittest.Config{
		Open: func(t testing.TB, dir string) (audittest.Log, func()) {
			db := at(t, dir)
			s := Open(t, db, NewClock())
			return auditLog{s, db}, func() {
				if err := s.Close(); err != nil {
					t.Errorf("close store: %v", err)
				}
			}
		},
		Tamper: func(t testing.TB, log audittest.Log, index int64, leaf []byte) {
			conn := log.(auditLog).db.SQL(t)
			defer conn.Close()
			if _, err := conn.ExecContext(t.Context(), "UPDATE leaves SET leaf = $1 WHERE idx = $2", leaf, index); err != nil {
				t.Fatal(err)
			}
		},
	})
}
