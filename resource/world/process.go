package world

import (
	"errors"
	"maps"
	"sync"
	"time"
)

// The steps of a process: where it can end.
const (
	// StepStore is within each transaction of the store, and at each of its reads
	// that goes by the time. A transaction that is under way still ends.
	StepStore = "store"
	StepRead  = "read"  // before a read of the cloud
	StepWrite = "write" // before a write; its intent is recorded
	// StepSigned is when nothing holds a write back any more, and StepAnswered when
	// it has taken effect and nobody knows.
	StepSigned   = "signed"
	StepAnswered = "answered"
)

// ErrDied is what every call of a process answers once it has ended.
var ErrDied = errors.New("the process died")

// Process counts the steps of an engine, and ends it at one of them. Its zero
// value lives for ever.
type Process struct {
	mu    sync.Mutex
	n     int
	steps map[string]int
	last  int
	end   func()
	dead  bool
}

// KillAt ends the process at the n-th step from now on, by end, which closes what
// the process holds; 0 never ends it. Reads of the cloud are not counted: a process
// that ends at one leaves what it left at the step before.
func (p *Process) KillAt(n int, end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n, p.last, p.end, p.steps = 0, n, end, nil
}

// Step is where the process may end.
func (p *Process) Step(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.steps == nil {
		p.steps = map[string]int{}
	}
	if p.steps[name]++; name != StepRead { // one leaves nothing behind
		p.n++
	}
	if p.n == p.last && !p.dead {
		p.dead = true
		p.end()
	}
	if p.dead {
		return ErrDied
	}
	return nil
}

// Clock is a clock for the store of the process: the store asks for the time once
// in each transaction.
func (p *Process) Clock(now func() time.Time) func() time.Time {
	return func() time.Time {
		_ = p.Step(StepStore) // it cannot fail here; it can be the last one
		return now()
	}
}

// Dead reports whether the process has ended.
func (p *Process) Dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// Steps is how many steps KillAt has counted, and how many there were, by name.
func (p *Process) Steps() (n int, byName map[string]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n, maps.Clone(p.steps)
}
