package engine_test

import (
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
)

// TestOperatorsRevertIsNotFought: people take an attack back within minutes, at
// any moment of dera's own fix. What they leave is what stays: nothing is opened
// again, nothing of theirs is touched, and nothing is left for a person to do.
func TestOperatorsRevertIsNotFought(t *testing.T) {
	t.Parallel()
	attack := tcp(22, 22, "0.0.0.0/0")
	wide := tcp(0, 65535, "0.0.0.0/0")
	office := tcp(22, 22, "10.20.0.0/16")
	for name, tt := range map[string]struct {
		attack awssim.Rule
		before string // the call of dera before which the operator acts; "" for none
		early  bool   // the operator acts before dera looks
		late   bool   // the operator acts minutes after dera's fix
		most   int    // writes of dera
	}{
		"before_the_look":         {attack: attack, early: true},
		"between_look_and_write":  {attack: attack, before: "DescribeNetworkInterfaces", most: 1},
		"right_before_the_write":  {attack: attack, before: "RevokeSecurityGroupIngress", most: 1},
		"minutes_after_the_fix":   {attack: attack, late: true, most: 1},
		"before_a_split_begins":   {attack: wide, before: "AuthorizeSecurityGroupIngress", most: 8},
		"in_the_middle_of_a_fix":  {attack: wide, before: "RevokeSecurityGroupIngress", most: 8},
		"wide_rule_before_a_look": {attack: wide, early: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("web", tcp(443, 443, "10.0.0.0/8"))
			w.authorize(id, tt.attack)
			reverted := false
			operator := func() {
				if reverted {
					return
				}
				reverted = true
				if !tt.late { // dera was faster: the operator finds nothing to revoke
					w.revoke(id, tt.attack)
				}
				w.authorize(id, office)
			}
			if tt.before != "" {
				w.cloud.Inject(awssim.Fault{Match: byEngine(tt.before), Kind: awssim.Hook, Times: 1, Func: operator})
			}
			if tt.early {
				operator()
			}
			w.look(id)
			if tt.late {
				w.clock.Advance(4 * time.Minute)
				operator()
			}
			w.look(id) // the event of the operator's own call
			w.quiet()
			if !reverted {
				t.Fatal("the operator did not come to act: the case tests nothing")
			}
			want := []string{"tcp 22-22 10.20.0.0/16", "tcp 443-443 10.0.0.0/8"}
			if got := w.sorted(id); len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
				t.Errorf("rules: got %q, want what the operator left, %q", got, want)
			}
			if n := w.count(""); n > tt.most {
				t.Errorf("got %d writes of dera, want at most %d", n, tt.most)
			}
			if f, ok := w.findings(id)[sshKey]; ok && f.State != dera.FindingResolved {
				t.Errorf("finding: got %s, want it resolved", f.State)
			}
			for _, r := range w.remediations(id) {
				if !r.State.Final() || r.State == dera.UndoFailed {
					t.Errorf("remediation %s: got %s, want nothing left to do", r.ID, r.State)
				}
			}
		})
	}
}
