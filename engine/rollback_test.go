package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
	"dera.example/dera/services"
	"dera.example/dera/services/ec2/securitygroup"
	"github.com/google/go-cmp/cmp"
)

func (w *world) rollback(id string) (dera.Remediation, error) {
	w.t.Helper()
	return w.engine.Rollback(w.t.Context(), id, remediate.Request{By: person(), Reason: "it broke the build"})
}

// canon is the group's configuration as dera compares it, read through the API.
func (w *world) canon(id string) string {
	w.t.Helper()
	res, ok, err := writer{w.client()}.Read(w.t.Context(), dera.Plan{
		Partition: "aws", Account: account, Region: region, Type: securitygroup.Name,
		Resource: dera.NewARN("aws", "ec2", region, account, "security-group/"+id),
	})
	if err != nil || !ok {
		w.t.Fatalf("read %s: %v", id, err)
	}
	kind, err := services.Types().Lookup(securitygroup.Name)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := kind.Canon(res.Config)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// ruleID is the ID of the group's first inbound rule.
func (w *world) ruleID(id string) string {
	w.t.Helper()
	g, _ := w.cloud.Snapshot().Group(id)
	for _, r := range g.Rules {
		if !r.Egress {
			return r.ID
		}
	}
	w.t.Fatal("the group has no rule")
	return ""
}

// Rollback brings back the same configuration, with descriptions and tags (I7).
func TestRollbackRestoresTheSameConfiguration(t *testing.T) {
	t.Parallel()
	described := tcp(22, 22, "0.0.0.0/0")
	described.Description = "ssh for the (old) build farm"
	six := awssim.Rule{Protocol: "tcp", FromPort: 20, ToPort: 25, CIDR: "::/0", Description: "six"}
	tests := []struct {
		name  string
		rules []awssim.Rule
	}{
		{name: "one_rule", rules: []awssim.Rule{described}},
		{name: "split_rule", rules: []awssim.Rule{wideRule(), tcp(443, 443, "0.0.0.0/0")}},
		{name: "both_families", rules: []awssim.Rule{described, six}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("web", tt.rules...)
			w.tag(w.ruleID(id), "team", "build")
			w.tag(id, "env", "lab")
			before := w.canon(id)
			out := w.watch()
			w.look(id)
			r := w.remediations(id)[0]
			wantState(t, r, dera.Resolved)
			if w.canon(id) == before {
				t.Fatal("nothing was fixed, so this shows nothing")
			}
			r, err := w.rollback(r.ID)
			if err != nil {
				t.Fatal(err)
			}
			wantState(t, r, dera.RolledBack)
			if diff := cmp.Diff(before, w.canon(id)); diff != "" {
				t.Errorf("configuration (-before +after rollback):\n%s", diff)
			}
			w.quiet()
			out.check()
		})
	}
}

func TestRollbackIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(w *world, id string, r dera.Remediation)
		why    string
		drift  string
		later  bool
	}{
		{name: "group_is_gone", why: "does not exist", change: func(w *world, id string, _ dera.Remediation) { w.remove(id) }},
		{name: "later_remediation_in_effect", why: "later remediations", later: true,
			change: func(w *world, id string, _ dera.Remediation) {
				w.clock.Advance(time.Minute)
				w.authorize(id, tcp(3389, 3389, "0.0.0.0/0"))
				w.look(id)
			}},
		{name: "twice", why: "rolled_back", change: func(w *world, _ string, r dera.Remediation) {
			if _, err := w.rollback(r.ID); err != nil {
				w.t.Error(err)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			w.look(id)
			r := w.only(id)
			tt.change(w, id, r)
			writes := len(w.ours(""))
			_, err := w.rollback(r.ID)
			var refused *remediate.RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Why, tt.why) {
				t.Fatalf("got %v, want a refusal with %q", err, tt.why)
			}
			if tt.drift != "" && !slices.Contains(refused.Drift, tt.drift) {
				t.Errorf("drift: got %q, want %q in it", refused.Drift, tt.drift)
			}
			if strings.Contains(err.Error(), "secret-marker") {
				t.Errorf("the refusal quotes a tag: %v", err)
			}
			if tt.later && !slices.Contains(refused.Later, w.last(id).ID) {
				t.Errorf("later: got %q, want %q in it", refused.Later, w.last(id).ID)
			}
			if n := len(w.ours("")); n != writes {
				t.Errorf("writes: got %d more, want none", n-writes)
			}
		})
	}
}

// A rollback takes back what dera changed and leaves what others changed since;
// it is refused only where they changed the same parts, and then offers the rest.
func TestRollbackOfPartsOfAGroup(t *testing.T) {
	t.Parallel()
	remainders := []string{"tcp 0-21 0.0.0.0/0 lab", "tcp 23-3388 0.0.0.0/0 lab", "tcp 3390-65535 0.0.0.0/0 lab"}
	lab := func(from, to int) awssim.Rule {
		r := tcp(from, to, "0.0.0.0/0")
		r.Description = "lab"
		return r
	}
	tests := []struct {
		name    string
		change  func(w *world, id string)
		refused string   // what the refusal names; "" where there is none
		partial []string // what a partial rollback would do
		rules   []string // in the end, after a partial rollback where it was refused
	}{
		{name: "nothing_changed", change: func(*world, string) {}, rules: []string{"tcp 0-65535 0.0.0.0/0 lab"}},
		{name: "another_rule_was_added", change: func(w *world, id string) { w.authorize(id, tcp(8443, 8443, "10.0.0.0/8")) },
			rules: []string{"tcp 0-65535 0.0.0.0/0 lab", "tcp 8443-8443 10.0.0.0/8"}},
		{name: "another_rule_was_removed", change: func(w *world, id string) { w.revoke(id, tcp(9000, 9000, "10.0.0.0/8")) },
			rules: []string{"tcp 0-65535 0.0.0.0/0 lab"}},
		{name: "a_tag_changed", change: func(w *world, id string) { w.tag(id, "env", "secret-marker") }, rules: []string{"tcp 0-65535 0.0.0.0/0 lab"}},
		{name: "the_wide_rule_is_back", change: func(w *world, id string) { w.authorize(id, wideRule()) }, rules: []string{"tcp 0-65535 0.0.0.0/0 lab"}},
		{name: "the_wide_rule_is_back_described_anew", change: func(w *world, id string) { w.authorize(id, described(wideRule(), "by hand")) },
			rules: []string{"tcp 0-65535 0.0.0.0/0 by hand"}},
		{name: "the_wide_rule_is_back_with_tags", change: func(w *world, id string) {
			w.authorize(id, wideRule())
			for _, r := range w.rulesOf(id) {
				if r.FromPort == 0 && r.ToPort == 65535 {
					w.tag(r.ID, "by", "hand")
				}
			}
			w.tag(id, "env", "secret-marker")
		}, rules: []string{"tcp 0-65535 0.0.0.0/0 lab"}},
		{name: "the_wide_rule_is_back_and_a_remainder_closed", change: func(w *world, id string) {
			w.authorize(id, described(wideRule(), "by hand"))
			w.revoke(id, lab(0, 21))
		}, refused: "change 1 (+ tcp 0-21 from 0.0.0.0/0): removed: in tcp 0 21 0.0.0.0/0", partial: []string{"- tcp 23-3388 from 0.0.0.0/0", "- tcp 3390-65535 from 0.0.0.0/0"},
			rules: []string{"tcp 0-65535 0.0.0.0/0 by hand"}},
		{name: "a_remainder_was_closed", change: func(w *world, id string) { w.revoke(id, lab(0, 21)) },
			refused: "change 1 (+ tcp 0-21 from 0.0.0.0/0): removed: in tcp 0 21 0.0.0.0/0",
			partial: []string{"- tcp 23-3388 from 0.0.0.0/0", "- tcp 3390-65535 from 0.0.0.0/0", "+ tcp 0-65535 from 0.0.0.0/0"},
			rules:   []string{"tcp 0-65535 0.0.0.0/0 lab"}},
		{name: "a_remainder_was_described_anew", change: func(w *world, id string) {
			w.revoke(id, lab(0, 21))
			r := lab(0, 21)
			r.Description = "ours now"
			w.authorize(id, r)
		}, refused: "change 1", partial: []string{"- tcp 23-3388 from 0.0.0.0/0", "- tcp 3390-65535 from 0.0.0.0/0", "+ tcp 0-65535 from 0.0.0.0/0"},
			rules: []string{"tcp 0-21 0.0.0.0/0 ours now", "tcp 0-65535 0.0.0.0/0 lab"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.group("lab", wideRule(), tcp(9000, 9000, "10.0.0.0/8"))
			if tt.name != "another_rule_was_removed" {
				tt.rules = append(tt.rules, "tcp 9000-9000 10.0.0.0/8")
			}
			w.look(id)
			r := w.remediations(id)[0]
			wantState(t, r, dera.Resolved)
			if got, want := w.sorted(id), append(slices.Clone(remainders), "tcp 9000-9000 10.0.0.0/8"); !slices.Equal(got, want) {
				t.Fatalf("after the fix: got %q, want %q", got, want)
			}
			tt.change(w, id)
			got, err := w.rollback(r.ID)
			if tt.refused != "" {
				var refused *remediate.RefusedError
				if !errors.As(err, &refused) || !strings.Contains(strings.Join(refused.Drift, "\n"), tt.refused) {
					t.Fatalf("got %v, want a refusal that names %q", err, tt.refused)
				}
				if strings.HasPrefix(tt.name, "a_remainder_was_closed") && !strings.Contains(strings.Join(refused.Drift, "\n"), "attention: to undo change 4 (- tcp 0-65535 from 0.0.0.0/0) opens again what they removed") {
					t.Errorf("drift: got %q, want what it opens again", refused.Drift)
				}
				if strings.Contains(tt.name, "is_back") && strings.Contains(strings.Join(refused.Drift, "\n"), "opens again") {
					t.Errorf("drift: got %q, although what it would open is back", refused.Drift)
				}
				if !slices.Equal(refused.Partial, tt.partial) || !strings.Contains(err.Error(), "--partial") {
					t.Errorf("offer: got %q (%v), want %q", refused.Partial, err, tt.partial)
				}
				got, err = w.engine.Rollback(t.Context(), r.ID, remediate.Request{By: person(), Reason: "test", Partial: true})
			}
			if err != nil {
				t.Fatal(err)
			}
			wantState(t, got, dera.RolledBack)
			if done := (engine.RolledBack{Remediation: got}).Done(); done == got.InPart() || got.InPart() != (len(tt.partial) > 0) {
				t.Errorf("done: got %v with %v left in place", done, got.LeftInPlace)
			}
			slices.Sort(tt.rules)
			if rules := w.sorted(id); !slices.Equal(rules, tt.rules) {
				t.Errorf("rules: got %q, want %q", rules, tt.rules)
			}
		})
	}
}

// When everything that dera changed was changed since, there is nothing to offer.
func TestRollbackOfWhatIsAllSomebodyElses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(20, 22, "0.0.0.0/0"))
	w.look(id)
	r := w.remediations(id)[0]
	wantState(t, r, dera.Resolved)
	w.revoke(id, tcp(20, 21, "0.0.0.0/0"))
	w.authorize(id, tcp(20, 22, "0.0.0.0/0"))
	writes := len(w.ours(""))
	var refused *remediate.RefusedError
	if _, err := w.engine.Rollback(t.Context(), r.ID, remediate.Request{By: person(), Partial: true}); !errors.As(err, &refused) && err != nil {
		t.Fatal(err)
	}
	if got := w.sorted(id); !slices.Equal(got, []string{"tcp 20-22 0.0.0.0/0"}) {
		t.Errorf("rules: got %q, want them as they are", got)
	}
	if n := len(w.ours("")); n != writes {
		t.Errorf("writes: got %d more, want none", n-writes)
	}
}

func TestRollbackUnderStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	r := w.only(id)
	w.stop()
	if _, err := w.rollback(r.ID); !errors.Is(err, remediate.ErrStopped) {
		t.Fatalf("rollback under a stop: got %v, want %v", err, remediate.ErrStopped)
	}
	wantState(t, w.only(id), dera.Resolved)
	got, err := w.engine.Rollback(t.Context(), r.ID, remediate.Request{By: person(), DespiteStop: true})
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, got, dera.RolledBack)
}

// A rollback that a stop caught half-way goes on by order of a person.
func TestRollbackCaughtByAStopGoesOnByOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("lab", wideRule())
	before := w.canon(id)
	w.look(id)
	r := w.remediations(id)[0]
	w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.HookAfter, Times: 1, Func: w.stop})
	if _, err := w.rollback(r.ID); !errors.Is(err, remediate.ErrStopped) {
		t.Fatalf("got %v, want %v", err, remediate.ErrStopped)
	}
	got, err := w.engine.Rollback(t.Context(), r.ID, remediate.Request{By: person(), DespiteStop: true})
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, got, dera.RolledBack)
	if diff := cmp.Diff(before, w.canon(id)); diff != "" {
		t.Errorf("configuration (-before +after rollback):\n%s", diff)
	}
}

// An undo that fails is said to have failed (Repokid swallowed the error and
// deleted what it had restored), and nothing touches the resource until a person
// has looked.
func TestFailedUndoFreezesTheResource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	r := w.only(id)
	fault := w.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Denied})
	got, err := w.rollback(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, got, dera.UndoFailed)
	if !strings.Contains(got.Failure, "did not take effect") || !strings.Contains(got.Failure, "denied") {
		t.Errorf("failure: got %q, want the cause in it", got.Failure)
	}
	w.authorize(id, tcp(3389, 3389, "0.0.0.0/0"))
	w.look(id)
	f := w.findings(id)[rdpKey]
	if f.Disposition != dera.Review || !slices.ContainsFunc(f.Reasons, func(x dera.Reason) bool { return strings.Contains(x.Why, "frozen") }) {
		t.Errorf("next finding on it: got %s %v, want review because it is frozen", f.Disposition, f.Reasons)
	}
	waiting := w.last(id)
	wantState(t, waiting, dera.Waiting)
	var refusal *engine.RefusedError
	if _, err := w.engine.Decide(t.Context(), waiting.ID, engine.Answer{Approve: true, Digest: waiting.Digest, By: person()}); !errors.As(err, &refusal) || !strings.Contains(refusal.Why, r.ID) {
		t.Errorf("approval on the frozen resource: got %v, want it refused, naming %s", err, r.ID)
	}
	w.revoke(id, tcp(3389, 3389, "0.0.0.0/0"))
	w.look(id)
	fault.Remove()
	if got, err = w.rollback(r.ID); err != nil {
		t.Fatal(err)
	}
	wantState(t, got, dera.RolledBack)
	if rules := w.sorted(id); !slices.Equal(rules, []string{"tcp 22-22 0.0.0.0/0"}) {
		t.Errorf("rules: got %q, want the original", rules)
	}
}

// What was rolled back is not fixed again automatically (ASR did), also not by
// another engine and not when the rule is made again.
func TestRolledBackFixGoesToReview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
	w.look(id)
	if _, err := w.rollback(w.only(id).ID); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	check := func(when string) {
		t.Helper()
		f := w.findings(id)[sshKey]
		if f.State != dera.FindingOpen || f.Disposition != dera.Review || f.RolledBack != 1 {
			t.Errorf("%s: got %s %s, %d times rolled back, want open review 1", when, f.State, f.Disposition, f.RolledBack)
		}
		wantState(t, w.last(id), dera.Waiting)
		if n := len(w.ours(revoke)); n != 1 {
			t.Errorf("%s: got %d revokes, want the first one only", when, n)
		}
	}
	check("after the rollback")
	w.sweep()
	check("after a sweep")
	_ = w.store.Close()
	w.open("engine-2")
	w.sweep()
	check("with another engine")
	w.revoke(id, tcp(22, 22, "0.0.0.0/0"))
	w.sweep()
	w.authorize(id, tcp(22, 22, "0.0.0.0/0"))
	w.clock.Advance(time.Hour)
	w.sweep()
	check("with a rule made again")
}
