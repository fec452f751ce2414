package detect

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
)

// TestWholeFailureIsOneFinding: what could not be read beside a setting that fails is in
// the words of its finding, which goes to a person, and is no second finding. What
// passes but for something unread stays unknown.
func TestWholeFailureIsOneFinding(t *testing.T) {
	t.Parallel()
	const unread = "its default key could not be read: denied"
	whole := failing("enabled")
	whole.Whole = true
	for _, tt := range []struct {
		name   string
		result control.Result
		keys   string
		why    string
	}{
		{"setting_fails", whole, "enabled", "Also not known: " + unread},
		{"others_may_fail_too", failing("tcp/22"), "tcp/22 unknown", unread},
		{"passes_but_for_what_is_unread", control.Result{Outcome: control.Pass, Whole: true}, "unknown", unread},
		{"unknown_already", control.Result{Outcome: control.UnknownResult, Why: "not on or off", Whole: true}, "unknown", unread},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := resourceOf("a", group{result: tt.result}, morning)
			r.Unread = unread
			d := Detector{Controls: []control.Control{judging("c")}}
			var keys, whys []string
			for _, f := range d.Assess(r).Findings(nil, morning) {
				keys, whys = append(keys, f.Key), append(whys, f.Why)
				if tt.name == "setting_fails" && f.Start < dera.Review {
					t.Errorf("%s starts at %s", f.Key, f.Start)
				}
			}
			if got := strings.Join(keys, " "); got != tt.keys || !strings.Contains(strings.Join(whys, " "), tt.why) {
				t.Errorf("got findings %q because %q, want %q because %q", got, whys, tt.keys, tt.why)
			}
		})
	}
}
