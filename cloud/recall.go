package cloud

import (
	"context"
	"sync"
	"time"

	"dera.example/dera"
)

// recallFor is how long what was read of a resource may stand in for reading it once more as the
// surroundings of another one. A sweep reads the buckets of an account and then its block, which is about
// all of them; to read thousands of them twice would use up the account's own API quota.
const recallFor = 30 * time.Second

// recall keeps what was read lately of types with a [Wire.Recall]. It is safe for concurrent use. What is older
// than recallFor goes a generation at a time.
type recall struct {
	mu       sync.Mutex
	now, old map[recallKey]dera.Resource
	turned   time.Time
	wrote    time.Time // the end of the last write
}

type recallKey struct{ resourceType, account, region, id string }

// keep remembers resources that were read without a doubt.
func (k *recall) keep(w *Wire, list []dera.Resource, at time.Time) {
	if w.Recall == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now == nil || at.Sub(k.turned) >= recallFor {
		k.old, k.now, k.turned = k.now, map[recallKey]dera.Resource{}, at
	}
	for _, r := range list {
		key := recallKey{r.Type, r.Account, r.Region, r.ID}
		had := k.now[key]
		if had.ReadAt.IsZero() {
			had = k.old[key]
		}
		if r.ReadAt.Before(had.ReadAt) || r.ReadAt.Before(k.wrote) { // a read that took longer says what was
			continue
		}
		delete(k.old, key)
		delete(k.now, key)
		if r.Unread == "" && r.Config != nil {
			r.Config = w.Recall(r.Config)
			k.now[key] = r
		}
	}
}

// find returns what is remembered of the resources that the scope names, and the IDs of the others.
func (k *recall) find(w *Wire, scope dera.Scope, at time.Time) (known []dera.Resource, others []string) {
	if w.Recall == nil {
		return nil, scope.IDs
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, id := range scope.IDs {
		key := recallKey{scope.Type, scope.Account, scope.Region, id}
		r, ok := k.now[key]
		if !ok {
			r, ok = k.old[key]
		}
		if age := at.Sub(r.ReadAt); !ok || age < 0 || age >= recallFor {
			others = append(others, id)
			continue
		}
		r.Config = w.Recall(r.Config)
		known = append(known, r)
	}
	return known, others
}

// forget drops everything, also what reads that are under way will bring: something was written.
func (k *recall) forget(at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now, k.old, k.wrote = nil, nil, at
}

// Read reads resources of another type, as a part of this read: what is read once
// for all is not read again, and of a type with a [Wire.Recall] what was read within recallFor stands, each
// with the time at which it was read.
func (r *Reading) Read(ctx context.Context, scope dera.Scope) (Page, error) {
	w, err := r.client.wire(scope.Type)
	if err != nil {
		return Page{}, err
	}
	nested := *r
	nested.Scope, nested.At = scope, r.client.now()
	if scope.Sweep() || r.fresh || r.again { // before a write nothing counts that a look of another resource read
		return nested.run(ctx, w)
	}
	known, others := r.client.recalled.find(w, scope, nested.At)
	var page Page
	var cheap []dera.Resource
	for _, x := range known {
		if r.Full && !x.Full {
			cheap = append(cheap, x)
		} else {
			page.Resources = append(page.Resources, x)
		}
	}
	add := func(p Page, err error) error {
		page.Resources, page.Missing = append(page.Resources, p.Resources...), append(page.Missing, p.Missing...)
		return err
	}
	if len(cheap) > 0 {
		if err := add(nested.complete(ctx, w, cheap)); err != nil {
			return Page{}, err
		}
	}
	if len(others) > 0 {
		nested.Scope.IDs = others
		if err := add(nested.run(ctx, w)); err != nil {
			return Page{}, err
		}
	}
	return page, nil
}
