package world

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// delivery is an event on its way.
type delivery struct {
	at    time.Time
	event dera.Event
}

// emit sends the event of a change on its way: it comes after others that were
// sent later, twice, or never.
func (w *World) emit(t *thing, by, name string) {
	ev := dera.Event{
		Source: "world", ID: "e-" + w.id(), Name: name, Actor: by, Authenticated: true, Time: w.cfg.Now(),
		Scope: dera.Scope{Partition: t.Partition, Account: t.Account, Region: t.Region, Type: t.Type, IDs: []string{t.ID}},
	}
	if w.chance(w.cfg.Faults.Drop) {
		w.lost++
		return
	}
	w.events = append(w.events, delivery{ev.Time.Add(w.within(w.cfg.Delay)), ev})
	if w.chance(w.cfg.Faults.Duplicate) {
		w.events = append(w.events, delivery{ev.Time.Add(w.within(20 * w.cfg.Delay)), ev})
	}
}

// eventName is the name that CloudTrail has for an operation.
func eventName(operation string) string {
	_, name, found := strings.Cut(operation, ":")
	if !found {
		return operation
	}
	return name
}

// Due takes the events that have arrived, in the order in which they did.
func (w *World) Due() []dera.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.cfg.Now()
	slices.SortStableFunc(w.events, func(a, b delivery) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	n := 0
	for n < len(w.events) && !w.events[n].at.After(now) {
		n++
	}
	var out []dera.Event
	for _, d := range w.events[:n] {
		out = append(out, d.event)
	}
	w.events = slices.Delete(w.events, 0, n)
	return out
}

// Return gives back events that could not be taken; they arrive again.
func (w *World) Return(events []dera.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ev := range events {
		w.events = append(w.events, delivery{w.cfg.Now(), ev})
	}
}

// Next is when the next event arrives; ok is false where none is on its way.
func (w *World) Next() (at time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.events {
		if !ok || d.at.Before(at) {
			at, ok = d.at, true
		}
	}
	return at, ok
}

// Coming reports whether an event of the resource with the key is on its way.
func (w *World) Coming(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.events, func(d delivery) bool {
		s := d.event.Scope
		t := w.find(key)
		return t != nil && s.Type == t.Type && slices.Contains(s.IDs, t.ID)
	})
}

// Lost is how many events were never sent on their way.
func (w *World) Lost() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// String counts what there is, for logs of tests.
func (w *World) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, t := range w.things {
		n += len(t.past) - 1
	}
	return fmt.Sprintf("%d resources, %d changes, %d events on their way, %d lost", len(w.things), n, len(w.events), w.lost)
}
