package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/store/storetest/postgres"
)

// pair is two engines with a store each on one PostgreSQL database.
func pair(t *testing.T, set func(*world)) (*world, []*engine.Engine) {
	t.Helper()
	w := newWorldWith(t, func(w *world) {
		w.url = postgres.Start(t, postgres.Config{}).URL(t)
		set(w)
	})
	return w, []*engine.Engine{w.engine, w.newEngine("engine-2", w.openStore(w.clock.Now))}
}

// together hands each group to one of the engines, in turn, and lets both work until every group has a decision.
func (w *world) together(engines []*engine.Engine, ids []string) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	var all sync.WaitGroup
	for i, id := range ids {
		if err := engines[i%len(engines)].Ingest(ctx, []dera.Event{w.event(id)}, nil, nil); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, e := range engines {
		all.Go(func() {
			if err := e.Work(ctx); err != nil {
				w.t.Error(err)
			}
		})
	}
	w.await(func() bool {
		w.clock.Advance(200 * time.Millisecond)
		for _, id := range ids {
			list := w.remediations(id)
			if len(list) == 0 {
				return false
			}
			switch list[len(list)-1].State {
			case dera.Resolved, dera.Failed, dera.Waiting, dera.Superseded:
			default:
				return false
			}
		}
		return true
	})
	cancel()
	all.Wait()
}

// groups are as many open ones.
func (w *world) groups(name string, n int) (ids []string) {
	for i := range n {
		ids = append(ids, w.group(fmt.Sprintf("%s-%d", name, i), tcp(22, 22, "0.0.0.0/0")))
	}
	return ids
}

// TestBudgetOfTwoOnOneDatabase: two engines that decide at the same time spend one budget (invariant I12).
func TestBudgetOfTwoOnOneDatabase(t *testing.T) {
	t.Parallel()
	w, engines := pair(t, func(w *world) {
		w.config = func(c *engine.Config) { c.BudgetPerHour, c.Settle, c.Validity = 5, -1, -1 }
	})
	ids := w.groups("web", 24)
	w.together(engines, ids)
	closed := 0
	for _, id := range ids {
		if len(w.ingress(id)) == 0 {
			closed++
		}
	}
	if writes := w.count(revoke); closed != 5 || writes != 5 {
		t.Errorf("got %d of %d groups closed by %d writes, want the 5 of the budget", closed, len(ids), writes)
	}
}

// TestBreakerOfTwoOnOneDatabase: failures that one engine has keep the other one from beginning anything.
func TestBreakerOfTwoOnOneDatabase(t *testing.T) {
	t.Parallel()
	w, engines := pair(t, func(w *world) {
		w.config = func(c *engine.Config) { c.Settle, c.Validity = -1, -1 }
		w.gate = func(g *evaluate.Gate) {
			g.Plan = append(g.Plan, evaluate.Breaker{Ledger: w.store, Now: w.clock.Now, Reserve: -1})
		}
	})
	fault := w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Denied})
	w.together(engines[:1], w.groups("first", 3))
	if fault.Fired() == 0 {
		t.Fatal("no fix failed, so that this shows nothing")
	}
	fault.Remove()
	tried := w.count(revoke)
	ids := w.groups("then", 8)
	w.together(engines[1:], ids)
	if n := w.count(revoke) - tried; n != 0 {
		t.Errorf("got %d writes by the other engine with an open breaker, want none", n)
	}
	for _, id := range ids {
		if r := w.remediations(id); r[0].State != dera.Waiting {
			t.Errorf("group %s: got %s, want a plan that waits", id, r[0].State)
		}
	}
}
