package iam

import (
	"fmt"
	"slices"
	"strconv"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
)

// The operations on an identity, by their IAM actions: iam:PutRolePolicy of a role,
// iam:PutUserPolicy of a user.

// PutInline is the operation that puts an inline policy.
func (k Kind) PutInline() string { return k.Call("Put", "Policy") }

// DeleteInline is the operation that deletes one.
func (k Kind) DeleteInline() string { return k.Call("Delete", "Policy") }

// Attach is the operation that attaches a managed policy.
func (k Kind) Attach() string { return k.Call("Attach", "Policy") }

// Detach is the operation that detaches one.
func (k Kind) Detach() string { return k.Call("Detach", "Policy") }

// InlineInput is version 1 of the input of PutInline, and without a document of
// DeleteInline.
type InlineInput struct {
	Name     string `json:"name"` // of the identity
	Policy   string `json:"policy"`
	Document string `json:"document,omitempty"`
	// Expect is the document that it takes the place of, "" for none: of another one,
	// someone else has put it.
	Expect string `json:"expect,omitempty"`
}

// AttachInput is version 1 of the input of Attach and Detach. The document is that of
// the policy as it was read.
type AttachInput struct {
	Name     string `json:"name"`
	Policy   string `json:"policy"` // its ARN
	Document string `json:"document,omitempty"`
}

// SetInline returns the change that puts an inline policy; without a text it goes.
func (i *Identity) SetInline(k Kind, name, text string) (dera.Change, error) {
	before, op, undo := "", k.PutInline(), k.PutInline()
	if n := i.inline(name); n >= 0 {
		before = i.Inline[n].Document
	}
	if text == "" {
		op = k.DeleteInline()
	}
	if before == "" {
		undo = k.DeleteInline()
	}
	return resource.NewChange(op, InlineInput{i.Name, name, text, before}, before, text, undo, InlineInput{i.Name, name, before, text},
		document.DiffPolicy("inline policy "+strconv.Quote(name)+" ", before, text))
}

// DetachManaged returns the change that detaches a managed policy.
func (i *Identity) DetachManaged(k Kind, arn string) (dera.Change, error) {
	n := i.attached(arn)
	if n < 0 || i.Attached[n].Document == "" {
		return dera.Change{}, fmt.Errorf("%s %s has no policy %s whose document is known", k, i.Name, arn)
	}
	in := AttachInput{i.Name, arn, i.Attached[n].Document}
	return resource.NewChange(k.Detach(), in, arn, nil, k.Attach(), in, []string{"- attached " + arn})
}

// attachment is what attaching or detaching a policy takes away.
func (k Kind) attachment(in AttachInput, before, after string) (resource.Taken, error) {
	if in.Document == "" {
		return resource.Taken{}, fmt.Errorf("what policy %s said is not in the record", in.Policy)
	}
	return resource.Taken{Before: before, After: after, Shared: k == GroupKind}, nil
}

func (i *Identity) inline(name string) int {
	return slices.IndexFunc(i.Inline, func(p Inline) bool { return p.Name == name })
}

func (i *Identity) attached(arn string) int {
	return slices.IndexFunc(i.Attached, func(p Attached) bool { return p.ARN == arn })
}

// Canon are the lines of the canonical form that all identities have. IDs of AWS, when
// it was made and what the attached policies say are no part of it: these are resources
// of their own.
func (i *Identity) Canon() []string {
	lines := []string{"path " + i.Path, "tags" + resource.CanonTags(i.Tags)}
	for _, p := range i.Inline {
		head := "inline " + strconv.Quote(p.Name)
		lines = append(lines, head)
		for _, l := range document.CanonPolicy(p.Document) {
			lines = append(lines, head+" "+l)
		}
	}
	for _, p := range i.Attached {
		lines = append(lines, "attached "+p.ARN)
	}
	if i.Boundary != nil {
		lines = append(lines, "boundary "+i.Boundary.ARN)
	}
	return lines
}

// Operations are the operations on the policies of a kind of identity.
func Operations[T any](k Kind, identity func(*T) *Identity) []resource.Operator[T] {
	inline := []string{k.PutInline()[len("iam:"):], k.DeleteInline()[len("iam:"):]}
	ofInline := func(in InlineInput) (string, error) { return in.Name, nil }
	ofAttached := func(in AttachInput) (string, error) { return in.Name, nil }
	tookInline := func(in InlineInput, _ dera.Plan, _ dera.Change) (resource.Taken, error) {
		return resource.Taken{Before: in.Expect, After: in.Document, Shared: k == GroupKind}, nil
	}
	attached := func(in AttachInput, _ dera.Plan, _ dera.Change) (resource.Taken, error) {
		return k.attachment(in, "", in.Document)
	}
	detached := func(in AttachInput, _ dera.Plan, _ dera.Change) (resource.Taken, error) {
		return k.attachment(in, in.Document, "")
	}
	without := func(i *Identity, name string) []Inline {
		return slices.DeleteFunc(slices.Clone(i.Inline), func(p Inline) bool { return p.Name == name })
	}
	return []resource.Operator[T]{
		resource.Op(resource.OpSpec[T, InlineInput]{
			OperationType: resource.OperationType{Name: k.PutInline(), Whole: true, Rivals: inline, Denies: resource.DeniesByIdentity},
			Of:            ofInline, Took: tookInline,
			Apply: func(c *T, in InlineInput) {
				i := identity(c)
				i.Inline = append(without(i, in.Policy), Inline{in.Policy, in.Document})
				i.Sort()
			},
		}),
		resource.Op(resource.OpSpec[T, InlineInput]{
			OperationType: resource.OperationType{Name: k.DeleteInline(), Whole: true, Rivals: inline, Denies: resource.DeniesByIdentity},
			Of:            ofInline, Took: tookInline,
			Apply: func(c *T, in InlineInput) { i := identity(c); i.Inline = without(i, in.Policy) },
			Refuse: func(c *T, in InlineInput) error {
				if identity(c).inline(in.Policy) < 0 {
					return fmt.Errorf("%s %s has no inline policy %q", k, in.Name, in.Policy)
				}
				return nil
			},
		}),
		resource.Op(resource.OpSpec[T, AttachInput]{
			OperationType: resource.OperationType{Name: k.Attach(), Denies: resource.DeniesByIdentity},
			Of:            ofAttached, Took: attached,
			Apply: func(c *T, in AttachInput) {
				if i := identity(c); i.attached(in.Policy) < 0 {
					i.Attached = append(slices.Clone(i.Attached), Attached{ARN: in.Policy, Document: in.Document})
					i.Sort()
				}
			},
		}),
		resource.Op(resource.OpSpec[T, AttachInput]{
			OperationType: resource.OperationType{Name: k.Detach(), Denies: resource.DeniesByIdentity},
			Of:            ofAttached, Took: detached,
			Apply: func(c *T, in AttachInput) {
				i := identity(c)
				i.Attached = slices.DeleteFunc(slices.Clone(i.Attached), func(p Attached) bool { return p.ARN == in.Policy })
			},
			Refuse: func(c *T, in AttachInput) error {
				if identity(c).attached(in.Policy) < 0 {
					return fmt.Errorf("%s %s has no policy %s", k, in.Name, in.Policy)
				}
				return nil
			},
		}),
	}
}
