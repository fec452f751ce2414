package engine

import (
	"context"
	"strings"
	"sync"

	"dera.example/dera"
	"dera.example/dera/store"
)

// shares are the accounts of the jobs that this process runs. The zero value is ready.
type shares struct {
	mu    sync.Mutex
	busy  map[string]int
	after string // the account that had its turn last
}

// claim claims up to free jobs, and no more of one account than half of the workers while others wait: events of one
// account, however many, hold nobody else up.
func (e *Engine) claim(ctx context.Context, free int) ([]dera.Job, error) {
	s := &e.shares
	s.mu.Lock()
	f := store.Fair{Most: (e.cfg.Workers + 1) / 2, Busy: map[string]int{}, After: s.after}
	for a, n := range s.busy {
		f.Busy[a] = n
	}
	s.mu.Unlock()
	jobs, err := e.cfg.Store.ClaimFair(ctx, e.cfg.Owner, free, e.cfg.LeaseTTL, f)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range jobs {
		a := accountOf(j)
		if a == "" {
			continue
		}
		if s.busy == nil {
			s.busy = map[string]int{}
		}
		s.busy[a]++
		s.after = a
	}
	return jobs, err
}

// ended notes that a claimed job does not run any more.
func (s *shares) ended(j dera.Job) {
	a := accountOf(j)
	if a == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[a]--; s.busy[a] <= 0 {
		delete(s.busy, a)
	}
}

// accountOf is the account of a look, as the store has it: the second part of its key; "" for other jobs.
func accountOf(j dera.Job) string {
	part := strings.SplitN(j.Key, "/", 3)
	if j.Kind != lookJob || len(part) < 3 {
		return ""
	}
	return part[1]
}
