package root_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/iam/root"
)

// TestLaws holds every control on root users against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: root.Type()}.RunAll(t, root.Controls())
}
