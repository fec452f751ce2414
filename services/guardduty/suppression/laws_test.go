package suppression_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/guardduty/suppression"
)

// TestLaws holds every control on what keeps GuardDuty silent against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: suppression.Type()}.RunAll(t, suppression.Controls())
}
