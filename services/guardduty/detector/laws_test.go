package detector_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/guardduty/detector"
)

// TestLaws holds every control on detectors against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: detector.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, detector.Controls())
}
