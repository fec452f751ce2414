package session_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/macie2/session"
)

// TestLaws holds every control on sessions against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: session.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, session.Controls())
}
