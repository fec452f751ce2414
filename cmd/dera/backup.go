package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"dera.example/dera/audit"
	"dera.example/dera/engine"
	"dera.example/dera/store"
)

func newBackupCommand(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the SQLite database while it is used, and verify the copy",
		Long: "backup writes a copy of one moment to a new file, opens it with the keys of the data folder, and verifies its audit log\n" +
			"from the first record on. The copy holds no keys: keep keys/ apart. PostgreSQL has tools of its own (pg_dump).\n\n" +
			"Exit codes: 0 written and verified, 3 written and not valid.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error { return a.backup(ctx, s, list[0]) })
		},
	}
}

// backupJSON is what dera backup prints with --output json.
type backupJSON struct {
	Bytes   int64        `json:"bytes"`
	File    string       `json:"file"`
	Records int64        `json:"records"`
	Report  audit.Report `json:"report"`
	// Unsigned are the last records, that no checkpoint covers yet.
	Unsigned int64 `json:"unsigned"`
	Valid    bool  `json:"valid"`
}

func (a *cli) backup(ctx context.Context, s *session, path string) error {
	if _, err := s.log.Sign(ctx); err != nil && !errors.Is(err, audit.ErrSigner) { // so that the copy holds a checkpoint of all that is in it
		return err
	}
	if err := s.store.Backup(ctx, path); errors.Is(err, store.ErrBackup) {
		return usage("%w", err)
	} else if err != nil {
		return err
	}
	report, records, unsigned, err := s.verifyCopy(ctx, path)
	if err != nil {
		return fmt.Errorf("verify the copy: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if a.json() {
		if err := a.printJSON(backupJSON{info.Size(), path, records, report, unsigned, report.OK()}); err != nil {
			return err
		}
	} else if report.OK() {
		how := "verified"
		if unsigned > 0 {
			how = fmt.Sprintf("whole; %d of them are not signed yet, since the signing key does not answer, so that nothing shows that they are as they were recorded", unsigned)
		}
		a.wrapf("%s: %d bytes, %d records, %s; keep %s apart, without it the copy cannot be read\n", path, info.Size(), records, how, s.keys)
	} else {
		a.wrapf("NOT VALID  %s\n", report)
	}
	if !report.OK() {
		return &exitError{code: exitNo}
	}
	return nil
}

// verifyCopy opens a copy with the keys of the data folder and verifies its log. unsigned are the records
// that no checkpoint covers: that they fit each other is all that is known of them.
func (s *session) verifyCopy(ctx context.Context, path string) (r audit.Report, records, unsigned int64, err error) {
	vault, err := s.sealer(ctx)
	if err != nil {
		return r, 0, 0, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return r, 0, 0, err
	}
	of, err := store.OpenExisting(ctx, store.Config{URL: "sqlite:" + path, Sealer: vault, Now: s.app.now})
	if err != nil {
		return r, 0, 0, err
	}
	defer func() { err = errors.Join(err, of.Close()) }()
	log := engine.Log{Store: of, Key: s.log.Key, PublicKey: s.log.PublicKey, Now: s.app.now}
	if err := log.Check(ctx); err != nil {
		return r, 0, 0, err
	}
	if records, err = of.LogSize(ctx); err != nil {
		return r, 0, 0, err
	}
	var c audit.Checkpoint
	signed := int64(0)
	switch _, note, err := of.LastCheckpoint(ctx); {
	case errors.Is(err, store.ErrNotFound): // nothing was signed yet
		if c, err = audit.Head(ctx, of, s.log.Key.Name(), nil, s.app.now()); err != nil {
			return r, 0, 0, err
		}
	case err != nil:
		return r, 0, 0, err
	default:
		if c, err = audit.OpenCheckpoint([]byte(note), s.log.PublicKey); err != nil {
			return r, 0, 0, err
		}
		signed = c.Size
	}
	r, err = audit.VerifySource(ctx, of, c)
	return r, records, max(records-signed, 0), err
}
