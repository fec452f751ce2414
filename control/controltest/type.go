package controltest

import (
	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
)

// Laws are the control laws for one resource type, with what they have to know of
// it. Only Type and Evidence are needed; the rest is for types whose configuration
// has parts.
type Laws struct {
	Type     resource.Type
	Evidence []evidence.Kind
	// Decode reads the configuration of a case and refuses what a reader never
	// makes; nil takes any that decodes.
	Decode func([]byte) (any, error)
	// Orders are the same configuration with its parts listed otherwise.
	Orders func(config any) []any
	// Stamp gives the parts without an ID one, as AWS does.
	Stamp func(config any, id string) any
	// Surgical says of everything that the plan changed beyond its diff.
	Surgical func(t TB, before, after any, p dera.Plan)
	// Between: no state on the way allows more than the first one, nor less than the
	// last.
	Between func(t TB, states []any)
	// Same reports whether two configurations allow the same; nil compares their
	// canonical forms.
	Same func(t TB, a, b any) bool
	// Bodies are forgeries of the body of evidence.
	Bodies func(t TB, ev dera.Evidence) []Forgery
	// Opens reports whether a plan may open the finding of a key, which was there before
	// but in what nothing may change; nil is none.
	Opens func(p dera.Plan, key string) bool
	// Grants reports whether a plan only grants, so that nothing is denied afterwards; nil
	// is none.
	Grants func(p dera.Plan) bool
	// Mutants holds plans that are nearly the plan against its evidence.
	Mutants func(t TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan)
}

// Forgery is a body of evidence that states what is not so.
type Forgery struct {
	How  string
	Body any
}

func (l Laws) decode(data []byte) (any, error) {
	if l.Decode != nil {
		return l.Decode(data)
	}
	config := l.Type.New()
	return config, Strict(data, config)
}

func (l Laws) orders(config any) []any {
	if l.Orders == nil {
		return nil
	}
	return l.Orders(config)
}

func (l Laws) stamp(config any, id string) any {
	if l.Stamp == nil {
		return config
	}
	return l.Stamp(config, id)
}

func (l Laws) surgical(t TB, before, after any, p dera.Plan) {
	t.Helper()
	if l.Surgical != nil {
		l.Surgical(t, before, after, p)
	}
}

func (l Laws) between(t TB, states []any) {
	t.Helper()
	if l.Between != nil {
		l.Between(t, states)
	}
}

func (l Laws) same(t TB, a, b any) bool {
	t.Helper()
	if l.Same != nil {
		return l.Same(t, a, b)
	}
	return cmp.Equal(l.canon(t, a), l.canon(t, b))
}

func (l Laws) bodies(t TB, ev dera.Evidence) []Forgery {
	t.Helper()
	if l.Bodies == nil {
		return nil
	}
	return l.Bodies(t, ev)
}
