package services_test

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/services"
)

// TestIncidentControls: a control whose findings an incident explains reports and changes
// nothing, and is the only one of its type: incidents are found by the resource.
func TestIncidentControls(t *testing.T) {
	t.Parallel()
	of := map[string]string{}
	for _, c := range services.Controls() {
		if !c.Incident {
			continue
		}
		if other := of[c.Type]; other != "" {
			t.Errorf("%s and %s are both of %s", c.ID, other, c.Type)
		}
		of[c.Type] = c.ID
		for _, k := range c.Cases {
			if k.Disposition != dera.Alert || len(c.Writes) > 0 {
				t.Errorf("%s: got %s and the writes %v, want alert and none", c.ID, k.Disposition, c.Writes)
			}
		}
	}
	if len(of) != 5 {
		t.Errorf("got %v, want those of roles, users, root users, sign-ins and changes of functions", of)
	}
}
