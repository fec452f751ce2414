package app

import (
	"context"
	"sync"
	"time"

	"dera.example/dera/source"
	"dera.example/dera/store"
)

// rememberDelivery is the name under which it is kept when a kind of message was
// last delivered; rememberEvent, how old the newest of its events was then.
const (
	rememberDelivery = "delivery/"
	rememberEvent    = "delivery-lag/"
	// rememberTest is the name under which it is kept which test event came last, and when.
	rememberTest = "delivery-test"
)

// Noting keeps beside what handle commits when each kind of message last came,
// at most once a minute: another process asks for it (dera doctor). That it
// could not be kept does not hold the events up.
func Noting(store *store.Store, handle source.Handler) source.Handler {
	var mu sync.Mutex
	noted := map[string]time.Time{}
	return func(ctx context.Context, d source.Delivery) error {
		if err := handle(ctx, d); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		values := map[string]string{}
		for _, kind := range d.Kinds {
			if d.At.Sub(noted[kind]) < time.Minute {
				continue
			}
			noted[kind] = d.At
			values[rememberDelivery+kind] = d.At.UTC().Format(time.RFC3339)
		}
		for _, id := range d.Tests {
			values[rememberTest] = id + " " + d.At.UTC().Format(time.RFC3339Nano)
		}
		if len(values) == 0 {
			return nil
		}
		var newest time.Time
		for _, e := range d.Events {
			if e.Time.After(newest) {
				newest = e.Time
			}
		}
		if !newest.IsZero() {
			values[rememberEvent+d.Source] = d.At.Sub(newest).Truncate(time.Second).String()
		}
		_ = store.Remember(ctx, values) // the events are committed: this is for people only
		return nil
	}
}
