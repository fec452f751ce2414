package key_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/kms/key"
)

// TestLaws holds every control on keys against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: key.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, key.Controls())
}
