package engine_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
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
	for seed := range seeds(t, 12) {
		t.Run(fmt.Sprintf("seed_%d", seed), func(t *testing.T) {
			t.Parallel()
			s := newStorm(t, uint64(seed), nil)
			s.run()
			for _, b := range s.broken {
				t.Error(b)
			}
			if t.Failed() {
				t.Logf("again: make chaos SEED=%d", seed)
			}
			t.Logf("%s, %d processes, %d pauses, %d writes", s.world, s.processes, s.pauses, s.sends)
		})
	}
}

// seeds are those that the environment names, or the first n.
func seeds(t *testing.T, n int) func(yield func(int) bool) {
	t.Helper()
	first := 1
	if text := os.Getenv(chaosSeeds); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", chaosSeeds, err)
		}
	}
	if text := os.Getenv(chaosSeed); text != "" {
		var err error
		if first, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", chaosSeed, err)
		}
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
