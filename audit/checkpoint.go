package audit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint says that the log Origin had Size leaves with the root hash Root at
// Time. Signed, it binds the signer to every one of them.
type Checkpoint struct {
	Origin string    `json:"origin"`
	Size   int64     `json:"size"`
	Root   tlog.Hash `json:"root"`
	// Time is when the checkpoint was made, by the signer's clock, to the second.
	Time time.Time `json:"time"`
}

// Signer signs checkpoints; its name is the log's origin. A [FileKey] is one,
// and a key in a key management service can be another.
type Signer = note.Signer

var (
	// ErrSignature means that a checkpoint is not signed by the given key.
	ErrSignature = errors.New("not signed by the given key")
	// ErrFork means that a log does not contain what a checkpoint promised.
	ErrFork = errors.New("the log does not contain an earlier checkpoint")
)

// timeLine starts the extension line that holds the time.
const timeLine = "time "

// Text is the text that is signed: origin, size, root and a line with the time,
// as https://c2sp.org/tlog-checkpoint has it.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%v\n%s%s\n", c.Origin, c.Size, c.Root, timeLine, c.Time.UTC().Format(time.RFC3339))
}

// Sign returns the signed note of c. The signer's name must be the origin.
func (c Checkpoint) Sign(s Signer) ([]byte, error) {
	if s.Name() != c.Origin {
		return nil, fmt.Errorf("sign checkpoint of %q: the key is of %q", c.Origin, s.Name())
	}
	if _, err := parseCheckpoint(c.Text()); err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, s)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return signed, nil
}

// OpenCheckpoint reads a signed note and checks its signature with the public
// key, a verifier key text as in audit.pub. Signatures by other keys, such as
// those of witnesses, are ignored. When the note is readable and only the
// signature is not good, the error is ErrSignature.
func OpenCheckpoint(signed []byte, publicKey string) (Checkpoint, error) {
	v, err := note.NewVerifier(strings.TrimSpace(publicKey))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read public key: %w", err)
	}
	return openCheckpoint(signed, v)
}

func openCheckpoint(signed []byte, v note.Verifier) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(v))
	if unverified := (*note.UnverifiedNoteError)(nil); errors.As(err, &unverified) {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", ErrSignature)
	}
	if invalid := (*note.InvalidSignatureError)(nil); errors.As(err, &invalid) {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w: the signature is wrong", ErrSignature)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", err)
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", err)
	}
	if c.Origin != v.Name() {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w: the key is of %q, the log is %q", ErrSignature, v.Name(), c.Origin)
	}
	return c, nil
}

// parseCheckpoint is the inverse of Text. Lines after the time are for later
// versions and ignored.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 5 || lines[len(lines)-1] != "" {
		return Checkpoint{}, errors.New("want lines with origin, size, root and time")
	}
	for _, line := range lines[:len(lines)-1] {
		if line == "" {
			return Checkpoint{}, errors.New("a line is empty")
		}
	}
	c := Checkpoint{Origin: lines[0]}
	var err error
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 || strconv.FormatInt(c.Size, 10) != lines[1] {
		return Checkpoint{}, fmt.Errorf("%q is no size", lines[1])
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil || c.Root.String() != lines[2] {
		return Checkpoint{}, fmt.Errorf("%q is no hash", lines[2])
	}
	when, ok := strings.CutPrefix(lines[3], timeLine)
	if c.Time, err = time.Parse(time.RFC3339, when); !ok || err != nil || c.Time.UTC().Format(time.RFC3339) != when {
		return Checkpoint{}, fmt.Errorf("%q is no time in UTC, to the second", lines[3])
	}
	c.Time = c.Time.UTC()
	return c, nil
}

// Head makes the checkpoint, yet to be signed, of all that src holds now. held
// is the newest checkpoint that was signed before, or nil: a log that does not
// contain it any more is refused with ErrFork, since a log must never sign two
// checkpoints that are inconsistent.
func Head(ctx context.Context, src Source, origin string, held *Checkpoint, now time.Time) (Checkpoint, error) {
	size, err := src.LogSize(ctx)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("make checkpoint: %w", err)
	}
	hashes := src.Hashes(ctx)
	if held != nil {
		if err := contains(hashes, size, *held); err != nil {
			return Checkpoint{}, fmt.Errorf("make checkpoint: %w", err)
		}
	}
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("make checkpoint: read hashes: %w", err)
	}
	return Checkpoint{Origin: origin, Size: size, Root: root, Time: now.UTC().Truncate(time.Second)}, nil
}

// contains is nil when the first leaves of a log of the given size are those of c.
func contains(hashes tlog.HashReader, size int64, c Checkpoint) error {
	if size < c.Size {
		return fmt.Errorf("%w: it has %d records, the checkpoint %d", ErrFork, size, c.Size)
	}
	root, err := tlog.TreeHash(c.Size, hashes)
	if err != nil {
		return fmt.Errorf("read hashes: %w", err)
	}
	if root != c.Root {
		return fmt.Errorf("%w: the root at %d records is %v, the checkpoint has %v", ErrFork, c.Size, root, c.Root)
	}
	return nil
}
