package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/audit"
	"dera.example/dera/resource/document"
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
	return &cobra.Command{
		Use:   "export DIR",
		Short: "Write the log, its signed checkpoint, the public key and all evidence to a folder",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error { return a.export(ctx, s, list[0]) })
		},
	}
}

// exportedJSON is what dera audit export prints with --output json, verifiedJSON what dera
// audit verify does.
type exportedJSON struct {
	Evidence int    `json:"evidence"`
	Folder   string `json:"folder"`
	Records  int64  `json:"records"`
	Root     string `json:"root"`
}

type verifiedJSON struct {
	Anchors    []audit.Compared `json:"anchors,omitempty"`
	Evidence   string           `json:"evidence"`
	KeyTrusted bool             `json:"key_trusted"`
	Report     audit.Report     `json:"report"`
	Valid      bool             `json:"valid"`
}

// recordLine is a record in the list of dera audit show, and recordJSON one that is shown whole.
type recordLine struct {
	Index int64 `json:"index"`
	dera.AuditRecord
}

type recordJSON struct {
	Lapsed  bool            `json:"evidence_lapsed,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Record  json.RawMessage `json:"record"`
}

func (a *cli) export(ctx context.Context, s *session, dir string) error {
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
	blobs, err := app.Pack{Kinds: services.EvidenceKinds()}.Export(ctx, s.store, dir, c.Size)
	if err != nil {
		return err
	}
	if err := a.reconciled(ctx, s, dir); err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(exportedJSON{blobs, dir, c.Size, c.Root.String()})
	}
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
	cfg.Each = func(index int64, leaf []byte) {
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
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("read exported log: %w", err)
	}
	defer root.Close()
	report, err := audit.Verify(ctx, root.FS(), cfg)
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
	return a.printVerified(report, evidence, trusted)
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
	return a.printVerified(report, "", true, anchors...)
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

func (a *cli) printVerified(r audit.Report, evidence string, trusted bool, anchors ...audit.Compared) error {
	ok := r.OK() && evidence == "" && !slices.ContainsFunc(anchors, func(c audit.Compared) bool { return c.Verdict != audit.OK })
	if a.json() {
		if err := a.printJSON(verifiedJSON{anchors, evidence, trusted, r, ok}); err != nil {
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

func newAuditShowCommand(a *cli) *cobra.Command {
	var payload, verbatim bool
	cmd := &cobra.Command{
		Use:   "show [INDEX|REMEDIATION]",
		Short: "Show the records of the log, or of one remediation, or one record whole",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error {
				what := ""
				if len(list) == 1 {
					what = list[0]
				}
				return a.showRecords(ctx, s, what, sealed{payload, verbatim})
			})
		},
	}
	cmd.Flags().BoolVar(&payload, "payload", false, "also decrypt what lies outside the record (one record only); values of policies that can be secret have stand-ins")
	cmd.Flags().BoolVar(&verbatim, "verbatim", false, "with --payload: exactly as it was sealed, secrets included")
	return cmd
}

// sealed says what is shown of a payload that lies outside the record.
type sealed struct{ payload, verbatim bool }

func (a *cli) showRecords(ctx context.Context, s *session, what string, of sealed) error {
	if of.verbatim && !of.payload {
		return usage("--verbatim requires --payload")
	}
	size, err := s.store.LogSize(ctx)
	if err != nil {
		return err
	}
	if index, err := strconv.ParseInt(what, 10, 64); err == nil {
		return a.showRecord(ctx, s, index, of)
	}
	if of.payload {
		return usage("--payload requires the index of one record")
	}
	if what, err = s.recorded(ctx, what); err != nil {
		return err
	}
	list := []recordLine{}
	err = app.EachRecord(ctx, s.store, size, func(i int64, r dera.AuditRecord) error {
		if what == "" || r.Remediation == what || strings.Contains(strings.Join(r.Findings, " "), what) {
			list = append(list, recordLine{i, r})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(list)
	}
	t := table{head: []string{"#", "TIME", "KIND", "ACTOR", "RESOURCE", "WHAT"}}
	for _, l := range list {
		text := strings.Join(slices.DeleteFunc(append(slices.Clone(l.Diff), l.Why), func(s string) bool { return s == "" }), "; ")
		t.row(strconv.FormatInt(l.Index, 10), app.Stamp(l.Time), string(l.Kind), dera.ARN(l.Actor.Name).Name(), l.Resource.Name(), text)
	}
	t.print(a.out)
	return nil
}

func (a *cli) showRecord(ctx context.Context, s *session, index int64, of sealed) error {
	leaves, err := s.store.Leaves(ctx, index, 1)
	if err != nil {
		return err
	}
	if len(leaves) == 0 {
		return &exitError{exitFailed, fmt.Errorf("the log has no record %d", index)}
	}
	var r dera.AuditRecord
	if err := json.Unmarshal(leaves[0], &r); err != nil {
		return fmt.Errorf("read audit record %d: %w", index, err)
	}
	out := recordJSON{Record: leaves[0]}
	if r.Evidence != "" {
		if out.Lapsed, err = s.store.Lapsed(ctx, r.Evidence); err != nil {
			return err
		}
	}
	if of.payload {
		if r.Commitment == "" {
			return &exitError{exitFailed, errors.New("this record seals nothing")}
		}
		plain, err := s.store.Sealed(ctx, r.Commitment)
		if err != nil {
			return err
		}
		if !of.verbatim {
			var hide document.Redactor
			if plain, err = hide.JSON(plain); err != nil {
				return err
			}
		}
		out.Payload = plain
	}
	return a.printJSON(out)
}
