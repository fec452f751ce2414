package engine_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/detect"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
	"dera.example/dera/resource"
)

// chaosMutants asks for TestChaosCatches, which takes minutes.
const chaosMutants = "DERA_CHAOS_MUTANTS"

// mutants are loops that something is wrong with, made by wrapping the ports that an
// engine is given. Those that take another source are in scripts/chaos-mutants.
func mutants() []*mutant {
	return []*mutant{
		{name: "no_second_read", config: func(s *storm, c *engine.Config) { c.Reader = &firstRead{Reader: c.Reader, s: s} }},
		{name: "no_settle", config: func(_ *storm, c *engine.Config) { c.Settle = -1 }},
		{name: "write_made_again", config: func(_ *storm, c *engine.Config) { c.Cloud = retries{c.Cloud} }},
		{name: "guard_not_asked_before_a_write", config: func(_ *storm, c *engine.Config) { c.Cloud = unguarded{c.Cloud} }},
		{name: "resolved_on_a_lost_page", config: func(s *storm, c *engine.Config) { c.Reader = &listing{Reader: c.Reader, s: s} }},
		{name: "stale_read_trusted", config: func(s *storm, c *engine.Config) { c.Cloud = &oldRead{Cloud: c.Cloud, s: s} }},
		{name: "event_dropped_while_its_look_runs", config: noMutant, swallow: true},
	}
}

// TestChaosCatches runs every mutant until a seed shows that something is wrong.
func TestChaosCatches(t *testing.T) {
	t.Parallel()
	if os.Getenv(chaosMutants) == "" {
		t.Skipf("%s is not set: it takes minutes (make long)", chaosMutants)
	}
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			for seed := range seedsOf(t, chaosSeeds, chaosSeed, 200) {
				caught := ""
				t.Run(fmt.Sprintf("seed_%d", seed), func(t *testing.T) {
					s := newStorm(t, uint64(seed), m)
					s.run()
					if len(s.broken) > 0 {
						caught = s.broken[0]
					}
				})
				if caught != "" {
					t.Logf("caught by seed %d: %.200s", seed, caught)
					return
				}
			}
			t.Error("no seed shows that anything is wrong")
		})
	}
}

// firstRead gives the first read of a resource again to whoever reads it a second
// time.
type firstRead struct {
	detect.Reader
	s    *storm
	last map[string]heldPage
}

type heldPage struct {
	page detect.Page
	at   time.Time
}

func (r *firstRead) Read(ctx context.Context, scope dera.Scope, full bool) (detect.Page, error) {
	key := fmt.Sprint(scope.Key(), full)
	if h, ok := r.last[key]; ok && r.s.clock.Now().Sub(h.at) < 10*time.Second {
		return h.page, nil
	}
	page, err := r.Reader.Read(ctx, scope, full)
	if r.last == nil {
		r.last = map[string]heldPage{}
	}
	if err == nil {
		r.last[key] = heldPage{page, r.s.clock.Now()}
	}
	return page, err
}

// retries makes a write again that fails, as SDKs do by default.
type retries struct{ remediate.Cloud }

func (c retries) Do(ctx context.Context, p dera.Plan, op resource.Operation, allowed func(context.Context) error) (string, error) {
	id, err := c.Cloud.Do(ctx, p, op, allowed)
	if err != nil && ctx.Err() == nil {
		return c.Cloud.Do(ctx, p, op, func(context.Context) error { return nil })
	}
	return id, err
}

// unguarded asks nobody right before a write: neither for the lease nor for a stop,
// nor whether the resource is still the same.
type unguarded struct{ remediate.Cloud }

func (c unguarded) Do(ctx context.Context, p dera.Plan, op resource.Operation, _ func(context.Context) error) (string, error) {
	return c.Cloud.Do(ctx, p, op, func(context.Context) error { return nil })
}

// listing takes what no page of a sweep showed for deleted.
type listing struct {
	detect.Reader
	s    *storm
	seen []string
	gone map[string]time.Time
}

func (r *listing) Read(ctx context.Context, scope dera.Scope, full bool) (detect.Page, error) {
	if len(scope.IDs) == 1 && r.s.clock.Now().Sub(r.gone[scope.Key()]) < 10*time.Second {
		return detect.Page{Missing: scope.IDs}, nil
	}
	page, err := r.Reader.Read(ctx, scope, full)
	if err != nil || !scope.Sweep() {
		return page, err
	}
	if scope.Page == "" {
		r.seen = nil
	}
	for _, x := range page.Resources {
		r.seen = append(r.seen, x.ID)
	}
	for _, o := range r.s.people.list {
		if one := scope; page.Next == "" && o.Type == scope.Type && !slices.Contains(r.seen, o.ID) {
			one.IDs, one.Page = []string{o.ID}, ""
			if r.gone == nil {
				r.gone = map[string]time.Time{}
			}
			r.gone[one.Key()] = r.s.clock.Now()
		}
	}
	return page, nil
}

// oldRead gives a remediation what it read before, for a minute.
type oldRead struct {
	remediate.Cloud
	s    *storm
	last map[dera.ARN]heldRead
}

type heldRead struct {
	r  dera.Resource
	ok bool
	at time.Time
}

func (c *oldRead) Read(ctx context.Context, p dera.Plan) (dera.Resource, bool, error) {
	if h, held := c.last[p.Resource]; held && c.s.clock.Now().Sub(h.at) < time.Minute {
		return h.r, h.ok, nil
	}
	r, ok, err := c.Cloud.Read(ctx, p)
	if c.last == nil {
		c.last = map[dera.ARN]heldRead{}
	}
	if err == nil {
		c.last[p.Resource] = heldRead{r, ok, c.s.clock.Now()}
	}
	return r, ok, err
}
