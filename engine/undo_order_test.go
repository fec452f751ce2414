package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/remediate"
	"dera.example/dera/store"
)

// TestUndoOrder draws in which order two processes, or one, decide, apply, die and undo on one
// resource while people change it. None writes while another one is under way, but where an older
// version began one beside it, and none takes back what is beneath a later one. In the end all
// have ended.
func TestUndoOrder(t *testing.T) {
	t.Parallel()
	for seed := range seedsOf(t, "DERA_UNDO_SEEDS", "DERA_UNDO_SEED", 24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			o := newOrders(t, uint64(seed))
			if seed%4 == 0 {
				o.mixed()
			}
			for range 40 {
				o.step()
			}
			o.end()
			for _, b := range o.broken {
				t.Error(b)
			}
			if t.Failed() {
				t.Logf("after:\n%s", strings.Join(o.log, "\n"))
			}
		})
	}
}

// orders is a group, the processes on it, and what must hold of it.
type orders struct {
	*world
	draw    *rand.Rand
	engines []*engine.Engine
	look    *store.Store
	id      string
	modes   map[string]dera.Mode
	do      func() // in the midst of the next decision
	faults  []*awssim.Injected
	kill    context.CancelFunc
	deep    int
	busy    *engine.Engine // the one in whose midst something happens

	older  map[string]bool // begun beside another one, as an older version does
	broken []string
	log    []string
}

func newOrders(t *testing.T, seed uint64) *orders {
	o := &orders{draw: rand.New(rand.NewPCG(seed, 7)), modes: map[string]dera.Mode{}, older: map[string]bool{}, kill: func() {}}
	for _, c := range []string{adminPorts, otherPorts} {
		o.modes[c] = []dera.Mode{dera.ReviewOnly, dera.ReviewOnly, dera.Enforce}[o.draw.IntN(3)]
	}
	if seed%4 == 0 {
		o.modes[adminPorts], o.modes[otherPorts] = dera.ReviewOnly, dera.ReviewOnly
	}
	o.world = newWorldWith(t, func(w *world) {
		set := byControl(o.modes)
		w.config = func(c *engine.Config) { set(c); c.Settings, c.BudgetPerHour = control.Settings{}, 1000 }
		w.gate = func(g *evaluate.Gate) { g.Plan = append(g.Plan, meanwhile{&o.do}) }
	})
	o.engines = []*engine.Engine{o.engine}
	if seed%3 > 0 {
		o.engines = append(o.engines, o.newEngine("engine-2", o.openStore(o.clock.Now)))
	}
	o.look = o.openStore(o.clock.Now)
	first := o.draw.IntN(6)
	o.id = o.group("web", orderRules()[first], orderRules()[(first+1+o.draw.IntN(5))%6], tcp(20, 30, "0.0.0.0/0"))
	if seed%4 == 0 {
		o.id = o.group("apart", tcp(21, 21, "0.0.0.0/0"), tcp(22, 22, "0.0.0.0/0"))
	}
	for _, op := range []string{authorize, revoke} {
		o.cloud.Inject(awssim.Fault{Match: byEngine(op), Kind: awssim.HookAfter, Func: o.wrote})
	}
	return o
}

func orderRules() []awssim.Rule {
	return []awssim.Rule{tcp(22, 22, "0.0.0.0/0"), tcp(20, 25, "0.0.0.0/0"), tcp(21, 21, "0.0.0.0/0"), tcp(23, 23, "0.0.0.0/0"), tcp(0, 65535, "0.0.0.0/0"), tcp(22, 22, "10.0.0.0/8")}
}

// wrote holds after each write that nobody but the writer is under way, and that it takes nothing back beneath a later one.
func (o *orders) wrote() {
	by := o.writer()
	list, err := o.look.RemediationsOf(o.t.Context(), by.ResourceKey())
	if err != nil {
		o.t.Error(err)
	}
	later := false
	for _, r := range list {
		underWay := r.State == dera.Applying || r.State == dera.Verifying || r.State == dera.Undoing
		ended := r.State == dera.Resolved || r.State == dera.Collateral || r.State == dera.UndoFailed
		if underWay && r.ID != by.ID && !o.older[r.ID] && !o.older[by.ID] {
			o.broken = append(o.broken, fmt.Sprintf("%s writes while %s is %s, after %d steps", by.ID, r.ID, r.State, len(o.log)))
		}
		if later && by.State == dera.Undoing && (underWay || ended) {
			o.broken = append(o.broken, fmt.Sprintf("%s is undone beneath %s, which is %s, after %d steps", by.ID, r.ID, r.State, len(o.log)))
		}
		later = later || r.ID == by.ID
	}
}

// writer is the remediation that writes at the moment.
func (o *orders) writer() (r dera.Remediation) {
	open, err := o.look.OpenIntents(o.t.Context())
	if err != nil || len(open) == 0 {
		o.t.Errorf("a write without an intent: %v", err)
		return r
	}
	in := slices.MaxFunc(open, func(a, b dera.Intent) int { return int(a.Token - b.Token) })
	if r, err = o.look.Remediation(o.t.Context(), in.Remediation); err != nil {
		o.t.Error(err)
	}
	return r
}

// any is one of the engines; in the midst of what one does, another one, or nil.
func (o *orders) any() *engine.Engine {
	free := slices.DeleteFunc(slices.Clone(o.engines), func(e *engine.Engine) bool { return o.deep > 0 && e == o.busy })
	if len(free) == 0 {
		return nil
	}
	return free[o.draw.IntN(len(free))]
}

// one is one of the remediations in the states.
func (o *orders) one(in ...dera.State) (dera.Remediation, bool) {
	list := slices.DeleteFunc(o.remediations(o.id), func(r dera.Remediation) bool { return !slices.Contains(in, r.State) })
	if len(list) == 0 {
		return dera.Remediation{}, false
	}
	return list[o.draw.IntN(len(list))], true
}

// step is one thing that happens, often in the midst of the next one.
func (o *orders) step() {
	o.t.Helper()
	ctx, kill := context.WithCancel(o.t.Context())
	defer kill()
	o.kill = kill
	e, what := o.any(), o.draw.IntN(15)
	if e == nil {
		what = 8
	}
	if o.deep == 0 {
		o.busy = e
	}
	switch what {
	case 0, 1:
		err := e.LookNow(ctx, o.event(o.id), true)
		o.note("look: %v", err)
	case 2, 3:
		if r, ok := o.one(dera.Waiting); ok {
			_, err := e.Decide(ctx, r.ID, engine.Answer{Approve: true, Digest: r.Digest, By: person()})
			o.note("approve %s: %v", r.ID, err)
		}
	case 4, 5:
		if r, ok := o.one(dera.Resolved, dera.Collateral, dera.UndoFailed, dera.Undoing); ok {
			o.rollback(ctx, e, r, o.draw.IntN(2) == 0)
		}
	case 14:
		if o.deep == 0 {
			o.beneath(ctx, e, o.draw.IntN(2) == 0)
		}
	case 6, 7, 12, 13:
		if r, ok := o.one(dera.Ready, dera.Applying, dera.Verifying, dera.Undoing); ok {
			got, err := e.Carry(ctx, r.ID)
			o.note("carry %s: %s, %v", r.ID, got.State, err)
		}
	case 8:
		o.change()
	case 9:
		kind := []awssim.Kind{awssim.Throttle, awssim.Throttle, awssim.Error5xxBefore, awssim.Error5xxAfter, awssim.Denied}[o.draw.IntN(5)]
		op := []string{authorize, revoke}[o.draw.IntN(2)]
		o.faults = append(o.faults, o.cloud.Inject(awssim.Fault{Match: byEngine(op), Kind: kind, Times: 1 + o.draw.IntN(13), After: o.draw.IntN(2)}))
		o.note("fault %d of %s", kind, op)
	case 10:
		o.clock.Advance(time.Duration(o.draw.IntN(400)) * time.Second)
	case 11:
		o.midst()
	}
}

// note writes down what happened.
func (o *orders) note(format string, args ...any) {
	o.log = append(o.log, fmt.Sprintf("%s%s ", strings.Repeat("  ", o.deep), o.clock.Now().Format("15:04:05"))+fmt.Sprintf(format, args...)+" → "+strings.Join(o.sorted(o.id), ", "))
}

// mixed applies one of two plans, and an older version begins the other one while the first is undone.
func (o *orders) mixed() {
	ctx := o.t.Context()
	o.note("look: %v", o.engine.LookNow(ctx, o.event(o.id), true))
	r, ok := o.one(dera.Waiting)
	if !ok {
		o.t.Fatal("there is no plan")
	}
	o.approve(r)
	got, err := o.engine.Carry(ctx, r.ID)
	o.note("carry %s: %s, %v", r.ID, got.State, err)
	o.beneath(ctx, o.engine, true)
	if len(o.older) == 0 {
		o.t.Errorf("an older version began nothing, after:\n%s", strings.Join(o.log, "\n"))
	}
}

// rollback orders a rollback. Where AWS takes nothing for a while, others act before its first write.
func (o *orders) rollback(ctx context.Context, e *engine.Engine, r dera.Remediation, busy bool) {
	if busy {
		o.faults = append(o.faults, o.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Throttle, Times: 6}))
	}
	got, err := e.Rollback(ctx, r.ID, remediate.Request{By: person(), Reason: "x"})
	o.note("rollback %s: %s, %v", r.ID, got.State, err)
}

// beneath lets a plan be approved and carried out right after the rollback of another one was ordered.
func (o *orders) beneath(ctx context.Context, e *engine.Engine, older bool) {
	if err := e.LookNow(ctx, o.event(o.id), true); err != nil {
		o.note("look: %v", err)
	}
	first, ok := o.one(dera.Resolved)
	second, waits := o.one(dera.Waiting)
	if !ok || !waits {
		return
	}
	o.rollback(ctx, e, first, true)
	_, err := e.Decide(ctx, second.ID, engine.Answer{Approve: true, Digest: second.Digest, By: person()})
	o.note("approve %s: %v", second.ID, err)
	if r := o.byID(second.ID); older && r.State == dera.Ready {
		o.begun(r)
		o.note("an older version begins %s", r.ID)
	}
	for _, r := range []dera.Remediation{second, first} {
		got, err := o.engines[o.draw.IntN(len(o.engines))].Carry(ctx, r.ID)
		o.note("carry %s: %s, %v", r.ID, got.State, err)
	}
}

// begun begins a remediation without a question, as an older version does that looks a moment before.
func (o *orders) begun(r dera.Remediation) {
	next, err := remediate.Move(r, dera.Applying, dera.Step{At: o.clock.Now(), Why: "an older version"})
	if err == nil {
		err = o.look.Commit(o.t.Context(), store.Batch{Remediations: []dera.Remediation{next}})
	}
	if err != nil {
		o.t.Error(err)
	}
	o.older[r.ID] = true
}

// change is what a person does to the group.
func (o *orders) change() {
	g, _ := o.cloud.Snapshot().Group(o.id)
	rules := slices.DeleteFunc(g.Rules, func(r awssim.Rule) bool { return r.Egress })
	if len(rules) > 0 && o.draw.IntN(3) > 0 {
		r := rules[o.draw.IntN(len(rules))]
		err := o.region.Revoke(o.t.Context(), o.id, r)
		o.note("revoke %d-%d %s: %v", r.FromPort, r.ToPort, r.CIDR, err)
	} else {
		r := orderRules()[o.draw.IntN(6)]
		_, err := o.region.Authorize(o.t.Context(), o.id, r)
		o.note("authorize %d-%d %s: %v", r.FromPort, r.ToPort, r.CIDR, err)
	}
}

// midst lets something happen in the midst of what comes next: of a decision, or of a write.
func (o *orders) midst() {
	if o.deep > 0 {
		return
	}
	inside := func() {
		o.deep++
		defer func() { o.deep-- }()
		o.note("in its midst")
		o.step()
	}
	switch o.draw.IntN(3) {
	case 0:
		o.do = inside
	case 1:
		op := []string{authorize, revoke}[o.draw.IntN(2)]
		o.faults = append(o.faults, o.cloud.Inject(awssim.Fault{Match: byEngine(op), Kind: awssim.HookAfter, Times: 1, After: o.draw.IntN(3), Func: inside}))
	case 2:
		op := []string{"DescribeSecurityGroupRules", authorize, revoke}[o.draw.IntN(3)]
		o.faults = append(o.faults, o.cloud.Inject(awssim.Fault{Match: byEngine(op), Kind: awssim.Hook, Times: 1, After: o.draw.IntN(4), Func: func() { o.kill() }}))
	}
}

// end lets everything come to rest.
func (o *orders) end() {
	o.t.Helper()
	for _, f := range o.faults {
		f.Remove()
	}
	o.do = nil
	if err := o.engine.Start(o.t.Context(), "test"); err != nil {
		o.t.Fatal(err)
	}
	o.quiet()
	for _, r := range o.remediations(o.id) {
		if !r.State.Final() && r.State != dera.Waiting {
			o.broken = append(o.broken, fmt.Sprintf("%s is %s in the end", r.ID, r.State))
		}
	}
	if open, err := o.store.OpenIntents(o.t.Context()); err != nil || len(open) > 0 {
		o.broken = append(o.broken, fmt.Sprintf("open intents in the end: %v, %v", open, err))
	}
	o.verifyLog()
}
