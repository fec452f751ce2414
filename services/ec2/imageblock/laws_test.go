package imageblock_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/ec2/imageblock"
)

// TestLaws holds the controls of the type against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: imageblock.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, imageblock.Controls())
}
