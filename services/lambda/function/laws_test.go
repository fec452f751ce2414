package function_test

import (
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/lambda/function"
	"dera.example/dera/services/policies/policytest"
)

// TestLaws holds every control on functions against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	policytest.Laws(t, function.Type(), func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) }, function.Controls())
}
