package ebs_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/ec2/ebs"
)

// TestLaws holds every control on encryption by default against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: ebs.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, ebs.Controls())
}
