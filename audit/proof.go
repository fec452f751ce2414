package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Inclusion proves that one leaf is in a log of some size, without the others.
type Inclusion struct {
	Index int64            `json:"index"`
	Size  int64            `json:"size"`
	Path  tlog.RecordProof `json:"path"`
}

// ProveInclusion makes the proof for the leaf at index in the first size leaves.
func ProveInclusion(r tlog.HashReader, size, index int64) (Inclusion, error) {
	if index < 0 || index >= size {
		return Inclusion{}, fmt.Errorf("prove inclusion: there is no record %d among %d", index, size)
	}
	path, err := tlog.ProveRecord(size, index, r)
	if err != nil {
		return Inclusion{}, fmt.Errorf("prove inclusion of record %d: %w", index, err)
	}
	return Inclusion{index, size, path}, nil
}

// CheckInclusion is nil if p proves that the leaf stands at p.Index in the log
// that c is the checkpoint of.
func CheckInclusion(p Inclusion, c Checkpoint, leaf []byte) error {
	if p.Size != c.Size {
		return fmt.Errorf("check inclusion of record %d: the proof is for %d records, the checkpoint for %d", p.Index, p.Size, c.Size)
	}
	if p.Index < 0 || p.Index >= p.Size {
		return fmt.Errorf("check inclusion: there is no record %d among %d", p.Index, p.Size)
	}
	if err := tlog.CheckRecord(p.Path, p.Size, c.Root, p.Index, tlog.RecordHash(leaf)); err != nil {
		return fmt.Errorf("check inclusion of record %d: %w", p.Index, err)
	}
	return nil
}

// Consistency proves that a log of New leaves begins with the Old leaves of an
// earlier one.
type Consistency struct {
	Old  int64          `json:"old"`
	New  int64          `json:"new"`
	Path tlog.TreeProof `json:"path"`
}

// ProveConsistency makes the proof that the first size leaves begin with the
// first old ones.
func ProveConsistency(r tlog.HashReader, old, size int64) (Consistency, error) {
	switch {
	case old < 0 || old > size:
		return Consistency{}, fmt.Errorf("prove consistency: %d records do not begin with %d", size, old)
	case old == 0 || old == size:
		return Consistency{Old: old, New: size}, nil // nothing to prove; tlog takes neither
	}
	path, err := tlog.ProveTree(size, old, r)
	if err != nil {
		return Consistency{}, fmt.Errorf("prove consistency of %d with %d records: %w", size, old, err)
	}
	return Consistency{old, size, path}, nil
}

// CheckConsistency is nil if p proves that the log at checkpoint c begins with
// the log at the earlier checkpoint held.
func CheckConsistency(p Consistency, held, c Checkpoint) error {
	if p.Old != held.Size || p.New != c.Size || held.Origin != c.Origin || p.Old > p.New {
		return fmt.Errorf("check consistency: the proof is not for these checkpoints")
	}
	if p.Old == 0 || p.Old == p.New {
		ok := p.Old == 0 && held.Root == fold(nil) || p.Old == p.New && held.Root == c.Root
		if !ok || len(p.Path) > 0 {
			return fmt.Errorf("check consistency: %w", ErrFork)
		}
		return nil
	}
	if err := tlog.CheckTree(p.Path, p.New, c.Root, p.Old, held.Root); err != nil {
		return fmt.Errorf("check consistency: %w: %w", ErrFork, err)
	}
	return nil
}
