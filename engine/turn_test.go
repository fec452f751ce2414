package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/services/s3/bucket"
)

const (
	adminPorts = "ec2-securitygroup-admin-ports-open"
	otherPorts = "ec2-securitygroup-other-ports-open"
)

// running is an engine, beside the others, in which only some controls run.
func (w *world) running(owner string, ids ...string) *engine.Engine {
	w.t.Helper()
	all := w.config
	defer func() { w.config = all }()
	w.config = func(c *engine.Config) {
		if all != nil {
			all(c)
		}
		c.Controls = slices.DeleteFunc(slices.Clone(c.Controls), func(c control.Control) bool { return !slices.Contains(ids, c.ID) })
	}
	return w.newEngine(owner, w.store)
}

// A look says nothing about the plans of controls that it does not run: they stay, and
// hold their parts.
func TestPlansOfOtherControlsStay(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"waiting": 0, "expired": 73 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
			id := w.wide()
			w.engine = w.running("admin", adminPorts)
			w.sweep()
			first := w.only(id)
			w.clock.Advance(wait)
			w.sweep()
			w.quiet()
			w.engine = w.running("other", otherPorts)
			w.sweep()
			w.quiet()
			if got := w.only(id); got.ID != first.ID || got.State == dera.Superseded {
				t.Errorf("got %s, want the one plan, not superseded", got.State)
			}
			if f := w.findings(id)[telnetKey]; f.WaitsFor != first.ID {
				t.Errorf("the other finding waits for %q, want %s", f.WaitsFor, first.ID)
			}
			// Its control is off for good: a person can still withdraw it.
			if _, err := w.engine.Decide(t.Context(), first.ID, engine.Answer{Reason: "the control is off", By: person()}); err != nil {
				t.Fatal(err)
			}
			w.sweep()
			w.quiet()
			if f := w.findings(id)[telnetKey]; f.WaitsFor != "" || f.Remediation == "" {
				t.Errorf("after the no: the other finding waits for %q and has the plan %q, want one of its own", f.WaitsFor, f.Remediation)
			}
		})
	}
}

// A plan that is decided and not carried out can be rejected too.
func TestPlannedCanBeRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.wide()
	w.engine = w.running("admin", adminPorts)
	if err := w.engine.LookNow(t.Context(), w.event(id), false); err != nil {
		t.Fatal(err)
	}
	first := w.only(id)
	wantState(t, first, dera.Planned)
	got, err := w.engine.Decide(t.Context(), first.ID, engine.Answer{Reason: "not now", By: person()})
	if err != nil {
		t.Fatal(err)
	}
	wantState(t, got, dera.Rejected)
	if _, err := w.engine.Decide(t.Context(), first.ID, engine.Answer{Approve: true, Digest: first.Digest, By: person()}); err == nil {
		t.Error("a rejected plan was approved")
	}
}

// Two processes with different controls come to rest, in whichever order they look,
// and the plan of what is worse goes first.
func TestTwoProcessesWithDifferentControlsAgree(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.wide()
	admin, other := w.running("admin", adminPorts), w.running("other", otherPorts)
	for range 5 {
		for _, e := range []*engine.Engine{other, admin} {
			if err := e.LookNow(t.Context(), w.event(id), true); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(time.Minute)
		}
	}
	if got := states(w.remediations(id)); !slices.Equal(got, []dera.State{dera.Superseded, dera.Waiting}) {
		t.Fatalf("got %v, want the first plan let go once, and one that waits", got)
	}
	if r := w.in(id, dera.Waiting); r.Control != adminPorts {
		t.Errorf("what waits is of %s, want the worse one", r.Control)
	}
}

// What a plan keeps of a part is named also where its control does not run here; and
// what was approved gives way to the worse plan of another process.
func TestPlanNamesFindingsOfOtherControls(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.wide()
	admin, other := w.running("admin", adminPorts), w.running("other", otherPorts)
	look := func(e *engine.Engine) {
		t.Helper()
		if err := e.LookNow(t.Context(), w.event(id), true); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Minute)
	}
	look(admin)
	w.reject(w.in(id, dera.Waiting))
	look(other)
	r := w.in(id, dera.Waiting)
	if ssh := w.findings(id)[sshKey]; !slices.Contains(r.Leaves, ssh.ID) {
		t.Errorf("%q leaves %v, want %s among them", r.Plan.Diff(), r.Leaves, ssh.ID)
	}
}

// What was approved gives way to what another process decided auto since; while it is
// not begun, it holds its parts there too.
func TestApprovedPlanGivesWayToAnotherProcess(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.wide()
	admin, other := w.running("admin", adminPorts), w.running("other", otherPorts)
	if err := other.LookNow(t.Context(), w.event(id), true); err != nil {
		t.Fatal(err)
	}
	r := w.in(id, dera.Waiting)
	w.approve(r)
	w.clock.Advance(time.Minute)
	// Meanwhile the other process looks: the plan under way holds it.
	if err := admin.LookNow(t.Context(), w.event(id), true); err != nil {
		t.Fatal(err)
	}
	if f := w.findings(id)[sshKey]; f.WaitsFor != r.ID {
		t.Errorf("SSH waits for %q, want %s", f.WaitsFor, r.ID)
	}

	modes := map[string]dera.Mode{adminPorts: dera.Enforce}
	w = newWorldWith(t, func(w *world) { w.config = byControl(modes) })
	id = w.wide()
	admin, other = w.running("admin", adminPorts), w.running("other", otherPorts)
	for _, e := range []*engine.Engine{other, admin} {
		if err := e.LookNow(t.Context(), w.event(id), false); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Minute)
	}
	w.approve(w.in(id, dera.Waiting))
	r = w.in(id, dera.Ready)
	if r, err := other.Carry(t.Context(), r.ID); err != nil || r.State != dera.Superseded || !strings.Contains(r.Steps[len(r.Steps)-1].Why, w.in(id, dera.Planned).ID) {
		t.Errorf("got %s, %v, %q, want it superseded, because of what is planned", r.State, err, r.Steps[len(r.Steps)-1].Why)
	}
	if n := len(w.ours("")); n != 0 {
		t.Errorf("writes: got %d, want none", n)
	}
}

// byControl is a mode for each control, and review for the others.
func byControl(modes map[string]dera.Mode) func(*engine.Config) {
	return func(c *engine.Config) {
		c.Mode = func(_ dera.Account, id string) dera.Mode {
			if m, ok := modes[id]; ok {
				return m
			}
			return dera.ReviewOnly
		}
	}
}

// One control after the other is switched on: what is only observed holds nothing
// that acts, and the plan says what it keeps.
func TestObservedPlanHoldsNothingThatActs(t *testing.T) {
	t.Parallel()
	modes := map[string]dera.Mode{adminPorts: dera.Observe}
	w := newWorldWith(t, func(w *world) { w.config = byControl(modes) })
	id := w.wide()
	w.sweep()
	w.in(id, dera.Observed)
	r := w.in(id, dera.Waiting)
	ssh := w.findings(id)[sshKey]
	if r.Control != otherPorts || !slices.Contains(r.Leaves, ssh.ID) {
		t.Errorf("got %q of %s, which leaves %v, want that of %s, with SSH", r.Plan.Diff(), r.Control, r.Leaves, otherPorts)
	}
	w.approve(r)
	w.quiet()
	if got, want := w.sorted(id), []string{"tcp 22-22 0.0.0.0/0"}; !slices.Equal(got, want) {
		t.Errorf("rules: got %q, want %q", got, want)
	}
	modes[adminPorts] = dera.Enforce
	w.clock.Advance(time.Minute)
	w.sweep()
	w.quiet()
	if got := w.ingress(id); len(got) != 0 {
		t.Errorf("rules after it is switched on: got %q, want none", got)
	}
}

// The plan of a finding that a person names begins, and no other one.
func TestByHandBeginsOnePlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"), tcp(8432, 8432, "0.0.0.0/0"))
	if err := w.engine.LookNow(t.Context(), w.event(id), false); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	var db dera.Finding
	for key, f := range w.findings(id) {
		if strings.HasPrefix(key, otherPorts) {
			db = f
		}
	}
	w.byHand(db)
	if r := w.in(id, dera.Planned); r.Control != adminPorts {
		t.Errorf("planned is that of %s, want %s", r.Control, adminPorts)
	}
	if r := w.in(id, dera.Waiting); r.Control != otherPorts {
		t.Errorf("what waits is of %s, want %s", r.Control, otherPorts)
	}
	w.clock.Advance(time.Minute)
	w.byHand(w.findings(id)[sshKey])
	if r := w.in(id, dera.Ready); r.Control != adminPorts {
		t.Errorf("what begins is of %s, want %s", r.Control, adminPorts)
	}
	// On the same part, nothing begins: the finding waits for what goes first.
	wide := w.wide()
	if err := w.engine.LookNow(t.Context(), w.event(wide), false); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	w.byHand(w.findings(wide)[telnetKey])
	if f := w.findings(wide)[telnetKey]; f.WaitsFor != w.in(wide, dera.Planned).ID {
		t.Errorf("got %+v, want it to wait for the planned one", f)
	}
}

// A look that acts on some findings begins theirs also where a person was asked
// before, and leaves the others as they are.
func TestLookForReplacesWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.ReviewOnly })
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"), tcp(8432, 8432, "0.0.0.0/0"))
	w.sweep()
	w.mode = dera.Enforce
	w.clock.Advance(time.Minute)
	ssh := func(list []dera.Finding) bool { return list[0].Control == adminPorts }
	if err := w.engine.LookFor(t.Context(), w.event(id), ssh); err != nil {
		t.Fatal(err)
	}
	if r := w.in(id, dera.Ready); r.Control != adminPorts {
		t.Errorf("what begins is of %s, want %s", r.Control, adminPorts)
	}
	if r := w.in(id, dera.Waiting); r.Control != otherPorts {
		t.Errorf("what waits is of %s, want %s", r.Control, otherPorts)
	}
}

// A read that is denied says nothing: it ends no plan.
func TestUnknownSupersedesNothing(t *testing.T) {
	t.Parallel()
	w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(bucket.Name) })
	w.mode = dera.ReviewOnly
	w.ingest(w.bucketEvent("PutBucketPolicy"))
	w.quiet()
	before := w.bucketFixes(t)
	w.cloud.Inject(awssim.Fault{Kind: awssim.Denied, Times: 6, Match: byEngineS3("GetBucketPolicy")})
	w.ingest(w.bucketEvent("PutBucketTagging"))
	w.quiet()
	for i, r := range w.bucketFixes(t)[:len(before)] {
		if r.State != before[i].State {
			t.Errorf("%s of %s: got %s, want %s: %s", r.ID, r.Control, r.State, before[i].State, r.Steps[len(r.Steps)-1].Why)
		}
	}
}
