package main

import (
	"context"

	"github.com/spf13/cobra"

	"dera.example/dera/audit"
)

func newAuditArchiveCommand(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "archive DIR",
		Short: "Write the log alone to a folder, or what is new of it, for keeping elsewhere",
		Long: "archive writes records, hashes and the signed checkpoint in the layout of export, without evidence. A folder that has an\n" +
			"earlier archive gets what is new; full files never change again, so that copying the folder to a bucket copies each once.\n" +
			"dera audit verify DIR --log-only verifies it. The records stay in the database too.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error { return a.archive(ctx, s, list[0]) })
		},
	}
}

// archivedJSON is what dera audit archive prints with --output json.
type archivedJSON struct {
	Folder  string `json:"folder"`
	Records int64  `json:"records"`
	Root    string `json:"root"`
}

func (a *cli) archive(ctx context.Context, s *session, dir string) error {
	if err := a.writable("DIR", dir); err != nil {
		return err
	}
	signed, err := s.log.Sign(ctx)
	if err != nil {
		return err
	}
	c, err := audit.Export(ctx, s.store, audit.ExportConfig{Dir: dir, Checkpoint: signed, PublicKey: s.log.PublicKey})
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(archivedJSON{dir, c.Size, c.Root.String()})
	}
	a.wrapf("%d records in %s\nverify with: dera audit verify %s --log-only --key FILE (a copy of the public key that you trust)\n", c.Size, dir, dir)
	return nil
}
