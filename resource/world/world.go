// Package world is an AWS of typed configurations, for tests of the loop: every
// registered resource type lives in it, and the type's own Apply is the cloud. A
// Client of it is what an engine reads and writes through, with faults that follow
// from a seed; every applied write emits an event. It knows no resource type, no
// wall clock and no network, so that a run is the same each time.
//
// Layer: may import the words and resource.
package world

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Config is what New needs.
type Config struct {
	Types resource.Registry
	// Seed decides everything that is left to chance.
	Seed uint64
	// Now is the time, and Wait lets time pass.
	Now  func() time.Time
	Wait func(ctx context.Context, d time.Duration) error
	// Faults are what goes wrong until Calm; the zero value is an AWS without any.
	Faults Faults
	// Settle is longer than any read is wrong; 0 means 2 s. Two equal reads that lie
	// that far apart show what was there between them.
	Settle time.Duration
	// Timeout is how long a call hangs before its client gives up; 0 means 20 s.
	Timeout time.Duration
	// Delay is the longest time until an event is delivered; 0 means 5 s.
	Delay time.Duration
	// PageSize is how many resources a page of a sweep has; 0 means 3.
	PageSize int
	// Assign fills in what the service itself assigns to a configuration that was
	// written, such as the IDs of its parts. It may change config. nil assigns
	// nothing.
	Assign func(config any, id func() string)
	// Neighbours returns a configuration with what it shows of other resources; of
	// lists these, as they are. nil leaves it as it is.
	Neighbours func(config any, full bool, of func(typ string) []dera.Resource) any
	// Conflict reports whether a client that compares right before a write finds
	// another configuration than the operation expects. nil compares nothing.
	Conflict func(config any, op resource.Operation) bool
	// Meanwhile, with a chance of Faults.Meanwhile, is called during a call of a
	// client: others write then, time passes, events are delivered. It may call the
	// world, also through other clients.
	Meanwhile func(Call)
	// Denied, where it is true, turns a write away for want of a permission; nil does
	// so by Faults alone.
	Denied func(Call) bool
	// Sent is called for every request that reaches the service, before its effect.
	Sent func(Call)
}

// Call is one call of a client.
type Call struct {
	By    string // the client's principal
	Scope dera.Scope
	// Plan and Operation are set for writes. Signed says that nothing holds the
	// request back any more.
	Plan      *dera.Plan
	Operation resource.Operation
	Signed    bool
}

// World is safe for concurrent use.
type World struct {
	cfg Config

	mu     sync.Mutex
	rand   *rand.Rand
	things []*thing
	events []delivery
	lost   int
	faults int
	ids    int
	calm   bool
}

// thing is one resource; its Config is nil once it is deleted.
type thing struct {
	dera.Resource
	past   []Version
	wrong  view
	untrue []time.Time
}

// Version is a configuration of a resource from a time on; nil where the resource
// does not exist.
type Version struct {
	At     time.Time
	Config any
	// By is who wrote it.
	By string
}

// New returns an empty world.
func New(cfg Config) (*World, error) {
	if cfg.Now == nil || cfg.Wait == nil {
		return nil, errors.New("world: Now and Wait are required")
	}
	if cfg.Settle == 0 {
		cfg.Settle = 2 * time.Second
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 20 * time.Second
	}
	if cfg.Delay == 0 {
		cfg.Delay = 5 * time.Second
	}
	if cfg.PageSize == 0 {
		cfg.PageSize = 3
	}
	return &World{cfg: cfg, rand: rand.New(rand.NewPCG(cfg.Seed, 0x776f726c64))}, nil
}

// Add puts a resource into the world. No event tells of it.
func (w *World) Add(r dera.Resource) error {
	if _, err := w.cfg.Types.Lookup(r.Type); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cfg.Assign != nil {
		w.cfg.Assign(r.Config, w.id)
	}
	w.things = append(w.things, &thing{Resource: r, past: []Version{{w.cfg.Now(), r.Config, "initial"}}})
	return nil
}

// Calm ends all faults. What was not delivered yet still is.
func (w *World) Calm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calm = true
	for _, t := range w.things {
		t.wrong = view{}
	}
}

// Resources are all resources as they are.
func (w *World) Resources() []dera.Resource {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []dera.Resource
	for _, t := range w.things {
		if t.Config != nil {
			r := t.Resource
			r.Full, r.ReadAt, r.Config = true, w.cfg.Now(), w.around(t.Config, true)
			out = append(out, r)
		}
	}
	return out
}

// History is every configuration that the resource with the key has had, the
// oldest first.
func (w *World) History(key string) []Version {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t := w.find(key); t != nil {
		return slices.Clone(t.past)
	}
	return nil
}

// Untrue is when reads of the resource showed something else than what was there.
func (w *World) Untrue(key string) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t := w.find(key); t != nil {
		return slices.Clone(t.untrue)
	}
	return nil
}

// Write is a write of someone else: never wrong, and refused where the service
// would refuse it.
func (w *World) Write(by string, r dera.Resource, op resource.Operation) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.apply(by, r.Key(), op)
}

// Remove deletes a resource.
func (w *World) Remove(by string, r dera.Resource, event string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.find(r.Key())
	if t == nil || t.Config == nil {
		return &Error{Code: "NotFound", refused: true}
	}
	w.become(t, by, event, nil)
	return nil
}

// apply makes one write; what the type refuses is refused.
func (w *World) apply(by, key string, op resource.Operation) error {
	t := w.find(key)
	if t == nil || t.Config == nil {
		return &Error{Code: "NotFound", refused: true}
	}
	typ, err := w.cfg.Types.Lookup(t.Type)
	if err != nil {
		return err
	}
	next, err := typ.Apply(w.around(t.Config, true), op)
	if err != nil {
		return &Error{Code: "InvalidRequest", refused: true, cause: err}
	}
	if w.cfg.Assign != nil {
		w.cfg.Assign(next, w.id)
	}
	w.become(t, by, eventName(op.Name), next)
	return nil
}

// become is the one place where a resource changes. Reads may be behind for a
// while, and an event tells of it sooner or later, or never.
func (w *World) become(t *thing, by, event string, config any) {
	now := w.cfg.Now()
	if w.chance(w.cfg.Faults.Lag) {
		t.wrong = view{Version{At: now, Config: t.Config}, now.Add(w.within(w.cfg.Settle))}
	}
	t.Config = config
	t.past = append(t.past, Version{now, config, by})
	w.emit(t, by, event)
}

func (w *World) around(config any, full bool) any {
	if w.cfg.Neighbours == nil || config == nil {
		return config
	}
	return w.cfg.Neighbours(config, full, func(typ string) []dera.Resource {
		var out []dera.Resource
		for _, t := range w.things {
			if t.Type == typ && t.Config != nil {
				out = append(out, t.Resource)
			}
		}
		return out
	})
}

func (w *World) find(key string) *thing {
	i := slices.IndexFunc(w.things, func(t *thing) bool { return t.Key() == key })
	if i < 0 {
		return nil
	}
	return w.things[i]
}

func (w *World) id() string {
	w.ids++
	return fmt.Sprintf("%017x", w.ids)
}
