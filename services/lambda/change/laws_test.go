package change_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/lambda/change"
)

// TestLaws holds the controls on changes of functions against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: change.Type()}.RunAll(t, change.Controls())
}
