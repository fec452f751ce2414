package subnet_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/ec2/subnet"
)

// TestLaws holds every control on subnets against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: subnet.Type(), Evidence: []evidence.Kind{evidence.SettingsEvidence()}}.RunAll(t, subnet.Controls())
}
