package main

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
)

// TestCountsText: an unknown finding was decided on what is not known any more, so
// that it counts for no decision.
func TestCountsText(t *testing.T) {
	t.Parallel()
	list := []app.FindingView{
		{Finding: dera.Finding{Severity: dera.High, Disposition: dera.Review, State: dera.FindingOpen}},
		{Finding: dera.Finding{Severity: dera.High, Disposition: dera.Review, State: dera.FindingUnknown}},
		{Finding: dera.Finding{Severity: dera.Low, Disposition: dera.Auto, State: dera.FindingResolved}},
	}
	want := "2 findings: 0 critical, 2 high, 0 medium, 0 low; 0 auto, 1 review, 0 alert, 0 exempt, 1 unknown; 1 resolved"
	if got := countsText(list); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
