package repository_test

import (
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/ecr/repository"
	"dera.example/dera/services/policies/policytest"
)

// TestLaws holds every control on private ECR repositories against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	policytest.Laws(t, repository.Type(), func(c any) *resourcepolicy.Config { return &c.(*repository.Repository).Config }, repository.Controls(), evidence.SettingsEvidence())
}
