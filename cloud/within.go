package cloud

import (
	"context"
	"sync"
	"time"
)

// within is context.WithTimeout whose time does not pass while a call waits for its turn: a read that has to wait
// for its share of the calls has not failed.
func within(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	w := &window{Context: parent, done: make(chan struct{}), left: d, since: time.Now()}
	w.outer, _ = parent.Value(windowKey{}).(*window)
	w.timer = time.AfterFunc(d, func() { w.end(context.DeadlineExceeded) })
	if err := parent.Err(); err != nil {
		w.end(err)
	}
	stop := context.AfterFunc(parent, func() { w.end(parent.Err()) })
	return w, func() { stop(); w.end(context.Canceled) }
}

// Within is the time that a part of a read may take, without that in which its calls wait for their turn.
func (r *Reading) Within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return within(ctx, d)
}

type windowKey struct{}

// window is the context of within.
type window struct {
	context.Context
	outer *window
	done  chan struct{}

	mu      sync.Mutex
	err     error
	timer   *time.Timer
	left    time.Duration // at since
	since   time.Time
	waiting int // calls that wait for their turn
	stopped time.Time
	paused  time.Duration // in all
}

var _ context.Context = (*window)(nil)

// Deadline implements context.Context: the end moves, so that none is told.
func (*window) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (w *window) Done() <-chan struct{} { return w.done }

// Err implements context.Context.
func (w *window) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Value implements context.Context.
func (w *window) Value(key any) any {
	if _, ok := key.(windowKey); ok {
		return w
	}
	return w.Context.Value(key)
}

func (w *window) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
		w.timer.Stop()
		close(w.done)
	}
}

// pausing stops the time of all windows of the context until the function that it returns is called.
func pausing(ctx context.Context) (resume func()) {
	first, _ := ctx.Value(windowKey{}).(*window)
	for w := first; w != nil; w = w.outer {
		w.mu.Lock()
		if w.waiting++; w.waiting == 1 && w.err == nil && w.timer.Stop() {
			w.stopped = time.Now()
			w.left -= w.stopped.Sub(w.since)
		}
		w.mu.Unlock()
	}
	return func() {
		for w := first; w != nil; w = w.outer {
			w.mu.Lock()
			if w.waiting--; w.waiting == 0 && w.err == nil {
				w.since = time.Now()
				w.paused += w.since.Sub(w.stopped)
				w.timer.Reset(max(w.left, 0))
			}
			w.mu.Unlock()
		}
	}
}

// pausedFor is for how long the calls of the outermost window have waited for their turn.
func pausedFor(ctx context.Context) (d time.Duration) {
	for w, _ := ctx.Value(windowKey{}).(*window); w != nil; w = w.outer {
		w.mu.Lock()
		d = max(d, w.paused)
		w.mu.Unlock()
	}
	return d
}
