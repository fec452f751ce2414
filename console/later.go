package console

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dera.example/dera/app"
)

// patience is how long a person waits for what an order comes to; then the page shows the steps.
const patience = 3 * time.Second

// later holds the orders that go on while nobody waits for them, and what went wrong with those that
// ended so.
type later struct {
	patience time.Duration
	ended    func(ctx context.Context, id string, err error) string // takes note of one that nobody waited for; the text is for its page
	shown    func()                                                 // makes pages show it

	mu      sync.Mutex
	running map[string]*goingOn
	trouble map[string]string
	closed  bool // no order begins any more
	all     sync.WaitGroup
}

// goingOn is an order that is being carried out.
type goingOn struct{ late bool }

func newLater(patience time.Duration, ended func(ctx context.Context, id string, err error) string, shown func()) *later {
	return &later{patience: patience, ended: ended, shown: shown, running: map[string]*goingOn{}, trouble: map[string]string{}}
}

// do carries out an order about an ID, one at a time, and waits for its end for a moment. Nil is that
// it was carried out, or goes on.
func (l *later) do(ctx context.Context, id string, order func() error) error {
	o, err := l.begin(id)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		defer l.all.Done()
		err := tried(order)
		l.end(ctx, id, o, err)
		ended <- err
	}()
	t := time.NewTimer(l.patience)
	defer t.Stop()
	select {
	case err := <-ended:
		return err
	case <-t.C:
	}
	l.mu.Lock()
	o.late = l.running[id] == o
	l.mu.Unlock()
	if o.late {
		return nil
	}
	return <-ended
}

func (l *later) begin(id string) (*goingOn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, &Refused{Why: "dera is ending"}
	case l.running[id] != nil:
		return nil, &Refused{Why: "an order about it is being carried out"}
	}
	o := &goingOn{}
	l.running[id] = o
	delete(l.trouble, id)
	l.all.Add(1)
	return o, nil
}

// end notes what an order came to. Whoever waits for it hears it; else its page says so.
func (l *later) end(ctx context.Context, id string, o *goingOn, err error) {
	l.mu.Lock()
	delete(l.running, id)
	late := o.late
	l.mu.Unlock()
	if !late {
		return
	}
	defer l.shown() // after it is there
	text := l.ended(ctx, id, err)
	if text == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for other := range l.trouble {
		if len(l.trouble) < mostEntries {
			break
		}
		delete(l.trouble, other) // the log has it
	}
	l.trouble[id] = text
}

// tried carries out an order. One that panics fails alone: it has no request whose server would
// recover.
func tried(order func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the order panicked: %v", p)
		}
	}()
	return order()
}

// of is what went wrong with the last order about an ID.
func (l *later) of(id string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trouble[id]
}

// endedLate says what became of an order that nobody waited for.
func (c *Console) endedLate(ctx context.Context, id string, err error) string {
	if err == nil {
		return ""
	}
	var refused *Refused
	why := "it is not known whether it was carried out; the log of dera says why"
	if errors.As(err, &refused) {
		why = refused.Why
	} else {
		c.cfg.Log.ErrorContext(ctx, "an order of the console failed", "remediation", id, "err", err)
	}
	return "The rollback that was ordered here ended " + app.Stamp(c.cfg.Now()) + ": " + why
}

// Wait takes no more orders, and waits for those that go on until ctx is done.
func (c *Console) Wait(ctx context.Context) error {
	c.later.mu.Lock()
	c.later.closed = true
	c.later.mu.Unlock()
	done := make(chan struct{})
	go func() { c.later.all.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("a rollback that was ordered in the console goes on; the next start settles what it leaves open: %w", ctx.Err())
	}
}
