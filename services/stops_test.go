package services_test

import (
	"testing"

	"dera.example/dera/services"
)

// TestWhatStopsPrincipals: a finding on a setting names no permissions, so that the
// guardrails of permissions hold only where the type says that a plan stops its principals.
func TestWhatStopsPrincipals(t *testing.T) {
	t.Parallel()
	stops := 0
	for _, kind := range services.Types().Types() {
		if kind.Principals != nil && len(kind.Settings) > 0 && !kind.Stops {
			t.Errorf("%s has principals and settings, and does not say that it stops them", kind.Name)
		}
		if kind.Stops {
			stops++
			if kind.Principals == nil {
				t.Errorf("%s stops principals that nobody knows", kind.Name)
			}
		}
	}
	if stops == 0 {
		t.Error("no type stops anybody")
	}
}
