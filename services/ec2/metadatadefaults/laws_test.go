package metadatadefaults_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/ec2/metadatadefaults"
)

// TestLaws holds the controls of the type against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: metadatadefaults.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, metadatadefaults.Controls())
}
