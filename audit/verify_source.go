package audit

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// VerifySource holds a stored log against itself and against a checkpoint of it
// whose signature the caller has checked: each record hashes to what is stored
// for it, the stored hashes have the root of the records, and the records up to
// c have the root of c. It goes through the whole log; records after c are
// checked as well, though nothing is signed about them yet.
//
// Whatever is wrong with the log is in the report, whose Age stays zero. An
// error means that there is no answer, since the storage or ctx had one.
func VerifySource(ctx context.Context, src Source, c Checkpoint) (Report, error) {
	r := Report{Index: -1, Last: -1, Checkpoint: c, Compared: true}
	size, err := src.LogSize(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("verify stored log: %w", err)
	}
	if size < c.Size {
		return r.found(Truncated, "%d records are stored, signed are %d", size, c.Size), nil
	}
	hashes := src.Hashes(ctx)
	var seen frontier
	signed := seen.root() // of the first c.Size records, once they are seen
	for n := int64(0); n*tileWidth < size; n++ {
		w := tileSpan(size, 0, n)
		leaves, stored, err := readStored(ctx, src, hashes, n*tileWidth, w)
		if err != nil {
			return Report{}, fmt.Errorf("verify stored log: %w", err)
		}
		for i, leaf := range leaves {
			h := tlog.RecordHash(leaf)
			if h != stored[i] {
				r.Good = seen.size
				return r.badRecord(seen.size, "%s", describe(h, stored, n*tileWidth)), nil
			}
			if seen.add(h); seen.size == c.Size {
				signed = seen.root()
			}
		}
	}
	r.Good = seen.size
	root, err := tlog.TreeHash(size, hashes)
	switch {
	case err != nil:
		return Report{}, fmt.Errorf("verify stored log: %w", err)
	case signed != c.Root:
		return r.found(BadRoot, "the first %d records have the root %v, signed is %v: the log was rebuilt", c.Size, signed, c.Root), nil
	case root != seen.root():
		return r.found(BadTile, "the %d records are as they were signed, but the hashes stored above them are not theirs", seen.size), nil
	}
	return r.found(OK, ""), nil
}

// readStored reads w records and their stored leaf hashes.
func readStored(ctx context.Context, src Source, hashes tlog.HashReader, first int64, w int) ([][]byte, []tlog.Hash, error) {
	leaves, err := src.Leaves(ctx, first, int64(w))
	if err != nil {
		return nil, nil, err
	}
	if len(leaves) != w {
		return nil, nil, fmt.Errorf("read records from %d on: got %d, want %d", first, len(leaves), w)
	}
	indexes := make([]int64, w)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
	}
	stored, err := readHashes(hashes, indexes)
	return leaves, stored, err
}
