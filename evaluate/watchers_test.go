package evaluate

import (
	"strings"
	"testing"

	"dera.example/dera"
)

// TestWatchers: what a declared principal switched off waits for a person, by whichever
// session, and so does what nobody is known to have done; that of anybody else is put back.
func TestWatchers(t *testing.T) {
	t.Parallel()
	list := []string{"arn:aws:iam::111122223333:role/security/audit"}
	for name, tc := range map[string]struct {
		principals []string
		actor      string
		watches    bool
		want       dera.Disposition
	}{
		"declared":        {list, "arn:aws:sts::111122223333:assumed-role/audit/ann", true, dera.Review},
		"of_no_watcher":   {list, "arn:aws:sts::111122223333:assumed-role/audit/ann", false, dera.Auto},
		"somebody_else":   {list, "arn:aws:sts::111122223333:assumed-role/dev/eve", true, dera.Auto},
		"another_account": {list, "arn:aws:sts::444455556666:assumed-role/audit/eve", true, dera.Auto},
		"nobody_known":    {list, "", true, dera.Review},
		"nothing_known":   {nil, "", true, dera.Auto},
		"nobody_declared": {nil, "arn:aws:sts::111122223333:assumed-role/audit/ann", true, dera.Auto},
	} {
		c := Case{Watches: tc.watches, Finding: dera.Finding{LastActor: tc.actor}}
		if got, err := (Watchers{tc.principals}).Check(t.Context(), c); err != nil || got.Disposition != tc.want || (tc.want == dera.Review) != strings.Contains(got.Why, "changed it last is not known") && !strings.Contains(got.Why, "may switch off") {
			t.Errorf("%s: got %+v, %v, want %v", name, got, err, tc.want)
		}
	}
	if err := (Watchers{[]string{"audit"}}).Validate(); err == nil || !strings.Contains(err.Error(), "watchers.principals[0]") {
		t.Errorf("a name that is no ARN: got %v", err)
	}
}
