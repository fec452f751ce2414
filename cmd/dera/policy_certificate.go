package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
)

// writeCertificate writes the certificate of a change that was proved. Exit
// code 4: the checker does not confirm the proof.
func writeCertificate(path string, e proof.Evidence, o proof.Origin) error {
	data, err := e.Certificate(o)
	if errors.Is(err, proof.ErrUnproved) {
		return &exitError{code: exitUndecided, err: fmt.Errorf("write certificate: %w", err)}
	}
	if err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	return nil
}

// proveCertificate writes the certificate that fresh grants nothing that old
// does not; without a path it does nothing. There is none where that is not so,
// which the caller says.
func proveCertificate(ctx context.Context, path string, fresh, old reason.Policies) error {
	if path == "" {
		return nil
	}
	e := proof.Prove(ctx, proof.Change{Old: old, New: fresh}, reason.Config{})
	if !e.Proved() {
		return nil
	}
	return writeCertificate(path, e, proof.Origin{})
}

func newPolicyCheckCertificateCommand(a *cli) *cobra.Command {
	var folder string
	cmd := &cobra.Command{
		Use:   "check-certificate FILE",
		Short: "Check the evidence for a change, without the engine that made it",
		Long: "Check the evidence for a change, without the engine that made it: every claim is decided again from the\n" +
			"documents in the certificate, by another method. docs/certificate.md explains how to ask a solver as well.\n\n" +
			"Exit code 0: accepted. 3: rejected, with the reason. 1: the file cannot be read.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, paths []string) error { return checkCertificate(a, paths[0], folder) },
	}
	cmd.Flags().StringVar(&folder, "smtlib", "", "also write the question of each claim into this folder: unsat means that it holds")
	return cmd
}

// certificateJSON is the answer of dera policy check-certificate.
type certificateJSON struct {
	Accepted bool     `json:"accepted"`
	Why      string   `json:"why,omitempty"`
	Purpose  string   `json:"purpose,omitempty"`
	Claims   []string `json:"claims,omitempty"`
	Digest   string   `json:"digest,omitempty"`
}

func checkCertificate(a *cli, path, folder string) error {
	if err := a.writable("--smtlib", folder); err != nil {
		return err
	}
	data, err := readText(path)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	c, err := proof.Check(data)
	out := certificateJSON{Accepted: err == nil}
	if err != nil {
		out.Why = err.Error()
	} else {
		out.Purpose, out.Digest = c.Purpose, c.Digest
		for _, claim := range c.Claims {
			out.Claims = append(out.Claims, claim.Claim)
		}
		if err := writeScripts(folder, c); err != nil {
			return err
		}
	}
	if a.json() {
		if err := a.printJSON(out); err != nil {
			return err
		}
	} else {
		printCertificate(a, path, out, c)
	}
	if !out.Accepted {
		return &exitError{code: exitNo}
	}
	return nil
}

func printCertificate(a *cli, path string, out certificateJSON, c *check.Certificate) {
	p := newPaint(a.out)
	if !out.Accepted {
		a.printf("%s %s: %s\n", p.colour("1", "rejected"), path, out.Why)
		return
	}
	a.printf("%s %s\n", p.colour("2", "accepted"), path)
	for _, claim := range out.Claims {
		a.printf("  %s\n", claimWords(claim, c))
	}
	if u := c.Unused; u != nil {
		actions := 0
		for _, r := range u.Reasons {
			actions += len(r.Actions)
		}
		a.printf("  %d actions were not used in %d days, as far as CloudTrail shows it:\n", actions, u.Days)
		for _, r := range u.Reasons {
			a.printf("    %s\n", reasonWords(r))
		}
	}
	if w := c.Witness; w != nil {
		a.printf("  no longer allowed, for example: %s on %s\n", w.Action, w.Resource)
	}
	a.printf("  %s\n", p.faint("digest "+out.Digest))
}

// reasonWords says why actions count as unused.
func reasonWords(r check.Reason) string {
	const some = 5
	text := strings.Join(r.Actions[:min(some, len(r.Actions))], ", ")
	if more := len(r.Actions) - some; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	text += ": class " + r.Class
	if r.Source != "" {
		text += ", " + r.Source
	}
	if r.Checked > 0 {
		text += fmt.Sprintf("; of %d entries that they are used with, none stays", r.Checked)
	}
	return text
}

// claimWords says what a claim means.
func claimWords(claim string, c *check.Certificate) string {
	switch claim {
	case check.NothingNew:
		return "the new policies grant nothing that the old ones do not"
	case check.NothingNewAlone:
		return "neither does the changed policy alone"
	case check.NothingLost:
		return fmt.Sprintf("nothing is lost of the %d actions that are kept", len(c.Kept))
	case check.Gone:
		return fmt.Sprintf("nothing is left of the %d entries that are removed", len(c.Removed))
	}
	return claim
}

// writeScripts writes the questions for a solver.
func writeScripts(folder string, c *check.Certificate) error {
	if folder == "" {
		return nil
	}
	if c.Unwritten != "" {
		return fmt.Errorf("write the questions: %s", c.Unwritten)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("write the questions: %w", err)
	}
	for _, claim := range c.Claims {
		text, ok := proof.Script(c, claim.Claim)
		if !ok {
			return fmt.Errorf("write the questions: claim %s has none", claim.Claim)
		}
		if err := os.WriteFile(filepath.Join(folder, claim.Claim+".smt2"), []byte(text), 0o644); err != nil {
			return fmt.Errorf("write the questions: %w", err)
		}
	}
	return nil
}
