package audit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"dera.example/dera/audit"
	"dera.example/dera/audit/audittest"
)

func TestCheckpointText(t *testing.T) {
	t.Parallel()
	c := audit.Checkpoint{
		Origin: "example.com/behind-the-sofa",
		Size:   20852163,
		Time:   time.Date(2026, 11, 20, 12, 0, 0, 999, time.FixedZone("", 7200)),
	}
	var err error
	if c.Root, err = tlog.ParseHash("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="); err != nil {
		t.Fatal(err)
	}
	want := "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\ntime 2026-11-20T10:00:00Z\n"
	if got := c.Text(); got != want {
		t.Errorf("text: got %q, want %q", got, want)
	}
}

func TestOpenCheckpoint(t *testing.T) {
	t.Parallel()
	key, witness := newKey(t, 1), newKey(t, 2)
	c, signed := head(t, newLog(t, 5), key)
	if got, err := audit.OpenCheckpoint(signed, key.PublicKey()); err != nil || got != c {
		t.Errorf("open: got %+v, %v, want %+v", got, err, c)
	}
	// A checkpoint that others have signed too is still ours.
	both, err := note.Sign(&note.Note{Text: c.Text()}, witness, key)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := audit.OpenCheckpoint(both, key.PublicKey()); err != nil || got != c {
		t.Errorf("open with two signatures: got %+v, %v, want %+v", got, err, c)
	}
	if _, err := audit.OpenCheckpoint(signed, "nonsense"); err == nil || errors.Is(err, audit.ErrSignature) {
		t.Errorf("open with no key: got %v, want an error about the key", err)
	}
	if _, err := audit.OpenCheckpoint(signed, witness.PublicKey()); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("open with another key: got %v, want %v", err, audit.ErrSignature)
	}
	forged := []byte(strings.Replace(string(signed), "\n5\n", "\n6\n", 1))
	if _, err := audit.OpenCheckpoint(forged, key.PublicKey()); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("open a changed checkpoint: got %v, want %v", err, audit.ErrSignature)
	}
}

func TestOpenCheckpointMalformed(t *testing.T) {
	t.Parallel()
	key := newKey(t, 1)
	c, _ := head(t, newLog(t, 5), key)
	root := c.Root.String()
	tests := []struct{ name, text, want string }{
		{"too_few_lines", origin + "\n5\n" + root + "\n", "want lines"},
		{"empty_origin", "\n5\n" + root + "\ntime 2026-11-20T10:00:00Z\n", "empty"},
		{"empty_line_after", c.Text() + "\nmore\n", "empty"},
		{"negative_size", strings.Replace(c.Text(), "\n5\n", "\n-5\n", 1), "no size"},
		{"leading_zero", strings.Replace(c.Text(), "\n5\n", "\n05\n", 1), "no size"},
		{"huge_size", strings.Replace(c.Text(), "\n5\n", "\n9223372036854775808\n", 1), "no size"},
		{"short_hash", strings.Replace(c.Text(), root, root[:40], 1), "no hash"},
		{"spare_bits_in_hash", strings.Replace(c.Text(), root, spareBit(root), 1), "no hash"},
		{"no_time", strings.Replace(c.Text(), "time ", "", 1), "no time"},
		{"time_with_zone", strings.Replace(c.Text(), "Z\n", "+01:00\n", 1), "no time"},
		{"time_with_fraction", strings.Replace(c.Text(), "00Z", "00.5Z", 1), "no time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			signed, err := note.Sign(&note.Note{Text: tt.text}, key)
			if err != nil {
				t.Fatal(err)
			}
			_, err = audit.OpenCheckpoint(signed, key.PublicKey())
			if err == nil || errors.Is(err, audit.ErrSignature) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("open: got %v, want an error about %q", err, tt.want)
			}
		})
	}
}

// spareBit is the same base64 but for a bit that stands for nothing.
func spareBit(s string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := s[len(s)-2]
	return s[:len(s)-2] + string(digits[strings.IndexByte(digits, last)^1]) + "="
}

// brokenSigner is a key service that is out of order.
type brokenSigner struct{ audit.Signer }

func (brokenSigner) Sign([]byte) ([]byte, error) { return nil, errors.New("out of order") }

func TestSignErrors(t *testing.T) {
	t.Parallel()
	key := newKey(t, 1)
	good := audit.Checkpoint{Origin: origin, Time: signedAt}
	tests := []struct {
		name   string
		c      audit.Checkpoint
		signer audit.Signer
		want   string
	}{
		{"other_origin", audit.Checkpoint{Origin: "example.com/other", Time: signedAt}, key, "the key is of"},
		{"negative_size", audit.Checkpoint{Origin: origin, Size: -1, Time: signedAt}, key, "no size"},
		{"signer_fails", good, brokenSigner{key}, "out of order"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := tt.c.Sign(tt.signer); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("sign: got %v, want an error about %q", err, tt.want)
			}
		})
	}
}

func TestHeadNeverContradictsTheLast(t *testing.T) {
	t.Parallel()
	log := newLog(t, 10)
	held, err := audit.Head(t.Context(), log, origin, nil, signedAt)
	if err != nil {
		t.Fatal(err)
	}
	grow(t, log, 10, 15)
	rewritten, err := log.Forged(func(l [][]byte) [][]byte { l[9] = []byte("other"); return l })
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		log  *audittest.Memory
		fork bool
	}{
		{"grown", log, false},
		{"same", newLog(t, 10), false},
		{"shorter", newLog(t, 9), true},
		{"rewritten", rewritten, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := audit.Head(t.Context(), tt.log, origin, &held, later()); errors.Is(err, audit.ErrFork) != tt.fork {
				t.Errorf("head: got %v, want a fork: %t", err, tt.fork)
			}
		})
	}
}

// faultySource fails in one of its ways.
type faultySource struct {
	audit.Source
	size, hashes, short, leaves bool
	hashesLeft                  int // reads of hashes that still work
	leavesLeft                  int
	few                         bool // leaves come one too few
}

var errFaulty = errors.New("the storage is out of order")

func (f *faultySource) LogSize(ctx context.Context) (int64, error) {
	if f.size {
		return 0, errFaulty
	}
	return f.Source.LogSize(ctx)
}

func (f *faultySource) Hashes(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out, err := f.Source.Hashes(ctx).ReadHashes(indexes)
		if f.hashesLeft--; f.hashesLeft < 0 && f.hashes {
			return nil, errFaulty
		}
		if f.hashesLeft < 0 && f.short {
			return out[1:], nil
		}
		return out, err
	})
}

func (f *faultySource) Leaves(ctx context.Context, from, n int64) ([][]byte, error) {
	out, err := f.Source.Leaves(ctx, from, n)
	if f.leavesLeft--; f.leavesLeft < 0 && f.leaves {
		return nil, errFaulty
	}
	if f.leavesLeft < 0 && f.few {
		return out[1:], nil
	}
	return out, err
}

func TestHeadStorageErrors(t *testing.T) {
	t.Parallel()
	held, err := audit.Head(t.Context(), newLog(t, 5), origin, nil, signedAt)
	if err != nil {
		t.Fatal(err)
	}
	for name, src := range map[string]*faultySource{
		"size":          {size: true},
		"held":          {hashes: true},
		"hashes":        {hashes: true, hashesLeft: 1},
		"too_few_again": {short: true, hashesLeft: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src.Source = newLog(t, 7)
			if c, err := audit.Head(t.Context(), src, origin, &held, signedAt); err == nil || errors.Is(err, audit.ErrFork) {
				t.Errorf("head: got %+v, %v, want an error that is no fork", c, err)
			}
		})
	}
}

func TestVerifySourceStorageErrors(t *testing.T) {
	t.Parallel()
	c, _ := head(t, newLog(t, 5), newKey(t, 1))
	for name, src := range map[string]*faultySource{
		"size":           {size: true},
		"leaves":         {leaves: true},
		"too_few_leaves": {few: true},
		"leaf_hashes":    {hashes: true},
		"too_few_hashes": {short: true},
		"root":           {hashes: true, hashesLeft: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src.Source = newLog(t, 7)
			if r, err := audit.VerifySource(t.Context(), src, c); err == nil || r.Verdict != "" {
				t.Errorf("verify: got %+v, %v, want an error and no verdict", r, err)
			}
		})
	}
}
