package networkacl_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/ec2/networkacl"
)

// TestLaws holds every control on network ACLs against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: networkacl.Type(), Evidence: []evidence.Kind{evidence.NetworkEvidence()}}.RunAll(t, networkacl.Controls())
}
