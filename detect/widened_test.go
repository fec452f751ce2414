package detect

import (
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
)

// TestWidened: a finding notes when it was seen with a permission that the look before
// did not find; what goes does not count.
func TestWidened(t *testing.T) {
	t.Parallel()
	d := Detector{Controls: []control.Control{judging("c")}}
	earlier := morning.Add(-30 * time.Minute)
	for _, tt := range []struct {
		name   string
		state  dera.FindingState
		before []string
		want   time.Time
	}{
		{"the_same", dera.FindingOpen, []string{"s3:B", "s3:A"}, earlier},
		{"one_less", dera.FindingOpen, []string{"s3:A", "s3:B", "s3:C"}, earlier},
		{"one_more", dera.FindingOpen, []string{"s3:A"}, morning},
		{"comes_back", dera.FindingResolved, []string{"s3:A", "s3:B"}, morning},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			result := failing("x")
			result.Failures[0].Permissions = []string{"s3:A", "s3:B"}
			r := resourceOf("a", group{result: result}, morning)
			old := dera.Finding{ID: dera.FindingID(r.Key(), "c", "x"), Control: "c", Key: "x", State: tt.state, FirstSeen: morning.Add(-time.Hour), Permissions: tt.before, Widened: earlier}
			for _, f := range d.Assess(r).Findings([]dera.Finding{old}, morning) {
				if !f.Widened.Equal(tt.want) {
					t.Errorf("got %s, want %s", f.Widened, tt.want)
				}
			}
			for _, f := range d.Assess(r).Findings(nil, morning) {
				if !f.Widened.IsZero() {
					t.Errorf("at its first look: got %s, want none", f.Widened)
				}
			}
		})
	}
}
