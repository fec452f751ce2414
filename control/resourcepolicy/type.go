// Package resourcepolicy is the shape of resource types whose access is decided by one
// resource-based policy: SQS queues, KMS keys, secrets and others are data of it. What a
// plan takes out of the policy are elements; the rest stays to the byte, with a proof.
// Layer: as package control.
package resourcepolicy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
)

// The parts of every resource of the shape: the policy, and the tags, which only a plan
// needs.
const (
	PartPolicy = "policy"
	PartTags   = "tags"
)

// Config is a resource as far as its policy goes. A type that has more embeds it.
type Config struct {
	ID      string   `json:"id"`
	ARN     dera.ARN `json:"arn"`
	Account string   `json:"account"` // whose it is
	// Policy is the text as the service returns it; empty is none.
	Policy string            `json:"policy,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
	// Unread names the parts that could not be read; what they hold is unknown.
	Unread []string `json:"unread,omitempty"`
}

// Read reports whether a part could be read.
func (c *Config) Read(part string) bool { return !slices.Contains(c.Unread, part) }

// Parsed is the policy, or nil where there is none.
func (c *Config) Parsed() (*policy.Document, error) {
	if c.Policy == "" {
		return nil, nil
	}
	doc, err := policy.Parse(c.Policy)
	if err != nil {
		return nil, fmt.Errorf("read the policy of %s: %w", c.ID, err)
	}
	return doc, nil
}

// Input is version 1 of the input of the operations: the policy that is put, none to
// delete it, and the one that it replaces, which is read once more right before the
// write.
type Input struct {
	Resource string `json:"resource"` // the ID
	Policy   string `json:"policy,omitempty"`
	Expect   string `json:"expect,omitempty"`
}

// Shape is what a resource type of the shape is, as data over its configuration T.
type Shape[T any] struct {
	// Type is what is not the shape's: Name, ARN, SampleIDs, further Parts, Settings and
	// Operations, Events, Note. The shape fills in the rest.
	Type resource.Spec[T]
	// Policy is the part of the configuration that the shape is about.
	Policy func(c *T) *Config
	// Prefix begins the IDs of the controls, for example sqs-queue; Noun is what people
	// call the resource, for example "SQS queue", and Service whose it is.
	Prefix, Noun, Service string
	// Part is how the policy is read, and TagsAction the IAM action that reads the tags.
	Part       resource.Part
	TagsAction string
	// Put and Delete are the writes, by their IAM actions; Delete is empty where the
	// policy cannot be taken away, or where a resource without one is open. Rivals are the
	// names of the events that tell of a write of the policy.
	Put, Delete string
	Rivals      []string
	// Actions are patterns of the actions that the policy decides about, Below what of the
	// resource has ARNs of its own, each after the resource's. Anywhere says that the policy
	// decides about resources with other ARNs too: any counts then.
	Actions, Below []string
	Anywhere       bool
	// HeldTo is a condition key that AWS takes for one that holds a statement for everyone
	// to those who reach the resource from within, where it is true; empty for none.
	HeldTo string
	// ByHand says why a person makes the change on public access; empty where dera does.
	ByHand string
	// ByServices are patterns of the actions that services of AWS call on such a resource in
	// their own name, for example to deliver: a statement for everyone may be their only
	// way, so that a person decides.
	ByServices []string
	// Most is how many bytes of policy the service takes.
	Most int
	// Keeps are actions that someone of the account must keep by the policy itself, without
	// which nobody could change it any more; none where the account's own policies suffice.
	Keeps []string
	// Terraform is RESOURCE.ARGUMENT of the policy and CloudFormation the type and property;
	// Reference is the argument and property that name the resource. Empty for none.
	Terraform, CloudFormation, Reference, Property string
	// Applies says why the controls are not about a resource, or nothing; nil where they
	// are about all.
	Applies func(c *T) (why string)
	// Edit returns the changes that make the cuts, and the operations are those of Type, of a
	// service that knows single statements only; nil where the whole policy is put.
	Edit func(c *Config, doc *policy.Document, cuts []document.PublicCut) ([]dera.Change, error)
	// Late says what breaks only later, and when; empty where what breaks does so at once.
	Late string
	// Untested says that the wire of the type is tested against AWS's model alone: nothing
	// is automatic then.
	Untested bool
}

// Target is where the policy of a configuration stands.
func (s Shape[T]) target(c *Config) document.Target {
	on := document.Target{Actions: s.Actions}
	if s.Anywhere {
		return on
	}
	on.Resources = []string{string(c.ARN)}
	for _, below := range s.Below {
		on.Resources = append(on.Resources, string(c.ARN)+below)
	}
	return on
}

// Define makes the resource type.
func (s Shape[T]) Define() resource.Type {
	t := s.Type
	t.Parts = s.parts()
	t.Identify = func(c *T) (id, name string, tags map[string]string) {
		p := s.Policy(c)
		return p.ID, p.ID, p.Tags
	}
	if s.Edit == nil {
		t.Operations = append(t.Operations, s.operations()...)
		t.Rebase, t.Declare, t.Redact = s.rebase, s.declare, s.redact
	}
	t.Brief = func(c *T) *T {
		brief := *c
		p := s.Policy(&brief)
		p.Tags = nil
		p.Unread = slices.DeleteFunc(slices.Clone(p.Unread), func(part string) bool { return part == PartTags })
		return &brief
	}
	if t.Canon == nil {
		t.Canon = s.canon
	}
	return resource.Define(t)
}

// operations put the whole policy, and take it away.
func (s Shape[T]) operations() []resource.Operator[T] {
	ofPolicy := func(in Input) (string, error) { return in.Resource, nil }
	took := func(in Input, p dera.Plan, _ dera.Change) (resource.Taken, error) {
		out := resource.Taken{Before: in.Expect, After: in.Policy, Resources: []string{string(p.Resource)}}
		for _, below := range s.Below {
			out.Resources = append(out.Resources, string(p.Resource)+below)
		}
		if s.Anywhere {
			out.Through = []string{"*"}
		}
		return out, nil
	}
	put := func(c *T, text string) {
		p := s.Policy(c)
		p.Policy = text
	}
	out := []resource.Operator[T]{resource.Op(resource.OpSpec[T, Input]{
		OperationType: resource.OperationType{Name: s.Put, Whole: true, Rivals: s.Rivals, Denies: resource.DeniesByResource},
		Of:            ofPolicy, Took: took,
		Apply: func(c *T, in Input) { put(c, in.Policy) },
	})}
	if s.Delete != "" && s.Delete != s.Put {
		out = append(out, resource.Op(resource.OpSpec[T, Input]{
			OperationType: resource.OperationType{Name: s.Delete, Whole: true, Rivals: s.Rivals, Denies: resource.DeniesByResource},
			Of:            ofPolicy, Took: took,
			Apply: func(c *T, _ Input) { put(c, "") },
			Refuse: func(c *T, _ Input) error {
				if s.Policy(c).Policy == "" {
					return fmt.Errorf("%s has no policy", s.Policy(c).ID)
				}
				return nil
			},
		}))
	}
	return out
}

func (s Shape[T]) parts() []resource.Part {
	part := s.Part
	part.Name, part.Cheap = PartPolicy, true
	return slices.Concat([]resource.Part{part, {Name: PartTags, Action: s.TagsAction}}, s.Type.Parts)
}

// canon is the configuration by its members, with the policy by what it means.
func (s Shape[T]) canon(c *T) string {
	bare := *c
	p := s.Policy(&bare)
	lines := document.CanonPolicy(p.Policy)
	p.Policy, p.Unread = "", slices.Sorted(slices.Values(p.Unread))
	text, err := resource.CanonMembers(bare, p.Tags, s.Type.Around)
	if err != nil {
		return "configuration that cannot be written: " + err.Error()
	}
	return text + strings.Join(lines, "\n")
}

// edit returns the change that edits the policy and leaves every other byte.
func (s Shape[T]) edit(c *Config, doc *policy.Document, e document.PolicyEdit) (dera.Change, error) {
	edited, err := e.Apply(doc)
	if err != nil {
		return dera.Change{}, fmt.Errorf("edit the policy of %s: %w", c.ID, err)
	}
	undo := Input{Resource: c.ID, Policy: c.Policy}
	if edited == nil {
		if s.Delete == "" {
			return dera.Change{}, &resource.NotAllowedError{Why: "nothing of the policy would be left, and " + s.Service + " keeps none, or takes a resource without one for open"}
		}
		return resource.NewChange(s.Delete, Input{Resource: c.ID, Expect: c.Policy}, c.Policy, nil, s.Put, undo, e.Diff)
	}
	if err := document.Acceptable(edited, s.Service, s.Most); err != nil {
		return dera.Change{}, err
	}
	undo.Expect = edited.Text()
	return resource.NewChange(s.Put, Input{Resource: c.ID, Policy: edited.Text(), Expect: c.Policy}, c.Policy, edited.Text(), s.Put, undo, e.Diff)
}

// rebase takes a change back in the policy that the resource has now.
func (s Shape[T]) rebase(c *T, undo, change resource.Operation) (resource.Operation, bool, error) {
	if undo.Name != s.Put {
		return undo, false, nil
	}
	wrote, err := resource.Input[Input](change)
	if err != nil {
		return undo, false, err
	}
	back, err := resource.Input[Input](undo)
	if err != nil {
		return undo, false, err
	}
	p := s.Policy(c)
	next, rebased, err := document.Rebased(p.Policy, wrote.Policy, back.Policy)
	if err != nil || !rebased {
		return undo, false, err
	}
	op := resource.Operation{Name: s.Put, Version: 1}
	switch {
	case next == "" && s.Delete == "":
		return undo, false, &resource.NotAllowedError{Why: "nothing of the policy would be left"}
	case next == "":
		op.Name = s.Delete
	default:
		doc, err := policy.Parse(next)
		if err == nil {
			err = document.Acceptable(doc, s.Service, s.Most)
		}
		if err != nil {
			return undo, false, err
		}
	}
	op.Input, err = json.Marshal(Input{Resource: p.ID, Policy: next, Expect: p.Policy})
	return op, true, err
}

// redact hides what can be secret in the policies of a plan.
func (s Shape[T]) redact(p dera.Plan) dera.Plan {
	var r document.Redactor
	hide := func(raw json.RawMessage) json.RawMessage {
		if len(raw) == 0 {
			return raw
		}
		var text string
		if json.Unmarshal(raw, &text) == nil {
			return marshalled(r.Text(text))
		}
		var in Input
		if json.Unmarshal(raw, &in) != nil {
			return marshalled("(not shown)")
		}
		in.Policy, in.Expect = r.Text(in.Policy), r.Text(in.Expect)
		return marshalled(in)
	}
	p.Changes = slices.Clone(p.Changes)
	for i, c := range p.Changes {
		if c.Operation != s.Put && c.Operation != s.Delete {
			continue
		}
		c.Input, c.Before, c.After = hide(c.Input), hide(c.Before), hide(c.After)
		if c.Undo != nil {
			undo := *c.Undo
			undo.Input = hide(undo.Input)
			c.Undo = &undo
		}
		p.Changes[i] = c
	}
	return p
}

// marshalled is for texts and structs of texts, which always marshal.
func marshalled(v any) json.RawMessage {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}

// declare shows the statements that go and those that come.
func (s Shape[T]) declare(before, after *T, op resource.Operation, as resource.Format) ([]string, error) {
	if op.Name != s.Put && op.Name != s.Delete {
		return nil, fmt.Errorf("operation %s version %d is not one that can be written as code", op.Name, op.Version)
	}
	name, old, fresh := s.Policy(after).ID, s.Policy(before).Policy, s.Policy(after).Policy
	if as.Language == resource.CloudFormation {
		typ, property, ok := strings.Cut(s.CloudFormation, ".")
		if !ok {
			return nil, fmt.Errorf("CloudFormation has nothing that declares the policy of %s", s.Noun)
		}
		head := []string{resource.LogicalID(name) + "Policy:", "  Type: " + typ, "  Properties:"}
		if s.Property != "" {
			head = append(head, "    "+s.Property+": "+resource.YAMLText(name))
		}
		return document.Declare(slices.Concat(head, []string{"    " + property + ":", "      Statement:"}), nil, "        - ", old, fresh, as)
	}
	typ, argument, _ := strings.Cut(s.Terraform, ".")
	head := []string{fmt.Sprintf("resource %q %q {", typ, resource.Identifier(name))}
	if s.Reference != "" {
		head = append(head, "  "+s.Reference+" = "+resource.HCLText(name))
	}
	return document.Declare(slices.Concat(head, []string{"  " + argument + " = jsonencode({", "    Statement = ["}), []string{"    ]", "  })", "}"}, "      ", old, fresh, as)
}
