package audit

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// MaxLeaf is how many bytes a leaf can have: entry bundles of C2SP tlog-tiles
// prefix each with its length in 16 bits.
const MaxLeaf = 1<<16 - 1

// Source is a stored log, to read. Implementations are safe for concurrent use
// while the log grows; they never change what was once returned for an index.
type Source interface {
	// LogSize is the number of leaves.
	LogSize(ctx context.Context) (int64, error)
	// Hashes reads the stored hashes, numbered as tlog.StoredHashIndex does.
	Hashes(ctx context.Context) tlog.HashReader
	// Leaves returns n leaves from index from on; fewer at the end of the log.
	Leaves(ctx context.Context, from, n int64) ([][]byte, error)
}

// Append returns the hashes to store, in order from index
// tlog.StoredHashIndex(0, size) on, when the leaves are added to a log that has
// size leaves. It reads the earlier hashes it needs, at most log2(size) for each
// leaf, from r, and writes nothing: leaves and hashes belong in the transaction
// of the state that they tell of.
//
// A leaf of more than MaxLeaf bytes is an error.
func Append(r tlog.HashReader, size int64, leaves ...[]byte) ([]tlog.Hash, error) {
	grown := &overlay{base: r, from: tlog.StoredHashIndex(0, size)}
	for _, leaf := range leaves {
		if len(leaf) > MaxLeaf {
			return nil, fmt.Errorf("append leaf %d: it has %d bytes, at most %d are possible", size, len(leaf), MaxLeaf)
		}
		hashes, err := tlog.StoredHashes(size, leaf, grown)
		if err != nil {
			return nil, fmt.Errorf("append leaf %d: %w", size, err)
		}
		grown.fresh = append(grown.fresh, hashes...)
		size++
	}
	return grown.fresh, nil
}

// overlay is base and the hashes that come after it.
type overlay struct {
	base  tlog.HashReader
	from  int64 // index of fresh[0]
	fresh []tlog.Hash
}

// ReadHashes implements tlog.HashReader.
func (o *overlay) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	var old []int64
	for i, x := range indexes {
		if x >= o.from {
			out[i] = o.fresh[x-o.from]
		} else {
			old = append(old, x)
		}
	}
	if len(old) == 0 {
		return out, nil
	}
	hashes, err := readHashes(o.base, old)
	if err != nil {
		return nil, err
	}
	for i, x := range indexes {
		if x < o.from {
			out[i], hashes = hashes[0], hashes[1:]
		}
	}
	return out, nil
}

// readHashes holds r to its contract.
func readHashes(r tlog.HashReader, indexes []int64) ([]tlog.Hash, error) {
	hashes, err := r.ReadHashes(indexes)
	if err != nil {
		return nil, err
	}
	if len(hashes) != len(indexes) {
		return nil, fmt.Errorf("read hashes: got %d, want %d", len(hashes), len(indexes))
	}
	return hashes, nil
}
