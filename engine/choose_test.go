package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"dera.example/dera"
	"dera.example/dera/detect"
	"dera.example/dera/engine"
)

// counting is a reader that notes which account is read, and holds each read until it is let go.
type counting struct {
	mu    sync.Mutex
	order []string
	at    map[string]int
	most  map[string]int
	hold  chan struct{}
}

func (c *counting) Read(ctx context.Context, s dera.Scope, _ bool) (detect.Page, error) {
	c.mu.Lock()
	c.order = append(c.order, s.Account)
	c.at[s.Account]++
	c.most[s.Account] = max(c.most[s.Account], c.at[s.Account])
	c.mu.Unlock()
	select {
	case <-c.hold:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at[s.Account]--
	return detect.Page{Missing: s.IDs}, nil
}

func (c *counting) seen(account string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.order {
		if a == account {
			n++
		}
	}
	return n
}

// TestFloodOfOneAccount: ten thousand events of one account, which are older, hold nobody else up: another account has
// every second turn at least, and what is least urgent of a third one is read too.
func TestFloodOfOneAccount(t *testing.T) {
	t.Parallel()
	const loud, quiet, third = "111122223333", "444455556666", "777788889999"
	c := &counting{at: map[string]int{}, most: map[string]int{}, hold: make(chan struct{})}
	w := newWorldWith(t, func(w *world) {
		w.config = func(e *engine.Config) {
			e.Reader, e.Workers, e.Settle = c, 4, -1
			e.Accounts = append(e.Accounts, dera.Account{ID: quiet, Partition: "aws"}, dera.Account{ID: third, Partition: "aws"})
		}
	})
	event := func(account, id string, leans dera.Leaning) dera.Event {
		ev := w.event(id)
		ev.Scope.Account, ev.Leans = account, leans
		return ev
	}
	var flood []dera.Event
	for i := range 10_000 {
		flood = append(flood, event(loud, fmt.Sprintf("sg-%d", i), dera.LeansOpen))
	}
	if err := w.engine.Ingest(t.Context(), flood, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.ingest(event(third, "sg-1", dera.LeansClosed))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.engine.Work(ctx) }()
	w.await(func() bool { return c.seen(loud) == 3 && c.seen(third) == 1 }) // nobody else wanted the last worker
	for i := range 20 {
		w.ingest(event(quiet, fmt.Sprintf("sg-%d", i), dera.LeansOpen))
	}
	for i := range 20 { // whichever read ends, the quiet account has the next turn, or the one after it
		c.hold <- struct{}{}
		w.await(func() bool { return c.seen(loud)+c.seen(third)+c.seen(quiet) == 5+i })
		if got := c.seen(quiet); got < (i+1)/2 {
			t.Fatalf("got %d reads of the quiet account after %d turns", got, i+1)
		}
	}
	close(c.hold)
	w.await(func() bool { return c.seen(loud) > 100 }) // with nobody else it has all of them
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
