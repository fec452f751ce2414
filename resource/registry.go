package resource

import (
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// Registry is the resource types that a process knows. It is a value, made once
// by whoever starts the process, and safe for concurrent use.
type Registry struct{ types []Type }

// NewRegistry returns the registry of the types, in their order.
func NewRegistry(types ...Type) Registry { return Registry{types} }

// Types returns all types.
func (r Registry) Types() []Type { return r.types }

// Lookup returns the type with the name, or an error that lists those that there
// are.
func (r Registry) Lookup(name string) (Type, error) {
	var known []string
	for _, t := range r.types {
		if t.Name == name {
			return t, nil
		}
		known = append(known, t.Name)
	}
	return Type{}, fmt.Errorf("there is no resource type %q; there are %s", name, strings.Join(known, ", "))
}

// Watch is what the types listen to.
func (r Registry) Watch() cloudtrail.Watch {
	var events []cloudtrail.Events
	for _, t := range r.types {
		t.Events.Located = cloudtrail.Located{Type: t.Name, Global: t.Global, ID: t.IDOf}
		events = append(events, t.Events)
	}
	return cloudtrail.NewWatch(events...)
}

// ApplyPlan returns the configuration after all changes of the plan.
func (r Registry) ApplyPlan(config any, p dera.Plan) (any, error) {
	t, err := r.Lookup(p.Type)
	if err != nil {
		return nil, err
	}
	return t.ApplyPlan(config, p)
}

// ApplyPlan returns the configuration after all changes of a plan on a resource of
// the type.
func (t Type) ApplyPlan(config any, p dera.Plan) (any, error) {
	var err error
	for i, c := range p.Changes {
		if config, err = t.Apply(config, Of(c)); err != nil {
			return nil, fmt.Errorf("apply change %d of plan: %w", i, err)
		}
	}
	return config, nil
}

// Shown returns the plan as it may be shown to people: without values that can
// be secrets. Its digest is not that of the plan.
func (r Registry) Shown(p dera.Plan) dera.Plan {
	if t, err := r.Lookup(p.Type); err == nil && t.Redact != nil {
		return t.Redact(p)
	}
	return p
}
