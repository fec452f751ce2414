package key_test

import (
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/kms/key"
	"dera.example/dera/services/policies/policytest"
)

// TestLaws holds every control on keys against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	policytest.Laws(t, key.Type(), func(c any) *resourcepolicy.Config { return &c.(*key.Key).Config }, key.Controls(), evidence.SettingsEvidence())
}
