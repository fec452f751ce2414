package services_test

import (
	"testing"

	"dera.example/dera/services"
)

// TestWhatStopsPrincipals: a finding on a setting names no permissions, so that the
// guardrails of permissions hold only where the control says that a plan stops the
// principals of its type.
func TestWhatStopsPrincipals(t *testing.T) {
	t.Parallel()
	stops := 0
	for _, c := range services.Controls() {
		kind, err := services.Types().Lookup(c.Type)
		if err != nil {
			t.Fatal(err)
		}
		if kind.Principals != nil && len(kind.Settings) > 0 && len(c.Writes) > 0 && !c.Stops {
			t.Errorf("%s writes a setting of what has principals, and does not say that it stops them", c.ID)
		}
		if c.Stops {
			stops++
			if kind.Principals == nil {
				t.Errorf("%s stops principals that nobody knows", c.ID)
			}
		}
	}
	if stops < 2 {
		t.Errorf("got %d controls that stop somebody, want that of access keys and that of roles", stops)
	}
}
