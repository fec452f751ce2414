package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// VerifyConfig is how to verify an exported log.
type VerifyConfig struct {
	// PublicKey is the verifier key text that the verifier trusts. It must not
	// come from the folder that is verified.
	PublicKey string
	// Since is a checkpoint of the same log that the verifier has kept, or nil.
	// Without it a truncated log cannot be told from a young one.
	Since *Checkpoint
	// Each, when set, is given every record that was found as it was signed, in
	// order, for what else must be checked of it.
	Each func(index int64, leaf []byte)
	// Now defaults to time.Now.
	Now func() time.Time
}

func (c VerifyConfig) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// Verify recomputes an exported log from its first record on and holds it
// against the signed checkpoint, the tiles and the checkpoint that the verifier
// holds. It needs the folder and the public key only, and believes nothing of
// the folder.
//
// Whatever is wrong with the log is in the report. An error means that there is
// no answer: the public key is none, Since is of another log, or ctx is over.
func Verify(ctx context.Context, fsys fs.FS, cfg VerifyConfig) (Report, error) {
	key, err := note.NewVerifier(strings.TrimSpace(cfg.PublicKey))
	if err != nil {
		return Report{}, fmt.Errorf("verify log: read public key: %w", err)
	}
	if cfg.Since != nil && cfg.Since.Origin != key.Name() {
		return Report{}, fmt.Errorf("verify log: the own checkpoint is of %q, the key of %q", cfg.Since.Origin, key.Name())
	}
	report := Report{Index: -1, Last: -1, Compared: cfg.Since != nil}
	signed, err := readFile(fsys, checkpointName, maxCheckpoint)
	if err != nil {
		return report.found(Unreadable, "%v", err), nil
	}
	c, err := openCheckpoint(signed, key)
	if errors.Is(err, ErrSignature) {
		return report.found(BadSignature, "%v", err), nil
	}
	if err != nil {
		return report.found(Unreadable, "%v", err), nil
	}
	report.Checkpoint, report.Age = c, cfg.now().Sub(c.Time)
	if s := cfg.Since; s != nil && c.Size < s.Size {
		return report.found(Truncated, "the log has %d records, and had %d on %s", c.Size, s.Size, s.Time.Format(time.RFC3339)), nil
	}
	v := &verification{
		report: report,
		folder: folder{fsys, c.Size},
		held:   cfg.Since,
		each:   cfg.Each,
		edge:   map[int][]tlog.Hash{},
		last:   map[int]loadedTile{},
	}
	if report, err = v.run(ctx); err != nil {
		return Report{}, fmt.Errorf("verify log: %w", err)
	}
	return report, nil
}

// found is r with a verdict.
func (r Report) found(v Status, format string, args ...any) Report {
	r.Verdict, r.Detail = v, fmt.Sprintf(format, args...)
	return r
}

// badRecord is r with a bad record that is known exactly.
func (r Report) badRecord(index int64, format string, args ...any) Report {
	r.Index, r.Last = index, index
	return r.found(BadRecord, format, args...)
}
