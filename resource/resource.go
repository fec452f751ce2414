// Package resource holds the typed, normalised configuration of every resource
// type that dera knows, one file a type. All of it is pure: equality by meaning
// (Canon), what a change does to a configuration (Apply), and whether a change
// shows in one (Effect). Room: may import the
// words, iam, netset and cloudtrail.
package resource

import (
	"fmt"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// Type is what the loop needs to know of a resource type without knowing the
// type. The any of its functions is the typed configuration, for example
// *SecurityGroup. Its functions are pure and safe for concurrent use.
type Type struct {
	// Name is the CloudFormation type name, for example AWS::RDS::DBInstance.
	Name string
	// Canon is a text that is equal for two configurations that mean the same.
	// It leaves out IDs that AWS assigns and tags that dera writes.
	Canon func(config any) (string, error)
	// Brief returns the configuration without what a cheap look leaves out; nil
	// where it leaves out nothing of Canon.
	Brief func(config any) (any, error)
	// Apply returns the configuration after the operation; config stays as it is.
	Apply func(config any, op Operation) (any, error)
	// Effect reports whether the operation shows in config, and with which
	// outputs (for example the ID that AWS gave to a new rule).
	Effect func(config any, op Operation) (done bool, out map[string]string, err error)
	// Retarget returns the operation with the IDs that its parts have in config
	// now, for an undo long after the change.
	Retarget func(config any, op Operation) (Operation, error)
	// Rebase returns the undo of a change made to the document that stands in config
	// now, where that has changed since: what the change removed is put back beside
	// what others wrote, and what it added is taken out. rebased is false where
	// the undo is as it was. nil for a type that writes no documents of parts.
	Rebase func(config any, undo, change Operation) (op Operation, rebased bool, err error)
	// Declare returns what the operation changes in infrastructure as code, as
	// lines that begin with + or -; nil for a type that cannot tell. config is the
	// configuration before the operation.
	Declare func(config any, op Operation, as Format) ([]string, error)
	// Attached names what uses the resource, for people, and Note what they must
	// know when it changes.
	Attached func(config any) []string
	Note     string
	// Notes are what people must know of this very plan, and Attachments what the
	// resource is attached to, by which guardrails go; both may be nil.
	Notes       func(config any, p dera.Plan) []string
	Attachments func(config any) []Attachment
	// Global says that an account has the resource once, in dera.GlobalRegion.
	Global bool
	// Whole says that its writes replace whole documents: somebody else's change
	// could be overwritten, and what somebody else wrote since is not ours to undo.
	Whole bool
	// Rivals are the names of the events that tell of a write of the same document
	// as the operation; nil where Whole is false, or nobody watches for them.
	Rivals func(operation string) []string
	// ARN names the resource with an ID, as a reader does; set where Rivals is.
	ARN func(partition, account, id string) dera.ARN
	// Under are the types of account-wide resources that stand above this one: a
	// later change of theirs has to be taken back first.
	Under []string
	// Tag returns the change that adds the tags, or nil where there is nothing to
	// do or where a tag could change who gets in; nil where the type has no tags.
	Tag func(config any, tags map[string]string) (*dera.Change, error)
	// Redact hides values of a plan's inputs that can be secrets, before the plan
	// is shown; nil where there are none.
	Redact func(p dera.Plan) dera.Plan
	// Events are the calls after which a resource may be different, and what AWS
	// Config calls such a resource; none for a type that only sweeps find.
	Events cloudtrail.Events
	// History returns an empty history of the type's resources; nil for a type that
	// is not rebuilt from recorded calls.
	History func() History
}

// Attachment is something that uses a resource.
type Attachment struct {
	ID   string
	Name string
	Tags map[string]string
	// Requester is the service that manages it, where one does.
	Requester string
}

// Shown returns the plan as it may be shown to people: without values that can
// be secrets. Its digest is not that of the plan.
func Shown(p dera.Plan) dera.Plan {
	kind, err := Lookup(p.Type)
	if err == nil && kind.Redact != nil {
		return kind.Redact(p)
	}
	return p
}

// NotAllowedError is what the service would answer to an operation that another
// setting forbids, for example a public policy under a block.
type NotAllowedError struct{ Why string }

// Error implements error.
func (e *NotAllowedError) Error() string { return e.Why }

// Operation is one write as recorded in a dera.Change or dera.Undo.
type Operation struct {
	Name    string
	Version int
	Input   []byte
}

// Of returns the operation of a change.
func Of(c dera.Change) Operation {
	return Operation{Name: c.Operation, Version: c.Version, Input: c.Input}
}

// OfUndo returns the operation that takes a change back, with the outputs of
// the change filled in.
func OfUndo(u dera.Undo, out map[string]string) (Operation, error) {
	input, err := fill(u.Input, out)
	if err != nil {
		return Operation{}, fmt.Errorf("undo with %s: %w", u.Operation, err)
	}
	return Operation{Name: u.Operation, Version: u.Version, Input: input}, nil
}

// AccountWide is the key of the one resource of a Global type in an account.
func AccountWide(typ, partition, account string) string {
	var arn dera.ARN
	if typ == AccountBlockType {
		arn = AccountBlockARN(partition, account)
	}
	return dera.ResourceKey(partition, account, dera.GlobalRegion, arn)
}

// Lookup returns the kind of a resource type, or an error that lists the known
// ones.
func Lookup(typ string) (Type, error) {
	for _, k := range Kinds() {
		if k.Name == typ {
			return k, nil
		}
	}
	return Type{}, fmt.Errorf("resource type %q is not one that dera knows", typ)
}

// Kinds returns all kinds. A new resource type is one file and one line here.
func Kinds() []Type {
	return []Type{
		securityGroupKind(),
		bucketKind(),
		accountBlockKind(),
	}
}

// ApplyPlan returns the configuration after all changes of the plan.
func ApplyPlan(config any, plan dera.Plan) (any, error) {
	kind, err := Lookup(plan.Type)
	if err != nil {
		return nil, err
	}
	for i, c := range plan.Changes {
		if config, err = kind.Apply(config, Of(c)); err != nil {
			return nil, fmt.Errorf("apply change %d of plan: %w", i, err)
		}
	}
	return config, nil
}
