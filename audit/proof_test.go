package audit_test

import (
	"encoding/json"
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"dera.example/dera/audit"
)

func headOf(t testing.TB, log audit.Source, size int64) audit.Checkpoint {
	t.Helper()
	h, err := tlog.TreeHash(size, log.Hashes(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return audit.Checkpoint{Origin: origin, Size: size, Root: h}
}

func TestInclusion(t *testing.T) {
	t.Parallel()
	log := newLog(t, 90)
	leaves, err := log.Leaves(t.Context(), 0, 90)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.Int64Range(1, 90).Draw(rt, "size")
		index := rapid.Int64Range(0, size-1).Draw(rt, "index")
		p, err := audit.ProveInclusion(log.Hashes(t.Context()), size, index)
		if err != nil {
			rt.Fatal(err)
		}
		var again audit.Inclusion
		data, err := json.Marshal(p)
		if err != nil || json.Unmarshal(data, &again) != nil {
			rt.Fatalf("JSON: %s, %v", data, err)
		}
		c := headOf(t, log, size)
		if err := audit.CheckInclusion(again, c, leaves[index]); err != nil {
			rt.Fatalf("check: %v", err)
		}
		wrong := c
		wrong.Root[rapid.IntRange(0, 31).Draw(rt, "byte")] ^= 1
		if audit.CheckInclusion(p, wrong, leaves[index]) == nil {
			rt.Fatalf("check against another root: got no error")
		}
		if audit.CheckInclusion(p, c, []byte("other")) == nil {
			rt.Fatalf("check of another leaf: got no error")
		}
		p.Index = (p.Index + 1) % size
		if size > 1 && audit.CheckInclusion(p, c, leaves[index]) == nil {
			rt.Fatalf("check at another index: got no error")
		}
	})
}

func TestInclusionErrors(t *testing.T) {
	t.Parallel()
	log := newLog(t, 5)
	r := log.Hashes(t.Context())
	for _, tt := range []struct{ size, index int64 }{{5, 5}, {5, -1}, {0, 0}, {9, 2}} {
		if p, err := audit.ProveInclusion(r, tt.size, tt.index); err == nil {
			t.Errorf("prove %d of %d: got %+v, want an error", tt.index, tt.size, p)
		}
	}
	p, err := audit.ProveInclusion(r, 5, 2)
	if err != nil {
		t.Fatal(err)
	}
	leaves, _ := log.Leaves(t.Context(), 2, 1)
	if err := audit.CheckInclusion(p, headOf(t, log, 4), leaves[0]); err == nil {
		t.Errorf("check against a checkpoint of another size: got no error")
	}
	p.Index = 5
	if err := audit.CheckInclusion(p, headOf(t, log, 5), leaves[0]); err == nil {
		t.Errorf("check an index beyond the log: got no error")
	}
}

func TestConsistency(t *testing.T) {
	t.Parallel()
	log := newLog(t, 90)
	forged, err := log.Forged(func(l [][]byte) [][]byte { l[0] = []byte("other"); return l })
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.Int64Range(0, 90).Draw(rt, "new")
		old := rapid.Int64Range(0, size).Draw(rt, "old")
		p, err := audit.ProveConsistency(log.Hashes(t.Context()), old, size)
		if err != nil {
			rt.Fatal(err)
		}
		held, c := headOf(t, log, old), headOf(t, log, size)
		if err := audit.CheckConsistency(p, held, c); err != nil {
			rt.Fatalf("check: %v", err)
		}
		if size == 0 {
			return
		}
		if err := audit.CheckConsistency(p, headOf(t, forged, old), c); (err == nil) != (old == 0) || err != nil && !errors.Is(err, audit.ErrFork) {
			rt.Fatalf("check with another history: got %v, want a fork unless it was empty", err)
		}
		p.Path = append(p.Path, tlog.Hash{})
		if audit.CheckConsistency(p, held, c) == nil {
			rt.Fatalf("check with a longer proof: got no error")
		}
	})
}

func TestConsistencyErrors(t *testing.T) {
	t.Parallel()
	log := newLog(t, 9)
	r := log.Hashes(t.Context())
	for _, tt := range []struct{ old, new int64 }{{5, 4}, {-1, 4}, {5, 20}} {
		if p, err := audit.ProveConsistency(r, tt.old, tt.new); err == nil {
			t.Errorf("prove %d in %d: got %+v, want an error", tt.old, tt.new, p)
		}
	}
	p, err := audit.ProveConsistency(r, 4, 9)
	if err != nil {
		t.Fatal(err)
	}
	other := headOf(t, log, 4)
	other.Origin = "example.com/other"
	empty := headOf(t, log, 0)
	empty.Root[0] ^= 1
	for name, err := range map[string]error{
		"other sizes":            audit.CheckConsistency(p, headOf(t, log, 3), headOf(t, log, 9)),
		"other origin":           audit.CheckConsistency(p, other, headOf(t, log, 9)),
		"reversed":               audit.CheckConsistency(audit.Consistency{Old: 9, New: 4}, headOf(t, log, 9), headOf(t, log, 4)),
		"empty with a root":      audit.CheckConsistency(audit.Consistency{Old: 0, New: 9}, empty, headOf(t, log, 9)),
		"same size, other roots": audit.CheckConsistency(audit.Consistency{Old: 0, New: 0}, empty, headOf(t, log, 0)),
	} {
		if err == nil {
			t.Errorf("check with %s: got no error", name)
		}
	}
}
