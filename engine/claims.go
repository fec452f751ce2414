package engine

import (
	"slices"
	"sync"
)

// claims are names of which each is held by one goroutine of this process at
// most. The zero value is ready.
type claims struct {
	mu   sync.Mutex
	held map[string]bool
}

// take returns false if someone holds the name.
func (c *claims) take(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[name] {
		return false
	}
	if c.held == nil {
		c.held = map[string]bool{}
	}
	c.held[name] = true
	return true
}

func (c *claims) give(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, name)
}

// locks are locks by name, of which each is there as long as somebody holds it or waits for
// it: two names are never in each other's way. The zero value is ready.
type locks struct {
	mu    sync.Mutex
	known map[string]*lock
}

type lock struct {
	sync.Mutex
	users int // who holds it and who waits
}

// take waits until all names are held, and returns what gives them back.
func (l *locks) take(names ...string) (give func()) {
	names = slices.Clone(names)
	slices.Sort(names) // in one order, so that two callers cannot block each other
	names = slices.Compact(names)
	held := make([]*lock, len(names))
	for i, name := range names {
		held[i] = l.use(name)
		held[i].Lock()
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for i, name := range names {
			held[i].Unlock()
			if held[i].users--; held[i].users == 0 {
				delete(l.known, name)
			}
		}
	}
}

func (l *locks) use(name string) *lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.known[name]
	if k == nil {
		if l.known == nil {
			l.known = map[string]*lock{}
		}
		k = &lock{}
		l.known[name] = k
	}
	k.users++
	return k
}

// alone locks what this process knows of resources: between reading their
// findings and committing them, nobody else here changes them.
func (e *Engine) alone(resourceKeys ...string) (unlock func()) {
	return e.deciding.take(resourceKeys...)
}
