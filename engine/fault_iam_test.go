package engine_test

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/remediate"
	typed "dera.example/dera/resource/world"
)

// TestIdentityFaults makes each fix of the rows of IAM while writes take effect and fail, do
// nothing and succeed, reads show what was, or someone else writes in between: it ends as
// fixed or as before, and a rollback brings back the same canonical form.
func TestIdentityFaults(t *testing.T) {
	t.Parallel()
	n := 3
	if os.Getenv(crashAll) != "" {
		n = 20
	}
	for _, tt := range identityCrashes() {
		if tt.rollback || tt.denied != "" {
			continue
		}
		for name, f := range map[string]typed.Faults{
			"lost_answer":     {LostAnswer: 0.6},
			"no_effect":       {NoEffect: 0.5},
			"stale_read":      {Stale: 0.3, Lag: 0.9},
			"all_three":       {LostAnswer: 0.3, NoEffect: 0.2, Stale: 0.1, Lag: 0.5},
			"someone_between": {Meanwhile: 0.25, Lag: 0.3},
		} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				whole, fixed := tt.run(t, 0, nil), 0
				for seed := range uint64(n) {
					if tt.underFaults(t, seed+1, f, whole) {
						fixed++
					}
				}
				t.Logf("%d of %d fixed", fixed, n)
				if fixed == 0 && f.Meanwhile == 0 { // what someone else wrote in between a person decides
					t.Errorf("none of %d is fixed: the test says little", n)
				}
			})
		}
	}
}

// underFaults makes the fix of the row in a world with faults and takes it back.
func (tt crash) underFaults(t *testing.T, seed uint64, f typed.Faults, whole ran) (fixed bool) {
	t.Helper()
	s := newStormOf(t, seed, f, &mutant{config: noMutant})
	between := f.Meanwhile > 0
	s.watched, s.calm = true, !between
	r := tt.make()
	s.people.settings = tt.settings()
	s.people.add(r, tt.kind, 0)
	for _, op := range tt.rules {
		if err := s.world.Write(someone, r, op); err != nil {
			t.Fatal(err)
		}
	}
	o := s.people.list[0]
	o.backed = slices.Collect(maps.Keys(tt.kind.facts(s.people.truth(o)))) // it may be there, and be there again
	s.clock.Advance(time.Minute)
	s.world.Due() // that is long past
	s.revive()
	ev := dera.Event{Source: "test", Name: "Change", Time: s.clock.Now(), Scope: dera.Scope{Partition: r.Partition, Account: r.Account, Region: r.Region, Type: r.Type, IDs: []string{r.ID}}}
	_ = s.now.engine.Ingest(t.Context(), []dera.Event{ev}, nil, nil)
	s.drain(s.now)
	s.settle()
	s.world.Calm()
	s.calm = true
	s.revive()
	s.now.process.KillAt(0, nil)
	s.settle()
	if err := s.now.engine.Sweep(t.Context(), "sweep"); err != nil {
		t.Fatal(err)
	}
	s.settle()
	s.found("after the sweep")
	s.end()
	if end := s.canon(r); !between && end != whole.fixed && end != whole.original {
		t.Errorf("seed %d: in the end: got\n%s\nwant\n%s", seed, end, whole.fixed)
	}
	fixed = s.takenBack(r, o)
	if end := s.canon(r); !between && end != whole.original {
		t.Errorf("seed %d: after the rollback: got\n%s\nwant\n%s", seed, end, whole.original)
	}
	s.end()
	for f := range tt.kind.facts(r.Config) { // of what was there from the start nobody takes away what is used
		if !tt.kind.facts(s.people.truth(o))[f] && !strings.HasSuffix(f, unusedAction) {
			t.Errorf("seed %d: lost: %s", seed, f)
		}
	}
	for _, b := range s.broken {
		t.Errorf("seed %d: %s", seed, b)
	}
	return fixed
}

// takenBack rolls back every fix of the resource that stands, the last one first, and tells
// whether there was one.
func (s *storm) takenBack(r dera.Resource, o *owned) (any bool) {
	s.t.Helper()
	list, err := s.look.RemediationsOf(s.t.Context(), r.Key())
	if err != nil {
		s.t.Fatal(err)
	}
	slices.SortFunc(list, func(a, b dera.Remediation) int { return b.CreatedAt.Compare(a.CreatedAt) })
	for _, x := range list {
		if x.State != dera.Resolved && x.State != dera.Collateral {
			continue
		}
		any = true
		s.people.backed(x)
		_, err := s.now.engine.Rollback(s.t.Context(), x.ID, remediate.Request{By: person(), Reason: "test"})
		var refused *remediate.RefusedError
		if err != nil && !errors.As(err, &refused) {
			s.fault("rollback of %s: %v", x.ID, err)
		}
		s.settle()
	}
	if any && len(s.world.History(o.Key())) < 2 {
		s.fault("%s is called fixed, and was never written", o.ARN)
	}
	return any
}
