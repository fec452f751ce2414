package engine_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
)

func TestLoop(t *testing.T) {
	t.Parallel()
	t.Run("world_open_ssh_is_revoked_and_neighbours_stay", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		id := w.group("web", tcp(22, 22, "0.0.0.0/0"), tcp(22, 22, "10.0.0.0/24"), tcp(443, 443, "0.0.0.0/0"))
		w.sweep()
		got := w.ingress(id)
		slices.Sort(got)
		if diff := cmp.Diff([]string{"tcp 22-22 10.0.0.0/24", "tcp 443-443 0.0.0.0/0"}, got); diff != "" {
			t.Errorf("rules (-want +got):\n%s", diff)
		}
		f := w.findings(id)["ec2-securitygroup-admin-ports-open tcp/22"]
		if f.State != dera.FindingResolved || f.Disposition != dera.Auto {
			t.Errorf("finding: got %s %s, want resolved auto; reasons %v", f.State, f.Disposition, f.Reasons)
		}
		rems := w.remediations(id)
		if len(rems) != 1 || rems[0].State != dera.Resolved {
			t.Fatalf("remediations: got %+v, want one resolved", rems)
		}
	})
	t.Run("a_wide_rule_is_split_not_deleted", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		r := tcp(0, 65535, "0.0.0.0/0")
		r.Description, r.Tags = "lab", map[string]string{"team": "x"}
		id := w.group("lab", r)
		w.sweep()
		got := w.ingress(id)
		slices.Sort(got)
		want := []string{"tcp 0-21 0.0.0.0/0 lab", "tcp 23-3388 0.0.0.0/0 lab", "tcp 3390-65535 0.0.0.0/0 lab"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rules (-want +got):\n%s", diff)
		}
		for key, f := range w.findings(id) {
			t.Logf("%s: %s %s", key, f.State, f.Disposition)
		}
		rems := w.remediations(id)
		var states []dera.State
		for _, r := range rems {
			states = append(states, r.State)
		}
		if diff := cmp.Diff([]dera.State{dera.Resolved, dera.Waiting}, states); diff != "" {
			t.Errorf("remediations (-want +got):\n%s", diff)
		}
	})
}
