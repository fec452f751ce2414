package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrNotKept means that an anchor would not keep what it is given.
var ErrNotKept = errors.New("what is anchored there would not stay")

// Anchor keeps signed checkpoints where whoever holds the database and the key of a log can neither
// change nor delete them. It is safe for concurrent use.
type Anchor interface {
	// Name names it, for people and in metrics.
	Name() string
	// Check returns ErrNotKept where it would not keep what it is given, for example a bucket
	// whose objects can be deleted, another error where that is not known, and else in words how it keeps it. weak says that some can
	// still delete it.
	Check(ctx context.Context) (says string, weak bool, err error)
	// Keep keeps a checkpoint of src; nil means that it is kept for certain. To keep one again is
	// no error.
	Keep(ctx context.Context, src Source, c Checkpoint, signed []byte) error
	// Kept calls each for every checkpoint that it has, and stops at its error.
	Kept(ctx context.Context, each func(Anchored) error) error
}

// Anchored is what an anchor has of a checkpoint.
type Anchored struct {
	Size int64
	Root tlog.Hash
	// Note reads the signed note.
	Note func(ctx context.Context) ([]byte, error)
}

// Name is size and root of the checkpoint as the name of a file: those of larger ones come later in the
// order of names.
func (c Checkpoint) Name() string {
	return fmt.Sprintf("%020d-%s", c.Size, hex.EncodeToString(c.Root[:]))
}

// ParseName is the inverse of Checkpoint.Name.
func ParseName(name string) (size int64, root tlog.Hash, ok bool) {
	digits, text, _ := strings.Cut(name, "-")
	size, err := strconv.ParseInt(digits, 10, 64)
	hash, bad := hex.DecodeString(text)
	if err != nil || bad != nil || len(digits) != 20 || size < 0 || len(hash) != tlog.HashSize {
		return 0, root, false
	}
	return size, tlog.Hash(hash), true
}

// Compared is what a log is beside the checkpoints of an anchor.
type Compared struct {
	Anchor string `json:"anchor"`
	// Checkpoints were compared; Newest is the size of the largest.
	Checkpoints int64 `json:"checkpoints"`
	Newest      int64 `json:"newest"`
	// Unsigned are entries of the anchor that the key of the log did not sign: whoever can write
	// there put them there, and they prove nothing.
	Unsigned int64 `json:"unsigned,omitempty"`
	// Verdict is OK, Truncated or Fork.
	Verdict Status `json:"verdict"`
	Detail  string `json:"detail,omitempty"`
}

// Compare holds a stored log against every checkpoint that an anchor has: a log that is shorter than
// one was cut off, and one that has another root at its size was rewritten by someone with the key. Only
// what is signed with the key counts; the newest is always read and checked.
//
// An error means that there is no answer.
func Compare(ctx context.Context, src Source, publicKey string, a Anchor) (Compared, error) {
	out := Compared{Anchor: a.Name(), Verdict: OK}
	size, err := src.LogSize(ctx)
	if err != nil {
		return out, fmt.Errorf("compare with %s: %w", a.Name(), err)
	}
	hashes := src.Hashes(ctx)
	var newest []Anchored // all that there are of the largest size
	signed := func(x Anchored) (bool, error) {
		note, err := x.Note(ctx)
		if err != nil {
			return false, err
		}
		c, err := OpenCheckpoint(note, publicKey)
		return err == nil && c.Size == x.Size && c.Root == x.Root, nil
	}
	err = a.Kept(ctx, func(x Anchored) error {
		if x.Size > size { // recorded and anchored since the log was looked at, or cut off
			if size, err = src.LogSize(ctx); err != nil {
				return err
			}
		}
		err := contains(hashes, size, Checkpoint{Size: x.Size, Root: x.Root})
		if err != nil && !errors.Is(err, ErrFork) {
			return err
		}
		if forked := err; forked != nil {
			ok, err := signed(x)
			if err != nil {
				return err
			}
			if !ok {
				out.Unsigned++
				return nil
			}
			if out.Verdict == OK {
				out.Verdict, out.Detail = Fork, forked.Error()
				if x.Size > size {
					out.Verdict = Truncated
				}
			}
		}
		out.Checkpoints++
		switch {
		case x.Size > out.Newest || len(newest) == 0:
			newest, out.Newest = []Anchored{x}, x.Size
		case x.Size == out.Newest:
			newest = append(newest, x)
		}
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("compare with %s: %w", a.Name(), err)
	}
	for _, x := range newest { // whoever can write there can put something else over what is signed
		switch ok, err := signed(x); {
		case err != nil:
			return out, fmt.Errorf("compare with %s: %w", a.Name(), err)
		case ok:
			return out, nil
		}
		out.Checkpoints--
		out.Unsigned++
	}
	if len(newest) > 0 {
		return out, fmt.Errorf("compare with %s: its newest checkpoint, of %d records, is not signed with the key of the log", a.Name(), out.Newest)
	}
	return out, nil
}
