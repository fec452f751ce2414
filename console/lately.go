package console

import (
	"sync"
	"time"
)

// lately is what was made last of what takes time to make: it is made again after a second, and after
// twenty times as long as it took, so that many who look cost no more than one. What fails is not kept.
type lately[T any] struct {
	mu    sync.Mutex
	until time.Time
	made  T
}

// get returns what was made, or makes it; one at a time does.
func (l *lately[T]) get(now func() time.Time, make func() (T, error)) (T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	began := now()
	if began.Before(l.until) {
		return l.made, nil
	}
	made, err := make()
	if err != nil {
		return made, err
	}
	ended := now()
	l.made, l.until = made, ended.Add(max(time.Second, 20*ended.Sub(began)))
	return made, nil
}
