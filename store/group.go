package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	lite "modernc.org/sqlite"
)

// group joins changes that wait for the database at the same time: while one transaction
// is under way, those that come are gathered for the next. Whoever comes when none is
// writes at once, in a transaction of its own; nobody waits for company.
//
// Who leads writes. The lead goes on to the change that has waited longest.
type group struct {
	mu      sync.Mutex
	waiting []*member
	busy    bool // somebody leads
}

// What is joined at most.
const (
	mostMembers = 256
	mostWritten = 8192    // rows
	mostBytes   = 4 << 20 // of texts and bodies
)

// patience is how long a caller whose context is over waits for the end of the transactions
// that its batches are in.
const patience = 5 * time.Second

// member is a change that waits.
type member struct {
	ctx    context.Context
	change *change
	lead   chan struct{} // closed when it is to lead
	done   chan struct{} // closed when err or alone is set
	err    error
	alone  bool // it is to be written alone
	// late is closed when the patience is over of who entered it, from the first time on that
	// it is asked for.
	late func() <-chan struct{}
}

// join commits a change, with others that wait.
func (s *Store) join(ctx context.Context, c *change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.wait(s.group.enter(ctx, c)[0])
}

// joinEach commits changes as join does one, each with its own result. It enters all of them before it
// waits for the first, so that what fits shares a transaction.
func (s *Store) joinEach(ctx context.Context, list []*change) []error {
	out := make([]error, len(list))
	if err := ctx.Err(); err != nil {
		for i := range out {
			out[i] = err
		}
		return out
	}
	members, waited := s.group.enter(ctx, list...), 0
	defer func() { // after a panic nobody else would take the lead that one of the rest is given
		for _, m := range members[waited:] {
			s.group.leave(m)
		}
	}()
	for i, m := range members { // in their order: the first that is left is the one that is given the lead
		waited = i + 1
		out[i] = s.wait(m)
	}
	return out
}

// enter has changes wait, in their order. The first of them leads when nobody does.
func (g *group) enter(ctx context.Context, list ...*change) []*member {
	out := make([]*member, len(list))
	late := sync.OnceValue(func() <-chan struct{} {
		over := make(chan struct{})
		time.AfterFunc(patience, func() { close(over) })
		return over
	})
	for i, c := range list {
		out[i] = &member{ctx: ctx, change: c, lead: make(chan struct{}), done: make(chan struct{}), late: late}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, out...)
	if !g.busy {
		g.pass()
	}
	return out
}

// wait waits until a member is written, and leads when it is its turn.
func (s *Store) wait(m *member) error {
	select {
	case <-m.lead:
		return s.leads(m)
	case <-m.done:
	case <-m.ctx.Done():
		if s.group.leave(m) {
			return m.ctx.Err()
		}
	}
	return s.await(m)
}

// leads writes what waits; m is the first of it.
func (s *Store) leads(m *member) error {
	list := s.group.take()
	if len(list) == 1 {
		defer s.group.next() // also after a panic
		return s.alone(m.ctx, m.change, true)
	}
	go s.together(list)
	return s.await(m)
}

// await waits for the end of the transaction that m is in.
func (s *Store) await(m *member) error {
	select {
	case <-m.done:
	case <-m.ctx.Done():
		select {
		case <-m.done:
		case <-m.late():
			return fmt.Errorf("%w, and the database has not answered: nobody knows whether it is committed", m.ctx.Err())
		}
	}
	if m.alone {
		return s.alone(m.ctx, m.change, true)
	}
	return m.err
}

// leave takes a change out that nobody has begun to write.
func (g *group) leave(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, o := range g.waiting {
		if o != m {
			continue
		}
		g.waiting = append(g.waiting[:i:i], g.waiting[i+1:]...)
		select {
		case <-m.lead: // it had the lead
			g.pass()
		default:
		}
		return true
	}
	return false
}

// next passes the lead on.
func (g *group) next() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pass()
}

func (g *group) pass() {
	if g.busy = len(g.waiting) > 0; g.busy {
		close(g.waiting[0].lead)
	}
}

// take takes the first that waits, and all others that can be joined to it.
func (g *group) take() []*member {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out, left []*member
	touched, rows, bytes := map[string]bool{}, 0, 0
	for i, m := range g.waiting {
		c := m.change
		if i > 0 && (len(out) == mostMembers || rows+c.count > mostWritten || bytes+c.size > mostBytes || !c.fits(touched)) {
			left = append(left, m)
			continue
		}
		for name, alone := range c.touches {
			touched[name] = touched[name] || alone
		}
		out, rows, bytes = append(out, m), rows+c.count, bytes+c.size
	}
	g.waiting = left
	return out
}

// fits reports whether a change can be joined to those that touch these names.
func (c *change) fits(touched map[string]bool) bool {
	for name, alone := range c.touches {
		if other, there := touched[name]; there && (alone || other) {
			return false
		}
	}
	return true
}

// together writes changes in one transaction. Where that fails for a reason that can lie in
// one of them, each is written alone.
func (s *Store) together(list []*member) {
	defer s.group.next()
	ctx, end := shared(list)
	defer end()
	changes := make([]*change, len(list))
	for i, m := range list {
		changes[i] = m.change
	}
	verdicts, err := s.joined(ctx, changes)
	var ended endError
	everybody := errors.As(err, &ended) || unanswered(err)
	for i, m := range list {
		switch {
		case err == nil:
			m.err = verdicts[i]
		case everybody:
			m.err = err
		default:
			m.alone = true
		}
		close(m.done)
	}
}

// joined is turnOf that does not panic.
func (s *Store) joined(ctx context.Context, changes []*change) (verdicts []error, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it broke: %v", p)
		}
	}()
	return s.turnOf(ctx, changes, true)
}

// shared is a context that ends when those of all members have.
func shared(list []*member) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(list[0].ctx))
	var left atomic.Int64
	left.Store(int64(len(list)))
	stops := make([]func() bool, 0, len(list))
	for _, m := range list {
		stops = append(stops, context.AfterFunc(m.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		}))
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

// unanswered reports whether an error is no answer of the database: it lies in no change.
func unanswered(err error) bool {
	_, coded := postgresCode(err)
	var local *lite.Error
	return err != nil && !coded && !errors.As(err, &local) && Away(err)
}

// alone writes a change in a transaction of its own. Without loop it waits for other
// writers of the ledger alone.
func (s *Store) alone(ctx context.Context, c *change, loop bool) error {
	verdicts, err := s.turnOf(ctx, []*change{c}, loop)
	if err != nil {
		return err
	}
	return verdicts[0]
}

// turnOf writes changes in one transaction, and returns why each was refused, if it was.
// An error of all that is an endError leaves open whether they are there; with any other
// none is.
func (s *Store) turnOf(ctx context.Context, changes []*change, loop bool) ([]error, error) {
	t := &turn{Store: s, changes: changes}
	err := s.session(ctx, func(ctx context.Context, open session) error {
		t.session = open
		if err := t.take(ctx, loop); err != nil {
			return err
		}
		if len(t.fits()) == 0 {
			return nil // and nothing is written
		}
		return t.write(ctx)
	})
	return t.verdicts, err
}
