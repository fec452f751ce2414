package vpc_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/ec2/vpc"
)

// TestLaws holds every control on VPCs against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: vpc.Type()}.RunAll(t, vpc.Controls())
}
