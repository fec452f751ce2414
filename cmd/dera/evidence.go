package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services"
)

// printEvidence shows the claims and, of a changed policy, what changed.
func (a *cli) printEvidence(p paint, blob json.RawMessage, width int) error {
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
	for _, line := range ev.Compared {
		a.printf("  for comparison, %s\n", line)
	}
	if ev.Denied != "" {
		a.printf("  allowed before, not after: %s\n", ev.Denied)
	}
	x, err := evidence.PoliciesOf(ev, services.EvidenceKinds()...)
	if err != nil {
		return err
	}
	if len(x.Certificates) > 0 {
		a.printf("%s\n", wrap("the claims about the policy carry certificates, which an independent checker has accepted; dera audit export DIR writes them with the questions for a solver (SMT-LIB)", "  ", width))
	}
	for line := range strings.Lines(app.PolicyDiff(x)) {
		a.printf("  %s\n", p.diff(strings.TrimRight(line, "\n")))
	}
	return nil
}

// printOverwritten shows what another writer wrote meanwhile, against the policy
// from which both of them came; what dera made of it is in the evidence.
func (a *cli) printOverwritten(p paint, r dera.Remediation) {
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
