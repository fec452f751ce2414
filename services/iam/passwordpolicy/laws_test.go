package passwordpolicy_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam/passwordpolicy"
)

// TestLaws holds every control on password policies against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: passwordpolicy.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, passwordpolicy.Controls())
}
