package hub_test

import (
	"testing"

	"dera.example/dera/control/controltest"
	"dera.example/dera/services/securityhub/hub"
)

// TestLaws holds every control on hubs against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	controltest.Laws{Type: hub.Type()}.RunAll(t, hub.Controls())
}
