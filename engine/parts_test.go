package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/netset"
	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/store"
)

const telnetKey = "ec2-securitygroup-other-ports-open tcp/21-25"

// wide is a group whose one rule fails two controls.
func (w *world) wide() string { return w.group("wide", tcp(21, 25, "0.0.0.0/0")) }

// of is the group's one remediation in a state.
func (w *world) in(id string, state dera.State) dera.Remediation {
	w.t.Helper()
	list := slices.DeleteFunc(w.remediations(id), func(r dera.Remediation) bool { return r.State != state })
	if len(list) != 1 {
		w.t.Fatalf("got %d remediations that are %s of %v, want one", len(list), state, states(w.remediations(id)))
	}
	return list[0]
}

// A rule that fails two controls has one plan; what is left of it is decided after
// that, and no plan authorizes what another one closes.
func TestWideRuleHasOnePlan(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.wide()
	w.sweep()
	first := w.in(id, dera.Waiting)
	if first.Control != "ec2-securitygroup-admin-ports-open" {
		t.Errorf("the first plan is of %s, want the most severe one", first.Control)
	}
	f := w.findings(id)[telnetKey]
	if f.WaitsFor != first.ID || f.Remediation != "" || f.Disposition != dera.Review || len(f.Reasons) == 0 {
		t.Errorf("the other finding: got %+v, want one that waits for %s, with its reasons", f, first.ID)
	}
	if !slices.Contains(first.Leaves, f.ID) {
		t.Errorf("the plan leaves %v, want %s among them", first.Leaves, f.ID)
	}
	first.Digest = first.Digest[:12] // as a script types it
	w.approve(first)
	w.quiet()
	second := w.in(id, dera.Waiting)
	for _, line := range second.Plan.Diff() {
		if strings.Contains(line, "tcp 22") {
			t.Errorf("the second plan has the line %q, want none about port 22", line)
		}
	}
	w.approve(second)
	w.quiet()
	if got := w.ingress(id); len(got) != 0 {
		t.Errorf("rules at the end: got %q, want none", got)
	}
}

// Whatever becomes of the first plan decides what the second one may authorize.
func TestWhatFollowsTheFirstPlan(t *testing.T) {
	t.Parallel()
	t.Run("rejected", func(t *testing.T) {
		t.Parallel()
		w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
		id := w.wide()
		w.sweep()
		first := w.in(id, dera.Waiting)
		w.reject(first)
		w.quiet()
		second := w.in(id, dera.Waiting)
		if second.Control == first.Control || !slices.Contains(second.Plan.Diff(), "+ tcp 22 from 0.0.0.0/0") {
			t.Errorf("got %q of %s, want a split that keeps the port that a person decided to leave open", second.Plan.Diff(), second.Control)
		}
		if ssh := w.findings(id)[sshKey]; !slices.Contains(second.Leaves, ssh.ID) {
			t.Errorf("the second plan leaves %v, want %s named", second.Leaves, ssh.ID)
		}
		w.approve(second)
		w.quiet()
		if got, want := w.sorted(id), []string{"tcp 22-22 0.0.0.0/0"}; !slices.Equal(got, want) {
			t.Errorf("rules: got %q, want %q", got, want)
		}
	})
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
		id := w.wide()
		w.sweep()
		first := w.in(id, dera.Waiting)
		w.clock.Advance(73 * time.Hour)
		w.sweep()
		wantState(t, w.only(id), dera.Expired)
		if f := w.findings(id)[telnetKey]; f.WaitsFor != first.ID {
			t.Errorf("the other finding waits for %q, want %s: nobody decided about port 22", f.WaitsFor, first.ID)
		}
		ev := w.event(id)
		ev.Source = "remediate"
		if err := w.engine.LookNow(t.Context(), ev, true); err != nil {
			t.Fatal(err)
		}
		if again := w.in(id, dera.Waiting); again.Digest != first.Digest {
			t.Errorf("a person's command asks for %q, want the first plan again", again.Plan.Diff())
		}
	})
	t.Run("exempt", func(t *testing.T) {
		t.Parallel()
		w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly; exempting(w) })
		w.exempt(w.dir+"/exemptions.yaml", strings.Replace(allExempt, "match: {", `match: {keys: ["tcp/22"], `, 1))
		id := w.wide()
		w.sweep()
		if r := w.in(id, dera.Waiting); !slices.Contains(r.Plan.Diff(), "+ tcp 22 from 0.0.0.0/0") {
			t.Errorf("got %q, want a split that keeps what is exempt", r.Plan.Diff())
		}
	})
}

func (w *world) reject(r dera.Remediation) {
	w.t.Helper()
	if _, err := w.engine.Decide(w.t.Context(), r.ID, engine.Answer{Reason: "it stays", By: person()}); err != nil {
		w.t.Fatal(err)
	}
}

// What was exempt when a plan was approved and is not any more at the write is
// closed first: the approved plan would write it down again.
func TestApprovedPlanGivesWayToWhatIsWorse(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly; exempting(w) })
	w.exempt(w.dir+"/exemptions.yaml", strings.Replace(allExempt, "match: {", `match: {keys: ["tcp/22"], `, 1))
	id := w.wide()
	w.sweep()
	r := w.in(id, dera.Waiting)
	w.approve(r)
	w.exempt(w.dir+"/exemptions.yaml", "version: 1\nexemptions: []\n")
	w.quiet()
	list := w.remediations(id)
	wantState(t, list[0], dera.Superseded)
	if why := list[0].Steps[len(list[0].Steps)-1].Why; !strings.Contains(why, "decided first") {
		t.Errorf("why: got %q, want that another finding is decided first", why)
	}
	if n := len(w.ours("")); n != 0 {
		t.Errorf("writes: got %d, want none", n)
	}
	if first := w.in(id, dera.Waiting); first.Control != "ec2-securitygroup-admin-ports-open" {
		t.Errorf("what waits is of %s, want the worse one", first.Control)
	}
}

// A plan that waits gives way when something worse of the same part begins to count.
func TestWaitingPlanGivesWayToWhatIsWorse(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly; exempting(w) })
	w.exempt(w.dir+"/exemptions.yaml", strings.Replace(allExempt, "match: {", `match: {keys: ["tcp/22"], `, 1))
	id := w.wide()
	w.sweep()
	second := w.in(id, dera.Waiting)
	w.exempt(w.dir+"/exemptions.yaml", "version: 1\nexemptions: []\n")
	w.sweep()
	first := w.in(id, dera.Waiting)
	old := w.in(id, dera.Superseded)
	if old.ID != second.ID || !strings.Contains(old.Steps[len(old.Steps)-1].Why, first.ID) {
		t.Errorf("got %s superseded since %q, want %s, because of %s", old.ID, old.Steps[len(old.Steps)-1].Why, second.ID, first.ID)
	}
}

// An approval of the second of two plans that an older version left waiting is
// refused.
func TestApprovalOfThePlanThatIsNotFirst(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.wide()
	w.sweep()
	first := w.in(id, dera.Waiting)
	second := first
	second.ID, second.Control, second.Severity, second.Revision = "r-older", "ec2-securitygroup-other-ports-open", dera.Medium, 0
	if err := w.store.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{second}}); err != nil {
		t.Fatal(err)
	}
	_, err := w.engine.Decide(t.Context(), second.ID, engine.Answer{Approve: true, Digest: second.Digest, By: person()})
	var no *engine.RefusedError
	if !errors.As(err, &no) || !strings.Contains(no.Why, first.ID) {
		t.Errorf("got %v, want a refusal that names %s", err, first.ID)
	}
}

// TestNoPlanOpensWhatAnotherCloses: whatever the groups, in every mode, and as one
// plan after the other is carried out.
func TestNoPlanOpensWhatAnotherCloses(t *testing.T) {
	t.Parallel()
	for _, mode := range []dera.Mode{dera.Observe, dera.ReviewOnly, dera.Enforce} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) { w.mode = mode })
			draw := rand.New(rand.NewPCG(7, uint64(mode)))
			for i := range 40 {
				name := fmt.Sprintf("web-%d", i)
				if draw.IntN(6) == 0 {
					name = fmt.Sprintf("bastion-%d", i)
				}
				w.group(name, drawRules(draw)...)
			}
			if err := w.engine.LookNow(t.Context(), w.event(), true); err != nil {
				t.Fatal(err)
			}
			pairs := w.holdApart()
			for range 6 {
				w.quiet()
				pairs += w.holdApart()
				waiting, err := w.store.RemediationsIn(t.Context(), dera.Waiting)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range waiting {
					switch draw.IntN(4) {
					case 0:
						w.reject(r)
					default:
						_, err := w.engine.Decide(t.Context(), r.ID, engine.Answer{Approve: true, Digest: r.Digest, By: person()})
						if no := (&engine.RefusedError{}); err != nil && !errors.As(err, &no) {
							t.Fatal(err)
						}
					}
				}
			}
			if pairs == 0 {
				t.Error("no group has two plans: the test would find nothing")
			}
		})
	}
}

// drawRules are rules that overlap in ports and sources.
func drawRules(draw *rand.Rand) []awssim.Rule {
	var out []awssim.Rule
	for range 1 + draw.IntN(4) {
		ports := []int{0, 21, 22, 23, 80, 443, 3388, 3389, 3390, 65535}
		a, b := ports[draw.IntN(len(ports))], ports[draw.IntN(len(ports))]
		if draw.IntN(3) == 0 {
			b = a
		}
		r := tcp(min(a, b), max(a, b), []string{"0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "203.0.113.0/24"}[draw.IntN(5)])
		if !slices.ContainsFunc(out, func(o awssim.Rule) bool { return o.FromPort == r.FromPort && o.ToPort == r.ToPort && o.CIDR == r.CIDR }) {
			out = append(out, r)
		}
	}
	return out
}

// holdApart holds the law for every two live plans of a group, and returns how many
// pairs there are.
func (w *world) holdApart() (pairs int) {
	w.t.Helper()
	all, err := w.store.Remediations(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	byGroup := map[dera.ARN][]dera.Remediation{}
	for _, r := range all {
		switch r.State {
		case dera.Waiting, dera.Ready, dera.Observed, dera.Planned, dera.Expired:
			byGroup[r.Plan.Resource] = append(byGroup[r.Plan.Resource], r)
		default:
		}
	}
	for arn, list := range byGroup {
		page, err := w.client().Read(w.t.Context(), w.event(arn.Name()).Scope, true)
		if err != nil || len(page.Resources) != 1 {
			w.t.Fatalf("read %s: %v", arn, err)
		}
		g := page.Resources[0].Config.(*securitygroup.Group)
		for _, a := range list {
			for _, b := range list {
				if a.ID == b.ID {
					continue
				}
				pairs++
				if both := authorized(w.t, a.Plan).Intersect(closed(w.t, g, b.Plan)); !both.IsEmpty() {
					w.t.Errorf("%s: %s (%s) authorizes what %s (%s) closes: %s\n  %q\n  %q", arn.Name(), a.ID, a.State, b.ID, b.State, both, a.Plan.Diff(), b.Plan.Diff())
				}
			}
		}
	}
	return pairs
}

// authorized is what the rules that a plan adds let through.
func authorized(t testing.TB, p dera.Plan) netset.Set {
	t.Helper()
	var rules []securitygroup.Rule
	for _, c := range p.Changes {
		if c.Operation != securitygroup.AuthorizeIngress {
			continue
		}
		var in securitygroup.AuthorizeIngressInput
		if err := json.Unmarshal(c.Input, &in); err != nil {
			t.Fatal(err)
		}
		rules = append(rules, in.Rule)
	}
	return allowedBy(t, rules)
}

// closed is what a plan takes away from the group.
func closed(t testing.TB, g *securitygroup.Group, p dera.Plan) netset.Set {
	t.Helper()
	after, err := securitygroup.Type().ApplyPlan(g, p)
	if err != nil {
		t.Fatalf("%s: %v", p.Resource.Name(), err)
	}
	return allowedBy(t, g.Ingress).Subtract(allowedBy(t, after.(*securitygroup.Group).Ingress))
}

func allowedBy(t testing.TB, rules []securitygroup.Rule) netset.Set {
	t.Helper()
	s, err := securitygroup.Reach(rules)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
