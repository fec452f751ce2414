package source

import (
	"context"
	"sync"
	"time"
)

// silence notices that a source has fallen silent: a rule that was switched off
// or a queue policy that was changed looks just like a quiet day.
type silence struct {
	threshold time.Duration
	tell      func(ctx context.Context, since time.Time)

	mu       sync.Mutex
	begin    time.Time // of the first Run
	last     time.Time // of the last delivery
	reported bool      // of this silence
}

func (s *silence) start(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begin.IsZero() {
		s.begin = now
	}
}

func (s *silence) delivered(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.reported = now, false
}

// check tells of a silence once.
func (s *silence) check(ctx context.Context, now time.Time) {
	if since, due := s.due(now); due {
		s.tell(ctx, since)
	}
}

func (s *silence) due(now time.Time) (since time.Time, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	since = moment(s.last, s.begin)
	due = s.threshold > 0 && !s.reported && now.Sub(since) >= s.threshold
	s.reported = s.reported || due
	return since, due
}
