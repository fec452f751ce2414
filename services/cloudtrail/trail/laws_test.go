package trail_test

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/cloudtrail"
	"dera.example/dera/services/cloudtrail/trail"
)

// TestLaws holds every control on trails against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{
		Type: trail.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence(), cloudtrail.EventsEvidence()},
		Grants: func(p dera.Plan) bool { return p.Changes[0].Operation == trail.PutSelectors }, // more is recorded, and nothing denied
	}.RunAll(t, trail.Controls())
}
