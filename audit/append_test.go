package audit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"dera.example/dera/audit"
)

// list reads hashes from a slice.
type list []tlog.Hash

func (l list) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = l[x]
	}
	return out, nil
}

// However the leaves come in batches, the stored hashes are the same, and their
// root is that of RFC 6962.
func TestAppendInAnyBatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		leaves := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 5), 1, 70).Draw(t, "leaves")
		var stored list
		for size := 0; size < len(leaves); {
			n := rapid.IntRange(0, len(leaves)-size).Draw(t, "batch")
			hashes, err := audit.Append(stored, int64(size), leaves[size:size+n]...)
			if err != nil {
				t.Fatal(err)
			}
			stored = append(stored, hashes...)
			size += n
			if got, want := int64(len(stored)), tlog.StoredHashCount(int64(size)); got != want {
				t.Fatalf("stored hashes of %d leaves: got %d, want %d", size, got, want)
			}
		}
		got, err := tlog.TreeHash(int64(len(leaves)), stored)
		if want := root(leafHashes(leaves)); err != nil || got != want {
			t.Fatalf("root: got %v, %v, want %v", got, err, want)
		}
	})
}

// A leaf and an inner node of the same bytes have different hashes: otherwise a
// forger could pass one for the other.
func TestAppendSeparatesLeavesFromNodes(t *testing.T) {
	t.Parallel()
	hashes, err := audit.Append(nil, 0, []byte("a"), []byte("b"))
	if err != nil {
		t.Fatal(err)
	}
	node := slices.Concat(hashes[0][:], hashes[1][:])
	leaf, err := audit.Append(nil, 0, node)
	if err != nil {
		t.Fatal(err)
	}
	if leaf[0] == hashes[2] {
		t.Errorf("the leaf of two hashes has the hash of their node, %v", leaf[0])
	}
}

func TestAppendErrors(t *testing.T) {
	t.Parallel()
	faulty := tlog.HashReaderFunc(func([]int64) ([]tlog.Hash, error) { return nil, errFaulty })
	short := tlog.HashReaderFunc(func([]int64) ([]tlog.Hash, error) { return nil, nil })
	if _, err := audit.Append(list{{}}, 1, make([]byte, audit.MaxLeaf)); err != nil {
		t.Errorf("append the largest leaf: got %v, want no error", err)
	}
	_, err := audit.Append(list{{}}, 1, []byte("x"), make([]byte, audit.MaxLeaf+1))
	if err == nil || !strings.Contains(err.Error(), "leaf 2") || !strings.Contains(err.Error(), "65536 bytes") {
		t.Errorf("append too large a leaf: got %v, want an error with its index and size", err)
	}
	if _, err := audit.Append(faulty, 1, []byte("x")); !errors.Is(err, errFaulty) {
		t.Errorf("append without hashes: got %v, want %v", err, errFaulty)
	}
	if _, err := audit.Append(short, 1, []byte("x")); err == nil {
		t.Errorf("append with too few hashes: got no error")
	}
}
