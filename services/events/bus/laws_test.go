package bus_test

import (
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/events/bus"
	"dera.example/dera/services/policies/policytest"
)

// TestLaws holds every control on event buses of EventBridge against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	policytest.Laws(t, bus.Type(), func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) }, bus.Controls())
}
