package role_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam/role"
)

func laws() controltest.Laws {
	return controltest.Laws{Type: role.Type(), Evidence: []evidence.Kind{role.TrustEvidence()}, Mutants: holdTrustMutants}
}

// TestLaws holds every control on roles against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	laws().RunAll(t, role.Controls())
}
