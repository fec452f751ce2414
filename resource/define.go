package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// Spec is a resource type over its typed configuration T, for example
// securitygroup.Group. Name, ARN and Identify are needed; every other field has a
// zero value that says so. Its functions are pure and safe for concurrent use.
type Spec[T any] struct {
	// Name is the CloudFormation type name, for example AWS::RDS::DBInstance.
	Name string
	// Global says that resources of the type are in dera.GlobalRegion and in no other:
	// one in an account, whose ID is the account's or the same in all, or with SampleIDs
	// any number.
	Global bool
	// ARN names the resource with an ID, as a reader does; where an ID does not say
	// all of the ARN (the path of an IAM role), the ARN without that.
	ARN func(partition, account, region, id string) dera.ARN
	// Identify returns what a configuration says of the ID, name and tags.
	Identify func(c *T) (id, name string, tags map[string]string)
	// SampleIDs are a few IDs that have nothing in common but what all have; none for
	// what an account has once.
	SampleIDs []string
	// KeyOfAll is the key of a finding that covers those of all others; empty where
	// there is none.
	KeyOfAll string
	// Parts are what is read of it; none for one read that gives all.
	Parts []Part
	// Operations are the writes that plans are made of, beside those of Settings.
	Operations []Operator[T]
	// Settings are its operations by data.
	Settings []Setting
	// Canon is a text that is equal for two configurations that mean the same; nil
	// takes all of it as JSON, but for Around and the tags that dera writes.
	Canon func(c *T) string
	// Spare begins the lines of Canon about copies that are kept and decide nothing, such
	// as versions of a policy that are not in force: that one of them comes or goes is in
	// the way of no rollback. Empty where every line decides something.
	Spare string
	// Around are the JSON members that belong to other resources: no part of the
	// canonical form.
	Around []string
	// Brief returns the configuration without what a quick look leaves out; nil where
	// it leaves out nothing of Canon.
	Brief func(c *T) *T
	// Retarget returns the operation with the IDs that its parts have now, for an undo
	// long after the change; nil where parts have no IDs.
	Retarget func(c *T, op Operation) (Operation, error)
	// Rebase returns the undo of a change made to the document that stands in the
	// configuration now, where that has changed since: what the change removed is put
	// back beside what others wrote, and what it added is taken out. rebased is false
	// where the undo is as it was. nil where no document has parts.
	Rebase func(c *T, undo, change Operation) (op Operation, rebased bool, err error)
	// Declare returns what an operation changes in infrastructure as code, as lines
	// that begin with + or -; nil where only settings can be declared.
	Declare func(before, after *T, op Operation, as Format) ([]string, error)
	// Attached names what uses the resource, for people, and Attachments what it is
	// attached to, by which guardrails go; nil where nothing is attached.
	Attached    func(c *T) []string
	Attachments func(c *T) []Attachment
	// Principals are those whose permissions the resource decides, by whose use
	// guardrails go; nil for a type that decides nobody's.
	Principals func(c *T) []Principal
	// Neighbours are the resources whose change changes what this one means, by type
	// and ID; nil where there are none. The events of theirs are among Events.
	Neighbours func(c *T) []Neighbour
	// Note is what people must know whenever it changes, and Notes what they must know
	// of this very plan.
	Note  string
	Notes func(c *T, p dera.Plan) []string
	// Under are the types of account-wide resources that stand above this one: a
	// later change of theirs has to be undone first.
	Under []string
	// Tag returns the change that adds the tags, or nil where there is nothing to do
	// or where a tag could change who has access; nil where dera does not tag it.
	Tag func(c *T, tags map[string]string) (*dera.Change, error)
	// Redact hides values of a plan's inputs that can be secrets; nil where there are
	// none.
	Redact func(p dera.Plan) dera.Plan
	// Events are the calls after which a resource may be different, and what AWS
	// Config calls such a resource; none for a type that only sweeps find. Its Type is
	// the name.
	Events cloudtrail.Events
	// History returns an empty history of the type's resources; nil for a type that
	// is not rebuilt from recorded calls.
	History func() History
}

// Operator is one operation on configurations of type T; see Op.
type Operator[T any] struct {
	OperationType
	// apply returns the configuration after the operation, also where AWS would refuse
	// it because it is so already; refuse says why AWS would refuse it.
	apply  func(c *T, id string, op Operation) (*T, error)
	refuse func(c *T, op Operation) error
	output func(c *T, op Operation) map[string]string
	taken  func(dera.Plan, dera.Change) (Taken, error)
}

// OpSpec is an operation over its typed input In.
type OpSpec[T, In any] struct {
	OperationType
	// Of returns the ID of the resource that the input names, or why it is no input.
	Of func(in In) (id string, err error)
	// Apply changes the configuration, a shallow copy that it may write to. Where the
	// operation shows already, nothing changes.
	Apply func(c *T, in In)
	// Refuse says why AWS would refuse the operation; nil for one that it never
	// refuses. See NotAllowedError.
	Refuse func(c *T, in In) error
	// Output returns what AWS returned, where the operation shows: the ID of a new
	// part. nil for none.
	Output func(c *T, in In) map[string]string
	// Took is what the write of a change with the input took away; nil for one that
	// denies nothing. Its Denies is that of the operation.
	Took func(in In, p dera.Plan, c dera.Change) (Taken, error)
}

// Op makes an operation of its specification.
func Op[T, In any](s OpSpec[T, In]) Operator[T] {
	if s.Version == 0 {
		s.Version = 1
	}
	o := Operator[T]{OperationType: s.OperationType}
	o.apply = func(c *T, id string, op Operation) (*T, error) {
		var in In
		if err := Decode(op, &in); err != nil {
			return nil, err
		}
		switch of, err := s.Of(in); {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		case of != id:
			return nil, fmt.Errorf("%s of %q is not one of %s", op.Name, of, id)
		}
		next := *c
		s.Apply(&next, in)
		return &next, nil
	}
	o.refuse = func(c *T, op Operation) error {
		var in In
		if err := Decode(op, &in); err != nil || s.Refuse == nil {
			return err
		}
		return s.Refuse(c, in)
	}
	o.output = func(c *T, op Operation) map[string]string {
		var in In
		if Decode(op, &in) != nil || s.Output == nil {
			return nil
		}
		return s.Output(c, in)
	}
	if s.Took != nil {
		o.taken = took(s.Took)
	}
	return o
}

// Define makes a type of its specification.
func Define[T any](s Spec[T]) Type {
	ops := slices.Concat(s.Operations, settingOperators[T](s.Settings))
	d := definition[T]{s, ops}
	t := Type{
		Name: s.Name, SampleIDs: s.SampleIDs, KeyOfAll: s.KeyOfAll, Global: s.Global, ARN: s.ARN, Parts: s.Parts, Settings: s.Settings, Note: s.Note, Spare: s.Spare, Under: s.Under, Redact: s.Redact, Events: s.Events, History: s.History,
		New: func() any { return new(T) },
		Identify: func(config any) (id, name string, tags map[string]string) {
			if c, err := d.as(config); err == nil {
				return s.Identify(c)
			}
			return "", "", nil
		},
		Canon: typed(d, d.canon),
		Apply: func(config any, op Operation) (any, error) { return d.apply(config, op, true) }, Effect: d.effect,
		Retarget: func(config any, op Operation) (Operation, error) {
			c, err := d.as(config)
			if err != nil || s.Retarget == nil {
				return op, err
			}
			return s.Retarget(c, op)
		},
		Declare: func(config any, op Operation, as Format) ([]string, error) {
			c, err := d.as(config)
			if err != nil {
				return nil, err
			}
			return d.declare(c, op, as)
		},
		Attached: func(config any) []string {
			if c, err := d.as(config); err == nil && s.Attached != nil {
				return s.Attached(c)
			}
			return nil
		},
	}
	t.taken = d.taken
	for _, o := range ops {
		t.Operations = append(t.Operations, o.OperationType)
	}
	if s.Brief != nil {
		t.Brief = typed(d, func(c *T) (any, error) { return s.Brief(c), nil })
	}
	if s.Rebase != nil {
		t.Rebase = func(config any, undo, change Operation) (Operation, bool, error) {
			c, err := d.as(config)
			if err != nil {
				return undo, false, err
			}
			return s.Rebase(c, undo, change)
		}
	}
	if s.Attachments != nil {
		t.Attachments = func(config any) []Attachment {
			c, err := d.as(config)
			if err != nil {
				return nil
			}
			return s.Attachments(c)
		}
	}
	if s.Principals != nil {
		t.Principals = func(config any) []Principal {
			c, err := d.as(config)
			if err != nil {
				return nil
			}
			return s.Principals(c)
		}
	}
	if s.Neighbours != nil {
		t.Neighbours = func(config any) []Neighbour {
			c, err := d.as(config)
			if err != nil {
				return nil
			}
			return s.Neighbours(c)
		}
	}
	if s.Notes != nil {
		t.Notes = func(config any, p dera.Plan) []string {
			c, err := d.as(config)
			if err != nil {
				return nil
			}
			return s.Notes(c, p)
		}
	}
	if s.Tag != nil {
		t.Tag = func(config any, tags map[string]string) (*dera.Change, error) {
			c, err := d.as(config)
			if err != nil {
				return nil, err
			}
			return s.Tag(c, tags)
		}
	}
	return t
}

type definition[T any] struct {
	Spec[T]
	ops []Operator[T]
}

// as is the typed configuration.
func (d definition[T]) as(config any) (*T, error) {
	c, ok := config.(*T)
	switch {
	case !ok:
		return nil, fmt.Errorf("configuration is %T, want %T", config, c)
	case c == nil:
		return nil, fmt.Errorf("configuration is no %T at all: want one", c)
	}
	return c, nil
}

func typed[T, R any](d definition[T], f func(c *T) (R, error)) func(any) (R, error) {
	return func(config any) (R, error) {
		c, err := d.as(config)
		if err != nil {
			var zero R
			return zero, err
		}
		return f(c)
	}
}

func (d definition[T]) operator(op Operation) (Operator[T], error) {
	i := slices.IndexFunc(d.ops, func(o Operator[T]) bool { return o.Name == op.Name && o.Version == op.Version })
	if i < 0 {
		return Operator[T]{}, fmt.Errorf("operation %s version %d is not one of %s", op.Name, op.Version, d.Name)
	}
	return d.ops[i], nil
}

// apply is the configuration after an operation; with refusing, what AWS would
// refuse is an error.
func (d definition[T]) apply(config any, op Operation, refusing bool) (any, error) {
	c, err := d.as(config)
	if err != nil {
		return nil, err
	}
	o, err := d.operator(op)
	if err != nil {
		return nil, err
	}
	id, _, _ := d.Identify(c)
	next, err := o.apply(c, id, op)
	if err != nil {
		return nil, err
	}
	if refusing {
		if err := o.refuse(c, op); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// taken is what the write of a change took away.
func (d definition[T]) taken(p dera.Plan, c dera.Change) (Taken, error) {
	o, err := d.operator(Of(c))
	if err == nil && o.taken == nil {
		err = fmt.Errorf("%s does not say what it took away", o.Name)
	}
	if err != nil {
		return Taken{}, err
	}
	return o.taken(p, c)
}

// effect: an operation shows in a configuration which it would not change.
func (d definition[T]) effect(config any, op Operation) (bool, map[string]string, error) {
	next, err := d.apply(config, op, false)
	if err != nil {
		return false, nil, err
	}
	before, errBefore := d.whole(config.(*T))
	after, errAfter := d.whole(next.(*T))
	if err := errors.Join(errBefore, errAfter); err != nil || before != after {
		return false, nil, err
	}
	o, err := d.operator(op)
	if err != nil {
		return false, nil, err
	}
	return true, o.output(config.(*T), op), nil
}

// whole is the canonical form with all tags, those that dera writes too.
func (d definition[T]) whole(c *T) (string, error) {
	text, err := d.canon(c)
	if err != nil {
		return "", err
	}
	_, _, tags := d.Identify(c)
	all, err := json.Marshal(tags)
	if len(tags) == 0 {
		all = nil // no tags and an empty map mean the same
	}
	return text + string(all), err
}
