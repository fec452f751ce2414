package vault_test

import (
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/glacier/vault"
	"dera.example/dera/services/policies/policytest"
)

// TestLaws holds every control on vaults of S3 Glacier against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	policytest.Laws(t, vault.Type(), func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) }, vault.Controls())
}
