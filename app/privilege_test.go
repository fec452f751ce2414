package app_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
)

// TestPrivilegesWithoutTheRecord: a candidate for least privilege whose record of use was
// lost stays on the list, and says that it is not judged; what is resolved is on none.
func TestPrivilegesWithoutTheRecord(t *testing.T) {
	t.Parallel()
	used := &dera.GrantedUse{Principals: []string{"arn:aws:iam::111122223333:role/app"}, Granted: 5, Used: 2, Unused: 3}
	list := app.Privileges([]dera.Finding{
		{ID: "f-1", State: dera.FindingUnknown, Key: "unused", Granted: used, Disposition: dera.Review, Reasons: []dera.Reason{{Guardrail: "control", Disposition: dera.Review}}},
		{ID: "f-2", State: dera.FindingResolved, Key: "unused", Granted: used},
		{ID: "f-3", State: dera.FindingUnknown, Key: "unknown"},
	})
	if len(list) != 1 || list[0].Finding != "f-1" || list[0].Would != "unknown" || !strings.Contains(list[0].Proof, "no record") || len(list[0].Against) != 0 {
		t.Errorf("got %+v, want f-1 alone, not judged", list)
	}
}
