package resource

import (
	"bytes"
	"errors"
	"fmt"

	"dera.example/dera"
	"dera.example/dera/netset"
)

// Denies is what a write can deny from then on: in which form a question whether it denied
// a call or a connection is asked.
type Denies string

// What writes deny. One that does not say so may have denied anything.
const (
	DeniesUndeclared Denies = ""
	DeniesNothing    Denies = "nothing"
	DeniesByIdentity Denies = "identity policy" // a policy of principals
	DeniesByResource Denies = "resource policy" // the policy of the resource
	DeniesByTrust    Denies = "trust policy"    // who may assume the role
	DeniesInbound    Denies = "inbound rule"    // connections from addresses
	DeniesWithin     Denies = "within"          // some of what Within says; which of it is not worked out
)

// Taken is what a write took away. Before and After are the texts of the policy, "" for
// none. Gone and Come are the packets of the rules that went and came; Symbolic are the
// packets, from anywhere, of those that went and stand for no addresses.
type Taken struct {
	Denies        Denies
	Before, After string
	// Shared is true where the policy is that of whoever has it, or of the members of a
	// group: who that was at a time does not follow from the resource.
	Shared               bool
	Gone, Come, Symbolic netset.Set
	// Resources are patterns of the ARNs to whose calls a resource policy applies, and Through
	// of those by which the resource may be called under another name.
	Resources, Through []string
	Within             []Bounds
}

// Bounds say what a write may have denied, and nothing outside of it. All members must fit.
type Bounds struct {
	Actions   []string // patterns of the calls; none for connections
	Resources []string // patterns of the ARNs that are called; none for any
	Principal string   // pattern of the principal; "" for any
	Foreign   bool     // only principals of other accounts, and nobody's
	// Public is true for connections to public addresses, and none else; Connections for
	// those to any address.
	Public, Connections bool
	// Error is true where the service answers with another error than that the caller is
	// not authorized.
	Error bool
	Why   string // what it denies, for people
}

// Taken returns what the write of a change took away: the change itself, or one that
// holds an undo's operation and input, with before and after turned around.
func (t Type) Taken(p dera.Plan, c dera.Change) (Taken, error) {
	op, ok := t.Operation(c.Operation)
	if p.Custom() {
		return Taken{}, errors.New("it ran a custom fix, and what that changed dera knows of this resource alone")
	}
	if !ok {
		return Taken{}, fmt.Errorf("operation %s is not one of %s", c.Operation, t.Name)
	}
	switch op.Denies {
	case DeniesUndeclared:
		return Taken{}, fmt.Errorf("%s does not say what it can deny", op.Name)
	case DeniesNothing:
		return Taken{Denies: DeniesNothing}, nil
	case DeniesByIdentity, DeniesByResource, DeniesByTrust, DeniesInbound, DeniesWithin:
	}
	out, err := t.taken(p, c)
	out.Denies = op.Denies
	return out, err
}

// took turns the typed function of an operation into one of changes.
func took[In any](f func(in In, p dera.Plan, c dera.Change) (Taken, error)) func(dera.Plan, dera.Change) (Taken, error) {
	return func(p dera.Plan, c dera.Change) (Taken, error) {
		var in In
		if err := Decode(Of(c), &in); err != nil {
			return Taken{}, err
		}
		return f(in, p, c)
	}
}

// settingTook is what a setting may deny with its new value.
func settingTook(settings []Setting) func(in SettingInput, p dera.Plan, c dera.Change) (Taken, error) {
	return func(in SettingInput, p dera.Plan, _ dera.Change) (Taken, error) {
		for _, s := range settings {
			if s.Path != in.Path {
				continue
			}
			if s.Denies == nil {
				return Taken{}, fmt.Errorf("setting %s does not say what it can deny", s.Path)
			}
			if strict, err := dera.CanonicalJSON(s.Order[len(s.Order)-1]); err != nil || !bytes.Equal(strict, in.Value) {
				return Taken{}, err // only the most secure value denies
			}
			return Taken{Within: s.Denies(p)}, nil
		}
		return Taken{}, fmt.Errorf("there is no setting %s", in.Path)
	}
}

// Reversed is the undo of a change as a change of its own: what was there after it comes
// before. ok is false for a change without an undo.
func Reversed(c dera.Change) (undo dera.Change, ok bool) {
	if c.Undo == nil {
		return dera.Change{}, false
	}
	return dera.Change{Operation: c.Undo.Operation, Version: c.Undo.Version, Input: c.Undo.Input, Before: c.After, After: c.Before}, true
}
