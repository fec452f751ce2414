package engine_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
)

// The history of a finding goes on when its range changes.
func TestFindingSurvivesAChangeOfItsRange(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.group("db", tcp(28017, 28017, "0.0.0.0/0"))
	w.sweep()
	first := w.findings(id)["ec2-securitygroup-other-ports-open tcp/28017"]
	w.clock.Advance(time.Hour)
	w.authorize(id, tcp(28018, 28020, "0.0.0.0/0"))
	w.sweep()
	wider, ok := w.findings(id)["ec2-securitygroup-other-ports-open tcp/28017-28020"]
	if !ok || wider.ID != first.ID || !wider.FirstSeen.Equal(first.FirstSeen) || wider.State != dera.FindingOpen {
		t.Fatalf("wider: got %+v, want %s, first seen %s", wider, first.ID, first.FirstSeen)
	}
	if n := len(w.findings(id)); n != 1 {
		t.Errorf("got %d findings, want one", n)
	}
	w.revoke(id, tcp(28017, 28017, "0.0.0.0/0"))
	w.sweep()
	if f := w.findings(id)["ec2-securitygroup-other-ports-open tcp/28018-28020"]; f.ID != first.ID {
		t.Errorf("narrower: got %s, want %s", f.ID, first.ID)
	}
}

// What was exempt stays exempt when it gets narrower, and is a finding when it
// gets wider.
func TestExemptionEndsWhereItWasGiven(t *testing.T) {
	t.Parallel()
	list := filepath.Join(t.TempDir(), "exemptions.yaml")
	text := `version: 1
exemptions:
  - id: mongo
    match: {controls: [ec2-securitygroup-other-ports-open], keys: ["tcp/28017"], sources: ["203.0.113.0/24"]}
    owner: data@example.com
    reason: the partner reads it (DATA-1)
    expires: 2027-01-31
`
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorldWith(t, func(w *world) {
		w.gate = func(g *evaluate.Gate) {
			exempted, err := evaluate.NewExempted(list, evaluate.ExemptionConfig{}, w.clock.Now)
			if err != nil {
				t.Fatal(err)
			}
			g.Finding = append([]evaluate.Guardrail{exempted}, g.Finding...)
		}
	})
	id := w.group("db", tcp(28017, 28017, "203.0.113.0/25"))
	want := func(when, key string, d dera.Disposition) {
		t.Helper()
		w.sweep()
		f, ok := w.findings(id)["ec2-securitygroup-other-ports-open "+key]
		if !ok || f.Disposition != d {
			t.Errorf("%s: got %s (%v), want %s: %+v", when, f.Disposition, ok, d, f.Reasons)
		}
	}
	want("narrower", "tcp/28017/bounded", dera.Exempt)
	w.authorize(id, tcp(28018, 28018, "203.0.113.0/25"))
	want("a port more", "tcp/28017-28018/bounded", dera.Review)
	w.revoke(id, tcp(28018, 28018, "203.0.113.0/25"))
	want("as it was", "tcp/28017/bounded", dera.Exempt)
	w.authorize(id, tcp(28017, 28017, "198.51.100.0/24"))
	want("a source more", "tcp/28017/bounded", dera.Review)
}

// A need that someone declared of a range keeps each port of it open.
func TestDeclaredNeedOfARangeIsNotCut(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) {
		w.gate = func(g *evaluate.Gate) {
			g.Plan = append(g.Plan, evaluate.InUse{Now: w.clock.Now, Declared: []evaluate.Dependency{{Resource: "*", Keys: "tcp/20-25", Owner: "ann", Reason: "the build farm"}}})
		}
	})
	id := w.group("build", tcp(22, 22, "0.0.0.0/0"))
	w.sweep()
	if f := w.findings(id)[sshKey]; f.Disposition != dera.Review {
		t.Errorf("got %s, want review: %+v", f.Disposition, f.Reasons)
	}
	if n := len(w.ours("")); n != 0 {
		t.Errorf("writes: got %d, want none", n)
	}
}
