package filesystem_test

import (
	"testing"

	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/efs/filesystem"
	"dera.example/dera/services/policies/policytest"
)

// TestLaws holds every control on EFS file systems against the control laws.
func TestLaws(t *testing.T) {
	t.Parallel()
	policytest.Laws(t, filesystem.Type(), func(c any) *resourcepolicy.Config { return c.(*resourcepolicy.Config) }, filesystem.Controls())
}
