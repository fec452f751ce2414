package engine_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The environment of a chaos run: how many seeds, or which one alone.
const (
	chaosSeeds = "DERA_CHAOS_SEEDS"
	chaosSeed  = "DERA_CHAOS_SEED"
)

// TestChaos runs engines in a world where everything goes wrong, and holds what
// must hold when it is over. A failing seed runs alone with make chaos SEED=n.
func TestChaos(t *testing.T) {
	t.Parallel()
	for seed := range seedsOf(t, chaosSeeds, chaosSeed, 12) {
		t.Run(fmt.Sprintf("seed_%d", seed), func(t *testing.T) {
			t.Parallel()
			s := newStorm(t, uint64(seed), nil)
			s.run()
			for _, b := range s.broken {
				t.Error(b)
			}
			if t.Failed() {
				if os.Getenv(chaosSeed) != "" {
					s.trace()
				}
				t.Logf("again: make chaos SEED=%d", seed)
			}
			t.Logf("%s, %d processes, %d pauses, %d writes", s.world, s.processes, s.pauses, s.sends)
		})
	}
}

// seedsOf are as many seeds as one variable of the environment says, or n, from the one that the other says: that
// one alone where only it is said.
func seedsOf(t *testing.T, most, from string, n int) func(yield func(int) bool) {
	t.Helper()
	first := 1
	number := func(name string, into *int) bool {
		text := os.Getenv(name)
		if text == "" {
			return false
		}
		var err error
		if *into, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return true
	}
	if alone := number(from, &first); !number(most, &n) && alone {
		n = 1
	}
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(first + i) {
				return
			}
		}
	}
}

// trace logs what happened to a resource, for whoever looks into a failing seed.
func (s *storm) trace() {
	for _, o := range s.people.list {
		typ, _ := registry().Lookup(o.Type)
		last := ""
		s.t.Logf("== %s", o.ARN)
		for _, v := range s.world.History(o.Key()) {
			canon := ""
			if v.Config != nil {
				canon, _ = typ.Canon(v.Config)
			}
			s.t.Logf("%s by %s:\n%s", v.At.Format("15:04:05.000"), v.By, cmp.Diff(strings.Split(last, "\n"), strings.Split(canon, "\n")))
			last = canon
		}
		list, _ := s.look.RemediationsOf(s.t.Context(), o.Key())
		for _, r := range list {
			s.t.Logf("-- %s %s %v", r.ID, r.Control, r.Plan.Diff())
			for _, st := range r.Steps {
				s.t.Logf("   %s %s: %s", st.At.Format("15:04:05.000"), st.State, st.Why)
			}
			in, _ := s.look.Intents(s.t.Context(), r.ID)
			for _, i := range in {
				s.t.Logf("   %s step %d undo %t %s %s %s", i.At.Format("15:04:05.000"), i.Step, i.Undo, i.Operation, i.State, i.Error)
			}
		}
	}
}
