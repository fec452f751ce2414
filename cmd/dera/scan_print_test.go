package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
)

// TestScanPrintsTheFirstPlans: every finding, then the counts, then twenty plans,
// then how many more there are.
func TestScanPrintsTheFirstPlans(t *testing.T) {
	t.Parallel()
	var r app.ScanReport
	for i := range 1000 {
		for key := range 2 { // two findings of one plan
			r.Findings = append(r.Findings, app.FindingView{
				Finding: dera.Finding{ID: fmt.Sprintf("f-%d-%d", i, key), Severity: dera.High, Disposition: dera.Auto, State: dera.FindingOpen},
				Plan:    &app.PlanView{Remediation: fmt.Sprintf("r-%d", i), State: dera.Observed, Diff: []string{"- a"}},
			})
		}
	}
	r.Unreadable = []app.Unreadable{{Account: "111122223333", Region: "us-east-1", Error: "denied\x1b[2J"}}
	var out bytes.Buffer
	a := &cli{out: &out}
	a.printScan(r)
	text := out.String()
	if got := strings.Count(text, "f-"); got != 2000 {
		t.Errorf("got %d findings, want 2000", got)
	}
	if got := strings.Count(text, "  - a\n"); got != 20 {
		t.Errorf("got %d plans, want 20", got)
	}
	if !strings.HasSuffix(text, "\nand 980 more: dera findings\n") {
		t.Errorf("got the end %q", text[len(text)-60:])
	}
	last := 0
	for _, what := range []string{"f-999-1", "not read: 111122223333 us-east-1: denied\ufffd[2J\n", "summary: ", "r-0  observed", "r-19  observed", "and 980 more"} {
		at := strings.Index(text, what)
		if at < last {
			t.Errorf("%q stands at %d, want it after %d", what, at, last)
		}
		last = at
	}
}
