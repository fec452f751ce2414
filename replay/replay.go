// Package replay rebuilds what resources were set to from the calls that
// CloudTrail recorded, so that the loop can look at a past that is no longer
// there. It reads recorded events and nothing else, and leaves what a call does to
// the histories of the resource types.
//
// What existed before the first event is not known. A resource that no event
// created is partly known: what the events tell of it is judged, and a check of
// it that finds nothing is unknown, never pass. Layer: may import the words,
// cloudtrail, resource, control and detect.
package replay

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/detect"
	"dera.example/dera/resource"
)

// State is what the events told so far. It is not safe for concurrent use.
type State struct {
	now   func() time.Time
	types []typed
}

// typed is the history of one type.
type typed struct {
	typ string
	resource.History
}

// New returns an empty state of those types that have a history. Resources that are
// read from it were read at now.
func New(now func() time.Time, types ...resource.Type) *State {
	s := &State{now: now}
	for _, t := range types {
		if t.History != nil {
			s.types = append(s.types, typed{t.Name, t.History()})
		}
	}
	return s
}

var _ detect.Reader = (*State)(nil)

// Apply takes in one event; they must come in the order of their times, those of
// one second by Second. A call that failed changed nothing, but its error can tell
// what was there. The error says what could not be followed: the call changed
// something, and the state does not hold what.
func (s *State) Apply(r cloudtrail.Record) error { return s.apply(r.Call()) }

func (s *State) apply(c cloudtrail.Call) (err error) {
	for _, h := range s.types {
		err = cmp.Or(err, h.Apply(c)) // one is enough: the call is not followed
	}
	return err
}

// Rebuilds reports whether the state holds resources of a type.
func (s *State) Rebuilds(typ string) bool { return s.of(typ) != nil }

// of is the history of a type, or nil.
func (s *State) of(typ string) resource.History {
	for _, h := range s.types {
		if h.typ == typ {
			return h.History
		}
	}
	return nil
}

// Read implements detect.Reader. It returns all of a scope in one page; an ID of
// which no event told anything is neither there nor missing.
func (s *State) Read(ctx context.Context, scope dera.Scope, _ bool) (detect.Page, error) {
	if s.of(scope.Type) == nil {
		return detect.Page{}, fmt.Errorf("read %s from recorded events: no event reports them", scope.Type)
	}
	found, missing := s.read(ctx, scope)
	slices.SortFunc(found, func(a, b dera.Resource) int { return strings.Compare(a.ID, b.ID) })
	slices.Sort(missing)
	return detect.Page{Resources: found, Missing: missing}, nil
}

func (s *State) read(ctx context.Context, scope dera.Scope) (found []dera.Resource, missing []string) {
	h := s.of(scope.Type)
	if h == nil {
		return nil, nil
	}
	found, missing = h.Read(ctx, scope, func(ctx context.Context, near dera.Scope) []dera.Resource {
		of, _ := s.read(ctx, near)
		return of
	})
	for i := range found {
		r := &found[i]
		r.Partition, r.Account, r.Type, r.ReadAt, r.Full = scope.Partition, scope.Account, scope.Type, s.now(), true
	}
	return found, missing
}

// Partly says why a resource that was read from the state is only partly known; ""
// for one that is known since it was made.
func (s *State) Partly(r dera.Resource) string {
	if h := s.of(r.Type); h != nil {
		if o, _ := h.Origin(r.Config); o != nil {
			return o.Partly()
		}
	}
	return "no event reports it"
}

// Unreported says what no event tells of a resource that was read from the state and is
// otherwise known.
func (s *State) Unreported(r dera.Resource) string {
	if h := s.of(r.Type); h != nil {
		if _, unread := h.Origin(r.Config); len(unread) > 0 {
			return "no event reports its " + strings.Join(unread, ", its ")
		}
	}
	return ""
}

// mark is a part of a resource of a type that a call touches.
type mark struct {
	typ int
	resource.Mark
}

// place is a resource of a type.
type place struct {
	typ int
	resource.Place
}

func (m mark) place() place { return place{m.typ, m.Place} }

// touched lists what a call touches.
func (s *State) touched(c cloudtrail.Call) (out []mark) {
	for i, h := range s.types {
		for _, m := range h.Touches(c) {
			out = append(out, mark{i, m})
		}
	}
	return out
}

// turn is the turn of a call in its second.
func (s *State) turn(c cloudtrail.Call, all []cloudtrail.Call) (t resource.Turn) {
	for _, h := range s.types {
		t = cmp.Or(t, h.Turn(c, all))
	}
	return t
}

// possible reports whether a call can have had its recorded outcome in this state.
func (s *State) possible(c cloudtrail.Call) bool {
	return !slices.ContainsFunc(s.types, func(h typed) bool { return !h.Possible(c) })
}

// copy is a state of what the marks touch, which can be changed separately.
func (s *State) copy(marks []mark) *State {
	out := &State{now: s.now}
	for i, h := range s.types {
		var of []resource.Mark
		for _, m := range marks {
			if m.typ == i {
				of = append(of, m.Mark)
			}
		}
		out.types = append(out.types, typed{h.typ, h.Copy(of)})
	}
	return out
}

// text is the same for states that are judged the same.
func (s *State) text() string {
	var lines []string
	for _, h := range s.types {
		lines = append(lines, h.typ, h.Text())
	}
	return strings.Join(lines, "\n")
}

// exposure says how much is open.
func (s *State) exposure() (n int) {
	for _, h := range s.types {
		n += h.Exposure()
	}
	return n
}
