package store

import (
	"context"
	"testing/synctest"
)

// Together commits batches as if all of them had come while a transaction was under way. It
// returns the error of each, in which order they were committed, and in how many transactions.
func (s *Store) Together(ctx context.Context, batches []Batch) (errs []error, order []int, groups int) {
	var members []*member
	errs = make([]error, len(batches))
	at := map[*member]int{}
	for i, b := range batches {
		c, err := s.change(b)
		if err != nil {
			errs[i] = err
			continue
		}
		m := &member{ctx: ctx, change: c, lead: make(chan struct{}), done: make(chan struct{})}
		members, at[m] = append(members, m), i
	}
	s.group.mu.Lock()
	s.group.waiting, s.group.busy = members, true
	s.group.mu.Unlock()
	for left := len(members); left > 0; {
		list := s.group.take()
		left -= len(list)
		groups++
		s.together(list)
		for _, m := range list {
			if m.alone {
				m.err = s.alone(ctx, m.change, true)
			}
			errs[at[m]], order = m.err, append(order, at[m])
		}
	}
	return errs, order, groups
}

// TakeWrites says whether the SQLite database takes writes, as one that is full does not.
func (s *Store) TakeWrites(ctx context.Context, takes bool) error {
	pragma := "PRAGMA query_only = 1"
	if takes {
		pragma = "PRAGMA query_only = 0"
	}
	_, err := s.write.DB.ExecContext(ctx, pragma)
	return err
}

// Unanswered commits batches that a transaction takes which never ends, and ends their context
// then. It is called in a bubble of synctest.
func (s *Store) Unanswered(ctx context.Context, batches []Batch) ([]error, error) {
	var changes []*change
	for _, b := range batches {
		c, err := s.change(b)
		if err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.group.busy = true
	go func() {
		synctest.Wait()
		s.group.take()
		cancel()
	}()
	return s.joinEach(ctx, changes), nil
}
