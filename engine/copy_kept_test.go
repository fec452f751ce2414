package engine_test

import (
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
	"dera.example/dera/services/iam"
)

// TestUpdateOfACopyIsNotTakenAway: what a person has just let into a copy, the control on
// unused permissions does not take out of it automatically, whatever the record tells yet.
func TestUpdateOfACopyIsNotTakenAway(t *testing.T) {
	t.Parallel()
	w := newCopying(t)
	w.gate = func(g *evaluate.Gate) {
		g.Plan = g.Plan[:3]
		g.Finding = append(g.Finding, evaluate.NewGrant{Now: w.clock.Now})
	}
	w.changed()
	w.fixed()
	w.clock.Advance(time.Hour)
	w.cloud.AddAWSPolicy("service-role/AthenaSome", bucketPolicy(permits("Only", usedAction, unusedAction, "athena:GetWorkGroup")))
	w.updates = true
	w.reborn()
	w.changed()
	w.quiet()
	w.approve(w.update())
	w.quiet()
	wantState(t, w.update(), dera.Resolved)
	w.updates = false
	w.reborn()
	w.changed()
	w.quiet()
	r, _ := w.cloud.Snapshot().Identity(string(iam.RoleKind.ARN("aws", account, "/", copied)))
	if text := r.Inline[iam.CopyName(w.arn, "v2")]; !strings.Contains(text, "athena:GetWorkGroup") {
		t.Errorf("got %q, want what AWS added to stay until a person decides; remediations %v", text, states(w.remediations(copied)))
	}
}
