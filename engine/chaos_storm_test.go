package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/detect"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/remediate"
	"dera.example/dera/resource"
	typed "dera.example/dera/resource/world"
	"dera.example/dera/services"
	"dera.example/dera/store"
)

// ownPrincipal is what dera writes as.
const ownPrincipal = "arn:aws:iam::" + account + ":role/dera"

// registry is the resource types of the world, made once.
var registry = sync.OnceValue(services.Types)

// mutant is a loop that something is wrong with, made by what an engine is given.
type mutant struct {
	name   string
	config func(s *storm, c *engine.Config)
	// swallow drops the events that arrive during a call.
	swallow bool
}

// storm is a world, people in it, and engines that come and go on one database.
type storm struct {
	t      *testing.T
	dir    string
	seed   uint64
	rand   *rand.Rand
	clock  *clock
	world  *typed.World
	people *people
	vault  store.Sealer
	mutant *mutant

	now   *running // the engine that works
	other *running // one that takes over while the first hangs
	look  *store.Store
	// calm says that nothing goes wrong any more.
	calm      bool
	deny      string // an operation that is denied once
	deep      int    // calls of meanwhile that are under way
	ids       int
	processes int
	pauses    int
	sends     int
	kills     int
	// killed is after how many steps a new process dies; 0 is never.
	killed           func(s *storm) int
	broken           []string
	sent             map[string]int
	watched, trouble bool
}

// running is one process.
type running struct {
	process *typed.Process
	store   *store.Store
	engine  *engine.Engine
}

// cloudPorts are the ports of an engine on a client of the world.
type worldReader struct{ *typed.Client }

func (r worldReader) Read(ctx context.Context, s dera.Scope, full bool) (detect.Page, error) {
	p, err := r.Client.Read(ctx, s, full)
	return detect.Page(p), err
}

type worldWriter struct {
	*typed.Client
	s     *storm
	owner string
}

func (w worldWriter) Read(ctx context.Context, p dera.Plan) (dera.Resource, bool, error) {
	return w.ReadAgain(ctx, p)
}

// Do holds that whoever is allowed to sign a request holds the lease.
func (w worldWriter) Do(ctx context.Context, p dera.Plan, op resource.Operation, allowed func(context.Context) error) (string, error) {
	return w.Client.Do(ctx, p, op, func(ctx context.Context) error {
		err := allowed(ctx)
		if err == nil {
			w.s.holdLease(w.owner, p, op)
		}
		return err
	})
}

func noMutant(*storm, *engine.Config) {}

// newStorm is the storm of a seed.
func newStorm(t *testing.T, seed uint64, m *mutant) *storm {
	t.Helper()
	if m == nil {
		m = &mutant{config: noMutant}
	}
	s := newStormOf(t, seed, faults(rand.New(rand.NewPCG(seed, 1))), m)
	s.people.settleIn()
	return s
}

// newStormOf is a world without resources.
func newStormOf(t *testing.T, seed uint64, f typed.Faults, m *mutant) *storm {
	t.Helper()
	s := &storm{t: t, dir: t.TempDir(), seed: seed, rand: rand.New(rand.NewPCG(seed, 3)), clock: newClock(), mutant: m, sent: map[string]int{}, killed: sometimes}
	var err error
	s.world, err = typed.New(typed.Config{
		Types: registry(), Seed: seed, Now: s.clock.Now, Wait: s.clock.Wait, Faults: f, Assign: assign, Conflict: conflict,
		Neighbours: func(config any, full bool, of func(string) []dera.Resource) any {
			return s.people.neighbours(config, full, of)
		},
		Meanwhile: s.meanwhile, Sent: s.noteSent, Denied: s.denied,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.people = newPeople(s)
	if s.vault, err = audit.CreateVault(s.dir, nil); err != nil {
		t.Fatal(err)
	}
	s.look = s.open(s.clock.Now)
	return s
}

// sometimes is the end of one process in three, soon.
func sometimes(s *storm) int {
	if s.rand.IntN(3) > 0 {
		return 0
	}
	return 1 + s.rand.IntN(120)
}

// denied turns the first write of an operation away.
func (s *storm) denied(c typed.Call) bool {
	if s.deny == "" || s.deny != c.Operation.Name {
		return false
	}
	s.deny = ""
	return true
}

// faults are those of the seed: each kind is there in some seeds and not in others,
// so that one does not hide another.
func faults(random *rand.Rand) typed.Faults {
	some := func(most float64) float64 {
		if random.IntN(5) < 2 {
			return 0
		}
		return most * random.Float64()
	}
	return typed.Faults{
		Throttle: some(0.1), Hang: some(0.02), Expired: some(0.02), Denied: some(0.02),
		Lag: some(0.6), Stale: some(0.15), Absent: some(0.05), LostPage: some(0.5),
		LostAnswer: some(0.2), NoEffect: some(0.15), Duplicate: some(0.3), Drop: some(0.1), Meanwhile: some(0.25),
	}
}

func (s *storm) open(now func() time.Time) *store.Store {
	s.t.Helper()
	st, err := store.Open(s.t.Context(), store.Config{URL: "sqlite:" + filepath.Join(s.dir, "dera.db"), Sealer: s.vault, Now: now})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = st.Close() })
	return st
}

// start is the start of a process.
func (s *storm) start() *running {
	s.t.Helper()
	s.processes++
	r := &running{process: &typed.Process{}}
	r.store = s.open(r.process.Clock(s.clock.Now))
	client := s.world.Client(ownPrincipal, r.process.Step)
	owner := fmt.Sprintf("process-%d", s.processes)
	cfg := engine.Config{
		Types: registry(),
		Store: r.store, Reader: worldReader{client}, Cloud: worldWriter{client, s, owner}, Controls: s.people.controls(),
		Gate: evaluate.Gate{
			Finding: []evaluate.Guardrail{evaluate.Mode{}, evaluate.Stopped{Ledger: r.store}, evaluate.RolledBackBefore{}, evaluate.FailedBefore{Now: s.clock.Now}, evaluate.Overwritten{}},
			Plan:    []evaluate.Guardrail{evaluate.Reversible{}, evaluate.Proved{}, evaluate.InUse{Now: s.clock.Now}, evaluate.Budget{Ledger: r.store, Now: s.clock.Now}},
		},
		Settings: s.people.settings, Accounts: s.people.accounts(), Regions: []string{region},
		Mode: func(dera.Account, string) dera.Mode { return dera.Enforce }, Actor: dera.Actor{Name: ownPrincipal, How: "engine"},
		Own: []string{ownPrincipal}, Owner: owner, Now: s.clock.Now, Wait: s.clock.Wait, LeaseTTL: time.Minute, BudgetPerHour: 1000, DrainMost: 2000,
		NewID: func() string { s.ids++; return fmt.Sprintf("r-%04d", s.ids) },
		Tell:  s.hear,
	}
	s.mutant.config(s, &cfg)
	var err error
	if r.engine, err = engine.New(cfg); err != nil {
		s.t.Fatal(err)
	}
	if err := r.engine.Start(s.t.Context(), "test"); err != nil {
		s.t.Fatal(err)
	}
	if at := s.killed(s); !s.calm && at > 0 {
		r.process.KillAt(at, func() { s.kills++; _ = r.store.Close() })
	}
	return r
}

// revive starts a new process where the last one ended.
func (s *storm) revive() {
	s.t.Helper()
	if s.now == nil || s.now.process.Dead() {
		s.now = s.start()
	}
}

// run is the storm and what comes after it.
func (s *storm) run() {
	s.t.Helper()
	s.watched = true
	for range 16 {
		s.revive()
		for range s.rand.IntN(3) {
			s.people.act()
		}
		s.deliver(s.now)
		if s.rand.IntN(6) == 0 {
			_ = s.now.engine.Sweep(s.t.Context(), "sweep")
		}
		if s.rand.IntN(8) == 0 {
			s.rollback()
		}
		s.drain(s.now)
		s.known()
		s.clock.Advance(time.Duration(s.rand.IntN(8000)) * time.Millisecond)
	}
	s.rest()
}

// drain works until nothing is due; the process may end over it.
func (s *storm) drain(r *running) {
	s.t.Helper()
	if err := r.engine.Drain(s.t.Context()); err != nil && !r.process.Dead() {
		s.fault("unsettled: drain: %v", err)
	}
}

// deliver hands over the events that have arrived; those that the engine does not
// take arrive again.
func (s *storm) deliver(r *running) {
	s.t.Helper()
	events := s.world.Due()
	if len(events) == 0 {
		return
	}
	if err := r.engine.Ingest(s.t.Context(), events, nil, nil); err != nil {
		if !r.process.Dead() {
			s.t.Fatalf("ingest: %v", err)
		}
		s.world.Return(events)
	}
}

// settle lets time pass until all events are delivered and nothing is due but
// waits for approvals.
func (s *storm) settle() {
	s.t.Helper()
	for range 400 {
		if len(s.broken) > 0 {
			return
		}
		s.revive()
		s.deliver(s.now)
		s.drain(s.now)
		if s.now.process.Dead() {
			continue
		}
		at, waits := s.world.Next()
		if next, some, err := s.due(false); err != nil {
			s.t.Fatal(err)
		} else if some && (!waits || next.Before(at)) {
			at, waits = next, true
		}
		if !waits {
			return
		}
		if d := at.Sub(s.clock.Now()); d > 0 {
			s.clock.Advance(d)
		}
	}
	s.fault("the engine does not come to rest")
}

// meanwhile is what happens during a call: others write, events arrive, or the
// process hangs for so long that another one takes over.
func (s *storm) meanwhile(c typed.Call) {
	if s.deep > 0 || s.calm {
		return
	}
	if s.mutant.swallow {
		s.world.Due()
	}
	s.deep++
	defer func() { s.deep-- }()
	switch n := s.rand.IntN(10); {
	case n < 4:
		s.people.between(c)
		if s.rand.IntN(2) == 0 { // the event is there before the call ends
			s.arrive()
		}
	case n < 7:
		s.arrive()
	case n == 7 && c.Plan != nil:
		s.pause(*c.Plan)
	default:
		s.clock.Advance(time.Duration(s.rand.IntN(1500)) * time.Millisecond)
	}
}

// arrive delivers what is on its way within the next moment.
func (s *storm) arrive() {
	if at, ok := s.world.Next(); ok {
		s.clock.Advance(max(0, min(at.Sub(s.clock.Now()), time.Second)))
	}
	if s.mutant.swallow {
		s.world.Due()
		return
	}
	s.deliver(s.now)
}

// pause lets the process hang while another one works, for longer than a lease and
// less than a signature holds. Or the other one takes over the resource of the plan
// and dies at once: then the first one goes on while its lease is someone else's.
func (s *storm) pause(p dera.Plan) {
	s.pauses++
	if s.rand.IntN(2) == 0 {
		s.clock.Advance(time.Duration(60+s.rand.IntN(60)) * time.Second)
		key := dera.ResourceKey(p.Partition, p.Account, p.Region, p.Resource)
		if _, err := s.look.Lease(s.t.Context(), key, "one that died", time.Minute); err != nil && !errors.Is(err, store.ErrConflict) {
			s.t.Fatal(err)
		}
		return
	}
	if s.other == nil || s.other.process.Dead() {
		s.other = s.start()
	}
	for range 3 {
		s.clock.Advance(time.Duration(25+s.rand.IntN(40)) * time.Second)
		s.drain(s.other)
		if s.other.process.Dead() {
			return
		}
	}
}

// rollback is a person who takes a fix back.
func (s *storm) rollback() {
	list, err := s.look.Remediations(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(r dera.Remediation) bool { return r.State != dera.Resolved && r.State != dera.Collateral })
	if len(list) == 0 {
		return
	}
	r := list[s.rand.IntN(len(list))]
	s.people.backed(r)
	_, err = s.now.engine.Rollback(s.t.Context(), r.ID, remediate.Request{By: person(), Reason: "chaos", Partial: s.rand.IntN(2) == 0})
	var refused *remediate.RefusedError
	if err != nil && !errors.As(err, &refused) && !s.now.process.Dead() {
		s.trouble = true // it is under way, and a job goes on with it
	}
}
