package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/proof"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services"
	"github.com/aymanbagabas/go-udiff"
)

// evidenceDir holds the evidence of an export: HASH.json is the piece that the
// log names, and the folder HASH the same in files that people and solvers read.
const evidenceDir = "evidence"

// exportEvidence writes every piece of evidence that a record names.
func exportEvidence(ctx context.Context, s *session, dir string, size int64) (int, error) {
	hashes := map[string]bool{}
	err := eachRecord(ctx, s, size, func(_ int64, r dera.AuditRecord) error {
		if r.Evidence != "" {
			hashes[r.Evidence] = true
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(filepath.Join(dir, evidenceDir), 0o755); err != nil {
		return 0, err
	}
	for _, h := range slices.Sorted(maps.Keys(hashes)) {
		blob, err := s.store.Evidence(ctx, h)
		if err != nil {
			return 0, err
		}
		if err := os.WriteFile(filepath.Join(dir, evidenceDir, h+".json"), blob, 0o644); err != nil {
			return 0, err
		}
		if err := unfold(filepath.Join(dir, evidenceDir, h), h, blob); err != nil {
			return 0, err
		}
	}
	return len(hashes), nil
}

// unfold writes the files of a piece of evidence.
func unfold(dir, hash string, blob []byte) error {
	files, err := unfolded(hash, blob)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// unfolded makes the files that people and solvers read from a piece of evidence.
func unfolded(hash string, blob []byte) (map[string][]byte, error) {
	var ev dera.Evidence
	if err := json.Unmarshal(blob, &ev); err != nil {
		return nil, fmt.Errorf("read evidence %s: %w", hash, err)
	}
	files := map[string][]byte{}
	var b strings.Builder
	fmt.Fprintf(&b, "Evidence %s (%s) for a plan of the control %s\n\n", hash, ev.Kind, ev.Control)
	for _, c := range ev.Claims {
		fmt.Fprintf(&b, "%-8s %s\n", c.Verdict, c.Says)
		if c.Witness != "" {
			fmt.Fprintf(&b, "         %s\n", c.Witness)
		}
	}
	if ev.Denied != "" {
		fmt.Fprintf(&b, "\nPossible before and not after: %s\n", ev.Denied)
	}
	x, err := evidence.PoliciesOf(ev, services.EvidenceKinds()...)
	if err != nil {
		return nil, err
	}
	if err := unfoldPolicies(x, files, &b); err != nil {
		return nil, fmt.Errorf("evidence %s: %w", hash, err)
	}
	fmt.Fprintf(&b, "\nAll of this folder is made from %s.json, which the log names. \"dera audit verify\" computes every claim anew and\ncompares these files.\n", hash)
	files["README.txt"] = []byte(b.String())
	return files, nil
}

// unfoldPolicies adds the policies, the certificates and the questions for a solver.
func unfoldPolicies(x evidence.Policies, files map[string][]byte, b *strings.Builder) error {
	if diff := policyDiff(x); diff != "" {
		fmt.Fprintf(b, "\nThe policy before and after; values that can be secret have stand-ins, the same in both:\n\n%s", diff)
		files["policy-before.json"] = []byte(x.Before)
		if x.After != "" {
			files["policy-after.json"] = []byte(x.After)
		}
	}
	for _, c := range x.Certificates {
		cert, err := proof.Check([]byte(c.Text))
		if err != nil {
			return fmt.Errorf("certificate %s: %w", c.Name, err)
		}
		files[c.Name+".certificate.json"] = []byte(c.Text)
		fmt.Fprintf(b, "\n%s.certificate.json: %s.\n  Check it with: dera policy check-certificate %s.certificate.json\n", c.Name, c.Says, c.Name)
		if cert.Unwritten != "" {
			fmt.Fprintf(b, "  There is no question for a solver: %s\n", cert.Unwritten)
			continue
		}
		for _, claim := range cert.Claims {
			if script, ok := proof.Script(cert, claim.Claim); ok {
				files[c.Name+".smt2"] = []byte(script)
				fmt.Fprintf(b, "  Or ask a solver; unsat means that it holds: cvc5 --lang=smt2 --strings-exp %s.smt2\n", c.Name)
			}
		}
	}
	return nil
}

// policyDiff is the change of the policy for people; none is empty.
func policyDiff(x evidence.Policies) string {
	if x.Before == x.After {
		return ""
	}
	line := func(s string) string {
		if s == "" || strings.HasSuffix(s, "\n") {
			return s
		}
		return s + "\n"
	}
	return udiff.Unified("before", "after", line(x.Before), line(x.After))
}

// checkEvidence wants every piece of evidence that a record names, as it was,
// computes each proof again, and compares the files made from it. It returns what
// is wrong, or "".
func checkEvidence(dir string, named map[string]int64) string {
	for _, hash := range slices.Sorted(maps.Keys(named)) {
		blob, err := os.ReadFile(filepath.Join(dir, hash+".json"))
		if err != nil {
			return fmt.Sprintf("evidence %s of record %d is not there: %v", hash, named[hash], err)
		}
		if got := sha256Hex(blob); got != hash {
			return fmt.Sprintf("evidence %s of record %d has the hash %s: it was changed", hash, named[hash], got)
		}
		if err := evidence.Check(blob, services.EvidenceKinds()...); err != nil {
			return fmt.Sprintf("evidence %s of record %d: %v", hash, named[hash], err)
		}
		if why := checkUnfolded(filepath.Join(dir, hash), hash, blob); why != "" {
			return fmt.Sprintf("evidence %s of record %d: %s", hash, named[hash], why)
		}
	}
	return ""
}

// checkUnfolded compares the files of a piece of evidence with those that it
// makes. An export without them is as good.
func checkUnfolded(dir, hash string, blob []byte) string {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		return err.Error()
	}
	want, err := unfolded(hash, blob)
	if err != nil {
		return err.Error()
	}
	for _, e := range list {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil || !bytes.Equal(text, want[e.Name()]) {
			return "the file " + e.Name() + " is not what the evidence makes"
		}
		delete(want, e.Name())
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		return "the file " + name + " is not there"
	}
	return ""
}

// printEvidence shows the claims and, of a changed policy, what changed.
func (a *app) printEvidence(p paint, blob json.RawMessage, width int) error {
	if len(blob) == 0 {
		return nil
	}
	var ev dera.Evidence
	if err := json.Unmarshal(blob, &ev); err != nil {
		return fmt.Errorf("read evidence: %w", err)
	}
	a.printf("\n%s %s\n", p.bold("evidence"), ev.Kind)
	for _, c := range ev.Claims {
		text := p.colour(map[dera.Verdict]string{dera.Proved: "2"}[c.Verdict], string(c.Verdict)) + " " + c.Says
		if c.Witness != "" {
			text += ": " + c.Witness
		}
		a.printf("%s\n", wrap(text, "  ", width))
	}
	if ev.Denied != "" {
		a.printf("  let in before, not after: %s\n", ev.Denied)
	}
	x, err := evidence.PoliciesOf(ev, services.EvidenceKinds()...)
	if err != nil {
		return err
	}
	if len(x.Certificates) > 0 {
		a.printf("%s\n", wrap("the claims about the policy carry certificates, which an independent checker has accepted; dera audit export DIR writes them with the questions for a solver (SMT-LIB)", "  ", width))
	}
	for line := range strings.Lines(policyDiff(x)) {
		a.printf("  %s\n", p.diff(strings.TrimRight(line, "\n")))
	}
	return nil
}

// printOverwritten shows what another writer wrote meanwhile, against the policy
// from which both of them came; what dera made of it is in the evidence.
func (a *app) printOverwritten(p paint, r dera.Remediation) {
	if r.OverwroteDocument == "" || len(r.Plan.Changes) == 0 {
		return
	}
	var before string
	if json.Unmarshal(r.Plan.Changes[0].Before, &before) != nil {
		return
	}
	var hide document.Redactor
	a.printf("\n%s\n", p.bold("what the other one wrote, from the same policy"))
	diff := udiff.Unified("before", "theirs", hide.Text(before)+"\n", hide.Text(r.OverwroteDocument)+"\n")
	for line := range strings.Lines(diff) {
		a.printf("  %s\n", p.diff(strings.TrimRight(line, "\n")))
	}
}
