package engine

import (
	"hash/fnv"
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

// alone locks what this process knows of a resource: between reading its
// findings and committing them, nobody else here changes them.
func (e *Engine) alone(resourceKey string) (unlock func()) {
	h := fnv.New32a()
	h.Write([]byte(resourceKey)) // never fails (package hash)
	mu := &e.deciding[h.Sum32()%uint32(len(e.deciding))]
	mu.Lock()
	return mu.Unlock
}
