package engine_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
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
// resource while people change it. Nothing that was allowed privately is cut but by people, and
// nothing that somebody closed is opened but by the undo of what closed it.
func TestUndoOrder(t *testing.T) {
	t.Parallel()
	for seed := range seedsOf(t, "DERA_UNDO_SEEDS", "DERA_UNDO_SEED", 24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			o := newOrders(t, uint64(seed))
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
	theirs  []int          // the public rules of people, by their ports
	busy    *engine.Engine // the one in whose midst something happens

	before map[string]bool   // what the group allows, as of the last write
	keep   map[string]bool   // private packets that were allowed, and that nobody but dera took
	closed map[string]string // public packets that were closed, by which remediation or "people"
	broken []string
	log    []string
}

func newOrders(t *testing.T, seed uint64) *orders {
	o := &orders{draw: rand.New(rand.NewPCG(seed, 7)), modes: map[string]dera.Mode{}, closed: map[string]string{}, kill: func() {}}
	for _, c := range []string{adminPorts, otherPorts} {
		o.modes[c] = []dera.Mode{dera.ReviewOnly, dera.ReviewOnly, dera.Enforce}[o.draw.IntN(3)]
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
	for _, r := range o.rulesOf(o.id) {
		o.theirs = append(o.theirs, r.FromPort*100000+r.ToPort)
	}
	o.before = o.allowed()
	o.keep = map[string]bool{}
	for p := range o.before {
		if strings.HasPrefix(p, "10.") {
			o.keep[p] = true
		}
	}
	for _, op := range []string{authorize, revoke} {
		o.cloud.Inject(awssim.Fault{Match: byEngine(op), Kind: awssim.HookAfter, Func: o.wrote})
	}
	return o
}

func orderRules() []awssim.Rule {
	return []awssim.Rule{tcp(22, 22, "0.0.0.0/0"), tcp(20, 25, "0.0.0.0/0"), tcp(21, 21, "0.0.0.0/0"), tcp(23, 23, "0.0.0.0/0"), tcp(0, 65535, "0.0.0.0/0"), tcp(22, 22, "10.0.0.0/8")}
}

// allowed are packets that the group lets pass.
func (o *orders) allowed() map[string]bool { return o.by(func(awssim.Rule) bool { return true }) }

// by are packets that rules of the group let pass.
func (o *orders) by(is func(awssim.Rule) bool) map[string]bool {
	out := map[string]bool{}
	g, _ := o.cloud.Snapshot().Group(o.id)
	for _, r := range g.Rules {
		for _, src := range []string{"10.1.2.3", "8.8.8.8"} {
			for _, port := range []int{21, 22, 23, 25, 8080} {
				if p := netip.MustParsePrefix(r.CIDR); !r.Egress && is(r) && p.Contains(netip.MustParseAddr(src)) && r.FromPort <= port && port <= r.ToPort {
					out[fmt.Sprintf("%s to %d", src, port)] = true
				}
			}
		}
	}
	return out
}

// wrote holds what must hold after each write of dera.
func (o *orders) wrote() {
	now, by := o.allowed(), o.writer()
	for p := range o.keep {
		if !now[p] {
			o.broken = append(o.broken, fmt.Sprintf("%s cuts %s, after %d steps", by.ID, p, len(o.log)))
			delete(o.keep, p)
		}
	}
	for p := range o.before {
		if !now[p] {
			o.closed[p] = by.ID
		}
	}
	shown := slices.ContainsFunc(by.Steps, func(s dera.Step) bool { return s.State == dera.UndoFailed })
	for p := range now {
		if !o.before[p] && o.closed[p] != by.ID && !shown {
			o.broken = append(o.broken, fmt.Sprintf("%s opens %s, which %q closed, after %d steps", by.ID, p, o.closed[p], len(o.log)))
		}
	}
	o.before = now
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

// people notes what somebody else has just done to the group. Who removes a public rule closes
// what dera has left of it, too; what has a rule of its own stays.
func (o *orders) people(removed bool) {
	now := o.allowed()
	if removed {
		own := o.by(func(r awssim.Rule) bool {
			return r.CIDR != "0.0.0.0/0" || slices.Contains(o.theirs, r.FromPort*100000+r.ToPort)
		})
		maps.DeleteFunc(o.keep, func(p string, _ bool) bool { return !own[p] })
	}
	for p := range o.before {
		if !now[p] {
			o.closed[p] = "people"
			delete(o.keep, p)
		}
	}
	for p := range now {
		delete(o.closed, p)
	}
	o.before = now
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
	e, what := o.any(), o.draw.IntN(14)
	if e == nil {
		what = 8
	}
	if o.deep == 0 {
		o.busy = e
	}
	note := func(format string, args ...any) {
		o.log = append(o.log, fmt.Sprintf("%s%s ", strings.Repeat("  ", o.deep), o.clock.Now().Format("15:04:05"))+fmt.Sprintf(format, args...))
	}
	switch what {
	case 0, 1:
		err := e.LookNow(ctx, o.event(o.id), true)
		note("look: %v", err)
	case 2, 3:
		if r, ok := o.one(dera.Waiting); ok {
			_, err := e.Decide(ctx, r.ID, engine.Answer{Approve: true, Digest: r.Digest, By: person()})
			note("approve %s: %v", r.ID, err)
		}
	case 4, 5:
		if r, ok := o.one(dera.Resolved, dera.Collateral, dera.UndoFailed, dera.Undoing); ok {
			if o.draw.IntN(2) == 0 { // AWS takes nothing for a while: others act before its first write
				o.faults = append(o.faults, o.cloud.Inject(awssim.Fault{Match: byEngine(authorize), Kind: awssim.Throttle, Times: 6}))
			}
			got, err := e.Rollback(ctx, r.ID, remediate.Request{By: person(), Reason: "x"})
			note("rollback %s: %s, %v", r.ID, got.State, err)
		}
	case 6, 7, 12, 13:
		if r, ok := o.one(dera.Ready, dera.Applying, dera.Verifying, dera.Undoing); ok {
			got, err := e.Carry(ctx, r.ID)
			note("carry %s: %s, %v", r.ID, got.State, err)
		}
	case 8:
		o.change(note)
	case 9:
		kind := []awssim.Kind{awssim.Throttle, awssim.Throttle, awssim.Error5xxBefore, awssim.Error5xxAfter, awssim.Denied}[o.draw.IntN(5)]
		op := []string{authorize, revoke}[o.draw.IntN(2)]
		o.faults = append(o.faults, o.cloud.Inject(awssim.Fault{Match: byEngine(op), Kind: kind, Times: 1 + o.draw.IntN(13), After: o.draw.IntN(2)}))
		note("fault %d of %s", kind, op)
	case 10:
		o.clock.Advance(time.Duration(o.draw.IntN(400)) * time.Second)
	case 11:
		o.midst(note)
	}
}

// change is what a person does to the group.
func (o *orders) change(note func(string, ...any)) {
	g, _ := o.cloud.Snapshot().Group(o.id)
	rules := slices.DeleteFunc(g.Rules, func(r awssim.Rule) bool { return r.Egress })
	if len(rules) > 0 && o.draw.IntN(3) > 0 {
		r := rules[o.draw.IntN(len(rules))]
		err := o.region.Revoke(o.t.Context(), o.id, r)
		o.theirs = slices.DeleteFunc(o.theirs, func(n int) bool { return r.CIDR == "0.0.0.0/0" && n == r.FromPort*100000+r.ToPort })
		o.people(true)
		note("revoke %d-%d %s: %v", r.FromPort, r.ToPort, r.CIDR, err)
	} else {
		r := orderRules()[o.draw.IntN(6)]
		_, err := o.region.Authorize(o.t.Context(), o.id, r)
		if err == nil {
			o.theirs = append(o.theirs, r.FromPort*100000+r.ToPort)
		}
		o.people(false)
		note("authorize %d-%d %s: %v", r.FromPort, r.ToPort, r.CIDR, err)
	}
}

// midst lets something happen in the midst of what comes next: of a decision, or of a write.
func (o *orders) midst(note func(string, ...any)) {
	if o.deep > 0 {
		return
	}
	inside := func() {
		o.deep++
		defer func() { o.deep-- }()
		note("in its midst")
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
	for p := range o.keep {
		if !o.allowed()[p] {
			o.broken = append(o.broken, p+" is cut in the end")
		}
	}
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
