// Package resource is the contract of a resource type: its typed configuration, the
// parts that are read, the operations and settings that are written, and what
// follows from them for every type alike: the canonical form, what an operation does
// to a configuration (Apply) and whether it shows in one (Effect), undo, diff and
// infrastructure as code. All of it is pure. The types are under services; none is
// known here. May import the root, iam, netset and cloudtrail.
package resource

import (
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// Type is what the loop needs to know of a resource type without knowing the
// type. The any of its functions is the typed configuration, for example
// *SecurityGroup. Its functions are pure and safe for concurrent use.
type Type struct {
	// Name is the CloudFormation type name, for example AWS::RDS::DBInstance.
	Name string
	// SampleIDs are a few IDs that have nothing in common but what all have, and
	// KeyOfAll the key of a finding that covers those of all others; see Spec.
	SampleIDs []string
	KeyOfAll  string
	// New returns an empty configuration, to read one into.
	New func() any
	// Identify returns what a configuration says of the ID, name and tags.
	Identify func(config any) (id, name string, tags map[string]string)
	// Canon is a text that is equal for two configurations that mean the same.
	// It leaves out IDs that AWS assigns and tags that dera writes.
	Canon func(config any) (string, error)
	// Spare begins the lines of Canon that decide nothing; empty for none. See Spec.
	Spare string
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
	// Principals are those whose permissions the resource decides; nil for a type that
	// decides nobody's.
	Principals func(config any) []Principal
	// Neighbours are the resources whose change changes what this one means; nil where
	// there are none.
	Neighbours func(config any) []Neighbour
	// Global says that resources of the type are in dera.GlobalRegion; see Spec.
	Global bool
	// Parts are what is read of it, Operations the writes that plans are made of, and
	// Settings those that are data.
	Parts      []Part
	Operations []OperationType
	Settings   []Setting
	// ARN names the resource with an ID, as a reader does.
	ARN func(partition, account, region, id string) dera.ARN
	// Under are the types of account-wide resources that stand above this one: a
	// later change of theirs has to be taken back first.
	Under []string
	// Tag returns the change that adds the tags, or nil where there is nothing to
	// do or where a tag could change who has access; nil where the type has no tags.
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

	taken func(dera.Plan, dera.Change) (Taken, error)
}

// Operation returns the operation of the type with the name, in its newest version.
func (t Type) Operation(name string) (op OperationType, ok bool) {
	for _, o := range t.Operations {
		if o.Name == name && (!ok || o.Version > op.Version) {
			op, ok = o, true
		}
	}
	return op, ok
}

// Whole reports whether an operation of the type replaces a whole document:
// someone else's change could be overwritten, and what someone else wrote since
// is not ours to undo.
func (t Type) Whole() bool {
	return slices.ContainsFunc(t.Operations, func(o OperationType) bool { return o.Whole })
}

// Rivals are the names of the events that tell of a write of the same document as
// the operation; none where it replaces no document.
func (t Type) Rivals(operation string) []string {
	op, _ := t.Operation(operation)
	return op.Rivals
}

// Attachment is something that uses a resource.
type Attachment struct {
	ID   string
	Name string
	Tags map[string]string
	// Addresses are the IP addresses under which it is reached.
	Addresses []string
	// Requester is the service that manages it, where one does.
	Requester string
}

// Neighbour is another resource that a resource depends on.
type Neighbour struct{ Type, ID string }

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
	input, err := Fill(u.Input, out)
	if err != nil {
		return Operation{}, fmt.Errorf("undo with %s: %w", u.Operation, err)
	}
	return Operation{Name: u.Operation, Version: u.Version, Input: input}, nil
}

// AccountWide is the key of the one resource of a Global type in an account.
func (t Type) AccountWide(partition, account string) string {
	return dera.ResourceKey(partition, account, dera.GlobalRegion, t.ARN(partition, account, dera.GlobalRegion, account))
}
