package instance_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/ec2/instance"
)

// TestLaws holds every control on instances against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: instance.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence(), evidence.PartsEvidence()}}.RunAll(t, instance.Controls())
}
