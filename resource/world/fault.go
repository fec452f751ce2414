package world

import (
	"context"
	"fmt"
	"time"
)

// Faults are the chances, from 0 to 1, of what goes wrong.
type Faults struct {
	// Throttle turns a call away, Hang keeps its answer back until the client gives
	// up, and Expired ends the client's credentials for up to 20 s.
	Throttle, Hang, Expired float64
	// Denied is a call that is not permitted: of a write as a whole, of a read for
	// one resource, which is then not known.
	Denied float64
	// Lag lets reads be behind a change, Stale shows any older state, and Absent says
	// that a resource does not exist; each for less than Config.Settle. LostPage
	// leaves the resources of a page out.
	Lag, Stale, Absent, LostPage float64
	// LostAnswer is a write that takes effect and fails; NoEffect one that does
	// nothing and succeeds.
	LostAnswer, NoEffect float64
	// Duplicate delivers an event twice, and Drop never.
	Duplicate, Drop float64
	// Meanwhile is the chance of Config.Meanwhile at each place of a call.
	Meanwhile float64
}

// Error is an answer of the service, or that there is none.
type Error struct {
	Code                     string
	refused, passing, denied bool
	cause                    error
}

// Error implements error.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %v", e.Code, e.cause)
	}
	return e.Code
}

// Unwrap returns what the resource's type said.
func (e *Error) Unwrap() error { return e.cause }

// Refused reports whether the service said that it did not carry the request out.
func (e *Error) Refused() bool { return e.refused }

// Passing reports whether the reason has nothing to do with the request.
func (e *Error) Passing() bool { return e.passing }

// Denied reports whether a permission is missing.
func (e *Error) Denied() bool { return e.denied }

// movedError means that nothing was sent.
type movedError struct{}

// Error implements error.
func (movedError) Error() string {
	return "the configuration is not the one that the operation expects, so nothing was sent"
}

// Moved reports to package remediate that nothing was sent.
func (movedError) Moved() bool { return true }

// unreadError means that the configuration is not known.
type unreadError struct{ why string }

// Error implements error.
func (e unreadError) Error() string { return "the configuration is not known: " + e.why }

// Unread tells package remediate that another read may do.
func (unreadError) Unread() bool { return true }

// view is what reads of a resource show until a time.
type view struct {
	Version
	until time.Time
}

// see returns what a read shows of a resource.
func (w *World) see(t *thing) any {
	now := w.cfg.Now()
	if w.calm {
		return t.Config
	}
	// Two wrong views with little between them would look like two equal reads.
	if now.After(t.wrong.until.Add(4 * w.cfg.Settle)) {
		shown, begins := t.Config, true
		switch f := w.cfg.Faults; {
		case w.chance(f.Stale) && len(t.past) > 1:
			shown = t.past[w.rand.IntN(len(t.past)-1)].Config
		case w.chance(f.Absent):
			shown = nil
		default:
			begins = false
		}
		if begins {
			t.wrong = view{Version{At: now, Config: shown}, now.Add(w.within(w.cfg.Settle))}
		}
	}
	if !now.Before(t.wrong.until) {
		return t.Config
	}
	if !same(t.wrong.Config, t.Config) {
		t.untrue = append(t.untrue, now)
	}
	return t.wrong.Config
}

func same(a, b any) bool { return a == b } // configurations are pointers that nobody changes

// call is what can go wrong with any call, before it does anything.
func (c *Client) call(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.credentials(); err != nil {
		return err
	}
	w := c.world
	w.mu.Lock()
	f := w.cfg.Faults
	throttle, hang := w.chance(f.Throttle), w.chance(f.Hang)
	w.mu.Unlock()
	switch {
	case throttle:
		return &Error{Code: "Throttling", refused: true, passing: true}
	case hang:
		return w.hang(ctx)
	}
	return nil
}

// hang lets the time of a call pass without an answer.
func (w *World) hang(ctx context.Context) error {
	if err := w.cfg.Wait(ctx, w.cfg.Timeout); err != nil {
		return err
	}
	return &Error{Code: "RequestTimeout", cause: context.DeadlineExceeded}
}

// credentials fail for a while once they have run out.
func (c *Client) credentials() error {
	w := c.world
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.cfg.Now()
	if w.calm {
		return nil
	}
	if w.chance(w.cfg.Faults.Expired) {
		c.expired = now.Add(w.within(20 * time.Second))
	}
	if now.Before(c.expired) {
		return &Error{Code: "ExpiredToken", refused: true, passing: true}
	}
	return nil
}

func (c *Client) meanwhile(call Call) {
	w := c.world
	w.mu.Lock()
	now := w.cfg.Meanwhile != nil && w.chance(w.cfg.Faults.Meanwhile)
	w.mu.Unlock()
	if now {
		call.By = c.name
		w.cfg.Meanwhile(call)
	}
}

// chance is whether something happens.
func (w *World) chance(p float64) bool {
	happens := !w.calm && p > 0 && w.rand.Float64() < p
	if happens {
		w.faults++
	}
	return happens
}

// Faults is how many times something went wrong, or happened meanwhile.
func (w *World) Faults() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.faults
}

// within is a part of d, of whole milliseconds, at least one and less than d.
func (w *World) within(d time.Duration) time.Duration {
	return time.Millisecond * time.Duration(1+w.rand.Int64N(max(1, d.Milliseconds()-1)))
}
