package secret_test

import (
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/policies/policytest"
	"dera.example/dera/services/secretsmanager/secret"
)

// TestLaws holds every control on secrets of Secrets Manager against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	policytest.Laws(t, secret.Type(), func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) }, secret.Controls())
}
