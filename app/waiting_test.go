package app_test

import (
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
)

// TestWaitingForTime: what is past its time is asked again, not approved, whether or not
// a look has said so.
func TestWaitingForTime(t *testing.T) {
	t.Parallel()
	f := found("f-1", "111122223333", dera.High, dera.Review)
	f.Remediation = "r-1"
	s := shelf{findings: []dera.Finding{f}, remediations: []dera.Remediation{made("r-1", dera.Waiting, f)}}
	for after, want := range map[time.Duration]string{0: "dera approve r-1 --digest abababababab", 2 * time.Hour: "dera remediate f-1"} {
		list, err := app.WaitingFor(t.Context(), s, "", noon().Add(after))
		if err != nil || len(list) != 1 || list[0].Command != want || (list[0].State == dera.Expired) != (after > 0) {
			t.Errorf("after %v: got %+v, %v, want %q", after, list, err, want)
		}
		way := app.Explain(f, &s.remediations[0], noon().Add(after)).Can[0]
		if way.Command != want {
			t.Errorf("after %v: explained with %q, want %q", after, way.Command, want)
		}
	}
}

// TestBegun: what a person approved and nobody began is half-done; what is automatic
// begins without anybody.
func TestBegun(t *testing.T) {
	t.Parallel()
	f := found("f-1", "111122223333", dera.High, dera.Review)
	approved := made("r-2", dera.Ready, f)
	approved.Approval = &dera.Approval{Approved: true}
	s := shelf{remediations: []dera.Remediation{made("r-1", dera.Ready, f), approved, made("r-3", dera.Applying, f)}}
	list, err := app.Begun(t.Context(), s, func(string) bool { return true })
	if err != nil || len(list) != 2 || list[0].ID != "r-2" || list[1].ID != "r-3" {
		t.Errorf("got %d, %v, want r-2 and r-3", len(list), err)
	}
}
