package loginprofile_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/iam/loginprofile"
)

// TestLaws holds every control on passwords against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: loginprofile.Type()}.RunAll(t, loginprofile.Controls())
}
