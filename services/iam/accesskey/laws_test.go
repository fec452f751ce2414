package accesskey_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam/accesskey"
)

// TestLaws holds every control on access keys against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: accesskey.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, accesskey.Controls())
}
