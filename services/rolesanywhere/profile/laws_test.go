package profile_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/rolesanywhere/profile"
)

// TestLaws holds the controls of the type against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: profile.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, profile.Controls())
}
