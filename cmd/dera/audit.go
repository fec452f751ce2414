package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/app/soc2"
	"dera.example/dera/audit"
	"dera.example/dera/services"
)

func newAuditCommand(a *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "The audit log: verify, show, export, archive, compare with CloudTrail",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAuditVerifyCommand(a), newAuditShowCommand(a), newAuditExportCommand(a), newAuditArchiveCommand(a), newAuditReconcileCommand(a))
	return cmd
}

func newAuditExportCommand(a *cli) *cobra.Command {
	var pack packFlags
	cmd := &cobra.Command{
		Use:   "export DIR [--soc2 [--since 90d] [--until TIME] [--sample 25] [--seed TEXT]]",
		Short: "Write the log, its signed checkpoint, the public key and all evidence to a folder",
		Long: "export writes the log up to a checkpoint that it signs, with the public key and all evidence; a folder that has an earlier\n" +
			"export gets what is new. With --soc2 also an evidence pack of a period for a SOC 2 audit, in the folder soc2 there: for\n" +
			"each criterion (CC6.1 to CC7.4) its controls, the population, a sample that follows from the root hash of the log, and\n" +
			"the records of what was sampled with proofs. That it was made is recorded, with the hash of all its files.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			if err := pack.check(cmd.Flags()); err != nil {
				return err
			}
			of, err := a.periodOf(pack.periodFlags)
			if err != nil {
				return err
			}
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error { return a.export(ctx, s, list[0], pack, of) })
		},
	}
	pack.flags(cmd.Flags())
	return cmd
}

// exportedJSON is what dera audit export prints with --output json, verifiedJSON what dera
// audit verify does.
type exportedJSON struct {
	Evidence int    `json:"evidence"`
	Folder   string `json:"folder"`
	Records  int64  `json:"records"`
	Root     string `json:"root"`
	// SOC2 is the evidence pack that was written beside; nil where none was asked for.
	SOC2 *soc2.Index `json:"soc2,omitempty"`
}

type verifiedJSON struct {
	Anchors    []audit.Compared `json:"anchors,omitempty"`
	Evidence   string           `json:"evidence"`
	KeyTrusted bool             `json:"key_trusted"`
	Report     audit.Report     `json:"report"`
	Valid      bool             `json:"valid"`
	Pack       string           `json:"soc2"` // what is wrong with the evidence pack; empty also where there is none
}

func (a *cli) export(ctx context.Context, s *session, dir string, flags packFlags, of app.Period) error {
	if err := a.writable("DIR", dir); err != nil {
		return err
	}
	pack, err := s.pack(ctx, dir, flags, of)
	if err != nil {
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
	blobs, err := app.Pack{Kinds: services.EvidenceKinds()}.Export(ctx, s.store, dir, c.Size)
	if err != nil {
		return err
	}
	if err := a.reconciled(ctx, s, dir); err != nil {
		return err
	}
	out := exportedJSON{Evidence: blobs, Folder: dir, Records: c.Size, Root: c.Root.String()}
	if pack != nil {
		if err := pack.Write(dir); err != nil {
			return fmt.Errorf("write the evidence pack: %w", err)
		}
		out.SOC2 = &pack.Index
	}
	if a.json() {
		return a.printJSON(out)
	}
	a.printPack(out)
	a.wrapf("%d records and %d pieces of evidence in %s\nverify with: dera audit verify %s --key FILE (a copy of the public key that you trust)\n", c.Size, blobs, dir, dir)
	return nil
}

func newAuditVerifyCommand(a *cli) *cobra.Command {
	var keyFile, since string
	var anchored, logOnly bool
	cmd := &cobra.Command{
		Use:   "verify [DIR]",
		Short: "Verify the log offline: an exported folder, or this installation's own",
		Long: "verify recomputes the log from its first record and names the first bad one. For an exported folder it requires\n" +
			"nothing but the folder and the public key; the key should come from elsewhere than the folder. With --since it\n" +
			"also finds records that were cut off since an earlier checkpoint that you kept. With --anchor it holds this\n" +
			"installation's own log against every checkpoint that the anchors of the configuration have.\n\n" +
			"Exit codes: 0 valid, 3 not valid, 4 an anchor could not be read.",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			if len(list) == 0 {
				return a.stored(cmd.Context(), func(ctx context.Context, s *session) error { return a.verifyOwn(ctx, s, since, anchored) })
			}
			if anchored {
				return usage("--anchor is for this installation's own log: name no folder")
			}
			return a.verifyFolder(cmd.Context(), list[0], keyFile, since, logOnly)
		},
	}
	cmd.Flags().StringVar(&keyFile, "key", "", "file with the public key (default: audit.pub of the folder, which proves less)")
	cmd.Flags().StringVar(&since, "since", "", "file with an earlier checkpoint of the log that you kept")
	cmd.Flags().BoolVar(&logOnly, "log-only", false, "do not ask for the evidence that records name: an archive has none")
	cmd.Flags().BoolVar(&anchored, "anchor", false, "also compare with every checkpoint that the configured anchors have")
	return cmd
}

func (a *cli) verifyFolder(ctx context.Context, dir, keyFile, since string, logOnly bool) error {
	trusted := keyFile != ""
	if !trusted {
		keyFile = filepath.Join(dir, "audit.pub")
	}
	key, err := readText(keyFile)
	if err != nil {
		return fmt.Errorf("read public key: %w", err)
	}
	cfg := audit.VerifyConfig{PublicKey: strings.TrimSpace(string(key)), Now: a.now}
	if cfg.Since, err = heldCheckpoint(since, cfg.PublicKey); err != nil {
		return err
	}
	named := map[string]int64{} // evidence hashes, with the first record that names each
	lapsed := map[string]bool{} // those that a record says were removed for their age
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("read exported log: %w", err)
	}
	defer root.Close()
	var pack *soc2.Verification
	if soc2.Present(root.FS()) {
		pack = soc2.NewVerification(root.FS())
	}
	cfg.Each = func(index int64, leaf []byte) {
		if pack != nil {
			pack.Record(index, leaf)
		}
		var r dera.AuditRecord
		if json.Unmarshal(leaf, &r) != nil {
			return
		}
		if r.Retention != nil {
			for _, hash := range r.Retention.Evidence {
				lapsed[hash] = true
			}
		}
		if r.Evidence != "" {
			delete(lapsed, r.Evidence) // it was there once more
			if _, seen := named[r.Evidence]; !seen {
				named[r.Evidence] = index
			}
		}
	}
	report, err := audit.Verify(ctx, root.FS(), cfg)
	if err != nil {
		return err
	}
	wrong, err := packWrong(ctx, pack, report, cfg.PublicKey)
	if err != nil {
		return err
	}
	evidence := ""
	if report.OK() && !logOnly {
		for hash := range lapsed {
			if !(app.Pack{}).Has(dir, hash) {
				delete(named, hash)
			}
		}
		evidence = app.Pack{Kinds: services.EvidenceKinds()}.Check(dir, named)
	}
	return a.printVerified(report, evidence, wrong, trusted)
}

func (a *cli) verifyOwn(ctx context.Context, s *session, since string, anchored bool) error {
	held, err := heldCheckpoint(since, s.log.PublicKey)
	if err != nil {
		return err
	}
	signed, err := s.log.Sign(ctx)
	if err != nil {
		return &exitError{exitNo, err}
	}
	c, err := audit.OpenCheckpoint(signed, s.log.PublicKey)
	if err != nil {
		return err
	}
	report, err := audit.VerifySource(ctx, s.store, c)
	if err != nil {
		return err
	}
	report.Compared = held != nil
	if report.OK() && held != nil {
		if _, err := audit.Head(ctx, s.store, c.Origin, held, a.now()); err != nil {
			return &exitError{exitNo, err}
		}
	}
	var anchors []audit.Compared
	if anchored && report.OK() {
		if anchors, err = s.compareAnchors(ctx); err != nil {
			return err
		}
		// An anchor that has none of it compared nothing.
		report.Compared = report.Compared || slices.ContainsFunc(anchors, func(c audit.Compared) bool { return c.Checkpoints > 0 })
	}
	return a.printVerified(report, "", "", true, anchors...)
}

func heldCheckpoint(file, key string) (*audit.Checkpoint, error) {
	if file == "" {
		return nil, nil
	}
	text, err := readText(file)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint that you kept: %w", err)
	}
	c, err := audit.OpenCheckpoint(text, key)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint that you kept: %w", err)
	}
	return &c, nil
}

func (a *cli) printVerified(r audit.Report, evidence, pack string, trusted bool, anchors ...audit.Compared) error {
	ok := r.OK() && evidence == "" && pack == "" && !slices.ContainsFunc(anchors, func(c audit.Compared) bool { return c.Verdict != audit.OK })
	if a.json() {
		if err := a.printJSON(verifiedJSON{anchors, evidence, trusted, r, ok, pack}); err != nil {
			return err
		}
	} else {
		p := newPaint(a.out)
		verdict := p.colour("2", "valid")
		if !ok {
			verdict = p.colour("1", "NOT VALID")
		}
		a.wrapf("%s  %s\n", verdict, r)
		if evidence != "" {
			a.printf("%s\n", evidence)
		}
		if pack != "" {
			a.wrapf("evidence pack: %s\n", pack)
		}
		for _, c := range anchors {
			a.wrapf("%s\n", anchoredText(c))
		}
		if !trusted {
			a.wrapf("the key came from the folder itself: this shows that the folder is consistent, not who wrote it; use --key\n")
		}
	}
	if !ok {
		return &exitError{code: exitNo}
	}
	return nil
}

// anchoredText says what a log is beside an anchor.
func anchoredText(c audit.Compared) string {
	text := fmt.Sprintf("anchor %s: %d checkpoints, the newest of %d records; the log contains them all", c.Anchor, c.Checkpoints, c.Newest)
	if c.Checkpoints == 0 {
		text = fmt.Sprintf("anchor %s has no checkpoint of this log", c.Anchor)
	}
	if c.Verdict != audit.OK {
		text = fmt.Sprintf("anchor %s: %s: %s", c.Anchor, c.Verdict, c.Detail)
	}
	if c.Unsigned > 0 {
		text += fmt.Sprintf("; %d entries there are not signed with the key of the log and prove nothing", c.Unsigned)
	}
	return text
}
