package recorder_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/config/recorder"
)

// TestLaws holds every control on recorders against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: recorder.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, recorder.Controls())
}
