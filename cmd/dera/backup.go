package main

import (
	"context"
	"errors"
	"fmt"
	"os"

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
	Valid   bool         `json:"valid"`
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
	report, records, err := s.verifyCopy(ctx, path)
	if err != nil {
		return fmt.Errorf("verify the copy: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if a.json() {
		if err := a.printJSON(backupJSON{info.Size(), path, records, report, report.OK()}); err != nil {
			return err
		}
	} else if report.OK() {
		a.wrapf("%s: %d bytes, %d records, verified; keep %s apart, without it the copy cannot be read\n", path, info.Size(), records, s.keys)
	} else {
		a.wrapf("NOT VALID  %s\n", report)
	}
	if !report.OK() {
		return &exitError{code: exitNo}
	}
	return nil
}

// verifyCopy opens a copy with the keys of the data folder and verifies its log.
func (s *session) verifyCopy(ctx context.Context, path string) (r audit.Report, records int64, err error) {
	vault, err := s.sealer(ctx)
	if err != nil {
		return r, 0, err
	}
	of, err := store.OpenExisting(ctx, store.Config{URL: "sqlite:" + path, Sealer: vault, Now: s.app.now})
	if err != nil {
		return r, 0, err
	}
	defer func() { err = errors.Join(err, of.Close()) }()
	log := engine.Log{Store: of, Key: s.log.Key, PublicKey: s.log.PublicKey, Now: s.app.now}
	if err := log.Check(ctx); err != nil {
		return r, 0, err
	}
	if records, err = of.LogSize(ctx); err != nil {
		return r, 0, err
	}
	_, note, err := of.LastCheckpoint(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return audit.Report{Verdict: audit.OK}, records, nil // nothing was recorded yet
	}
	if err != nil {
		return r, 0, err
	}
	c, err := audit.OpenCheckpoint([]byte(note), s.log.PublicKey)
	if err != nil {
		return r, 0, err
	}
	r, err = audit.VerifySource(ctx, of, c)
	return r, records, err
}
