package engine

import (
	"hash/fnv"
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

// alone locks what this process knows of resources: between reading their
// findings and committing them, nobody else here changes them.
func (e *Engine) alone(resourceKeys ...string) (unlock func()) {
	locks := make([]int, len(resourceKeys))
	for i, key := range resourceKeys {
		h := fnv.New32a()
		h.Write([]byte(key)) // never fails (package hash)
		locks[i] = int(h.Sum32() % uint32(len(e.deciding)))
	}
	slices.Sort(locks) // in one order, so that two callers cannot block each other
	locks = slices.Compact(locks)
	for _, i := range locks {
		e.deciding[i].Lock()
	}
	return func() {
		for _, i := range locks {
			e.deciding[i].Unlock()
		}
	}
}
