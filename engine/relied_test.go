package engine_test

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/services/iam"
)

// TestWhatAPlanReliesOn: somebody takes away what a plan relies on, or has just put in
// place, right before its last write takes the rest. That is not sent, so that nobody
// loses what they had, and the next plan goes by what is there.
func TestWhatAPlanReliesOn(t *testing.T) {
	t.Parallel()
	private := tcp(22, 22, "10.0.0.0/8")
	world := tcp(22, 22, "0.0.0.0/0")
	for name, tc := range map[string]struct {
		taken awssim.Rule // once all rules of the plan are added
		want  string
	}{
		"a_rule_of_somebody": {private, "tcp 22-22 10.0.0.0/8"},
		"a_rule_of_the_plan": {tcp(22, 22, "172.16.0.0/12"), "tcp 22-22 172.16.0.0/12"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.config = func(c *engine.Config) { c.Settings = control.Settings{} } // private access stays
			w.reborn()
			id := w.group("web", private, world)
			w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.HookAfter, Times: 1, After: 2, Func: func() { w.revoke(id, tc.taken) }})
			w.ingest(w.event(id))
			w.drain()
			if first := w.remediations(id)[0]; first.State == dera.Resolved || first.State == dera.Collateral {
				t.Errorf("the first fix: got %s, want that it is taken back", first.State)
			}
			w.quiet()
			if got := w.sorted(id); !slices.ContainsFunc(got, func(r string) bool { return strings.HasPrefix(r, tc.want) }) || slices.Contains(got, "tcp 22-22 0.0.0.0/0") {
				t.Errorf("rules in the end: got %q, want %s and nothing public", got, tc.want)
			}
		})
	}
	t.Run("the_copy_of_a_policy", func(t *testing.T) {
		t.Parallel()
		w := newCopying(t)
		w.cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "iam", Operation: "PutRolePolicy"}, Kind: awssim.HookAfter, Times: 1, Func: func() {
			w.must("DeleteRolePolicy", map[string]string{"RoleName": copied, "PolicyName": iam.CopyName(w.arn, "v1")})
		}})
		w.changed()
		w.quiet()
		w.fixed()
	})
}
