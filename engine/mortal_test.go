package engine_test

import (
	"sync"

	"dera.example/dera/awssim"
)

// diedError is what every call answers once the process is dead.
type diedError struct{}

func (diedError) Error() string { return "the process died" }

// CanceledError keeps the SDK from waiting and trying again.
func (diedError) CanceledError() bool { return true }

// mortal lets the engines of the world die at their k-th step: the database is gone
// for them from that moment on, and so is the network. A transaction that is under
// way still ends, as in a process that dies right after it; around a call they die
// before its effect and after it. TestCrashMatrix does so at every step of a world
// of types.
func (w *world) mortal(k int) (steps func() int) {
	var mu sync.Mutex
	n, dead, mine := 0, false, w.store
	w.step = func(string) error {
		mu.Lock()
		defer mu.Unlock()
		n++
		if n == k && !dead && k > 0 {
			dead = true
			_ = mine.Close()
		}
		if dead {
			return diedError{}
		}
		return nil
	}
	return func() int { mu.Lock(); defer mu.Unlock(); return n }
}

// diesAt lets the engine of the world die while the first call that fits is on its
// way.
func (w *world) diesAt(m awssim.Match) {
	dead, mine := false, w.store
	w.step = func(string) error {
		if dead {
			return diedError{}
		}
		return nil
	}
	w.cloud.Inject(awssim.Fault{Match: m, Kind: awssim.Hook, Times: 1, Func: func() { dead = true; _ = mine.Close() }})
}

// reborn opens a new engine on what the dead one left.
func (w *world) reborn() {
	w.t.Helper()
	w.step = nil
	_ = w.store.Close()
	w.open("engine-2")
	if err := w.engine.Start(w.t.Context(), "test"); err != nil {
		w.t.Fatal(err)
	}
	w.quiet()
}
