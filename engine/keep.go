package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

// keepers renew the leases that this process holds while the work under them lasts. A part of it that
// takes longer than a lease, such as calls that wait for their turn or a service that answers slowly,
// must not lose it to another process, which would begin the same part again and lose it as well. A
// process that does not run renews nothing, so that others take over what it held as soon as ever. The
// zero value is ready.
type keepers struct {
	mu    sync.Mutex
	stops map[string]func()
}

// mostKept is how long a lease is renewed for one piece of work: what hangs for longer is left to others.
const mostKept = 30 * time.Minute

// keep renews a lease three times within its length, until drop or the end of ctx. It never takes one
// back that is lost.
func (k *keepers) keep(ctx context.Context, s *store.Store, l dera.Lease, ttl time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, mostKept)
	ended := make(chan struct{})
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stops == nil {
		k.stops = map[string]func(){}
	}
	k.stops[l.Resource] = func() { cancel(); <-ended }
	go func() {
		defer close(ended)
		beat := time.NewTicker(max(ttl/3, time.Millisecond))
		defer beat.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-beat.C:
			}
			if errors.Is(s.Renew(ctx, l, ttl), store.ErrFenced) {
				return // the work hears of it at its next commit
			}
		}
	}()
}

// drop ends the renewals of the lease of a resource.
func (k *keepers) drop(resource string) {
	k.mu.Lock()
	stop := k.stops[resource]
	delete(k.stops, resource)
	k.mu.Unlock()
	if stop != nil {
		stop()
	}
}
