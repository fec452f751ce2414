package role

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
)

// The operations on roles, by their IAM actions. Each writes a whole document.
const (
	UpdateTrust   = "iam:UpdateAssumeRolePolicy"
	PutInline     = "iam:PutRolePolicy"
	DeleteInline  = "iam:DeleteRolePolicy"
	CreateVersion = "iam:CreatePolicyVersion" // of an attached policy, as its default
)

// OutputVersion is the output of CreateVersion: the ID that IAM gave.
const OutputVersion = "VersionId"

// Input is version 1 of the input of all operations on roles.
type Input struct {
	Role string `json:"role"`
	// Policy is the name of an inline policy, or the ARN of an attached one.
	Policy   string `json:"policy,omitempty"`
	Document string `json:"document,omitempty"`
}

func (in Input) of() (string, error) {
	if in.Role == "" {
		return "", errors.New("it names no role")
	}
	return in.Role, nil
}

// operation is one of the operations; part is what of a role it writes.
func operation(name, part string, rivals []string, apply func(*Role, Input), refuse func(*Role, Input) error, output func(*Role, Input) map[string]string) resource.Operator[Role] {
	return resource.Op(resource.OpSpec[Role, Input]{
		OperationType: resource.OperationType{Name: name, Whole: true, Rivals: rivals},
		Of:            Input.of, Apply: apply, Output: output,
		Refuse: func(r *Role, in Input) error {
			if !r.Knows(part) {
				return fmt.Errorf("the %s of role %s are not known", part, r.Name)
			}
			if name != DeleteInline {
				if _, err := policy.Parse(in.Document); err != nil {
					return &resource.NotAllowedError{Why: "IAM refuses the document: " + err.Error()}
				}
			}
			if refuse == nil {
				return nil
			}
			return refuse(r, in)
		},
	})
}

func operations() []resource.Operator[Role] {
	inline := []string{"PutRolePolicy", "DeleteRolePolicy"}
	return []resource.Operator[Role]{
		operation(UpdateTrust, PartRole, []string{"UpdateAssumeRolePolicy"}, func(r *Role, in Input) { r.Trust = in.Document }, nil, nil),
		operation(PutInline, PartInline, inline, func(r *Role, in Input) {
			r.Inline = maps.Clone(r.Inline)
			if r.Inline == nil {
				r.Inline = map[string]string{}
			}
			r.Inline[in.Policy] = in.Document
		}, nil, nil),
		operation(DeleteInline, PartInline, inline, func(r *Role, in Input) {
			r.Inline = maps.Clone(r.Inline)
			delete(r.Inline, in.Policy)
			if len(r.Inline) == 0 {
				r.Inline = nil
			}
		}, func(r *Role, in Input) error {
			if _, ok := r.Inline[in.Policy]; !ok {
				return &resource.NotAllowedError{Why: "role " + r.Name + " has no inline policy " + in.Policy}
			}
			return nil
		}, nil),
		operation(CreateVersion, PartAttached, []string{"CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"}, func(r *Role, in Input) {
			if p, ok := r.attached(in.Policy); !ok || p.Document == in.Document {
				return
			}
			r.Attached = slices.Clone(r.Attached)
			for i := range r.Attached {
				if r.Attached[i].ARN == in.Policy {
					r.Attached[i] = Policy{ARN: in.Policy, Document: in.Document} // IAM gives the version
				}
			}
		}, refuseVersion, func(r *Role, in Input) map[string]string {
			if p, _ := r.attached(in.Policy); p.Version != "" {
				return map[string]string{OutputVersion: p.Version}
			}
			return nil
		}),
	}
}

func refuseVersion(r *Role, in Input) error {
	p, ok := r.attached(in.Policy)
	switch {
	case !ok:
		return &resource.NotAllowedError{Why: "policy " + in.Policy + " is not attached to role " + r.Name}
	case strings.Contains(in.Policy, ":iam::aws:policy/"):
		return &resource.NotAllowedError{Why: "policy " + in.Policy + " is managed by AWS"}
	case p.Document == "":
		return fmt.Errorf("the document of policy %s is not known", in.Policy)
	}
	return nil
}

// SetTrust returns the change of the trust policy.
func (r *Role) SetTrust(to string) (dera.Change, error) {
	return r.change(UpdateTrust, Input{r.Name, "", to}, r.Trust, UpdateTrust, Input{r.Name, "", r.Trust})
}

// SetInline returns the change that puts an inline policy, or with "" deletes it.
func (r *Role) SetInline(name, to string) (dera.Change, error) {
	before, there := r.Inline[name]
	do, undo := PutInline, PutInline
	if to == "" {
		do = DeleteInline
	}
	if !there {
		undo = DeleteInline
	}
	return r.change(do, Input{r.Name, name, to}, before, undo, Input{r.Name, name, before})
}

// SetAttached returns the change that gives an attached policy a new default version;
// the undo is another version with the document of today.
func (r *Role) SetAttached(arn, to string) (dera.Change, error) {
	in := Input{r.Name, arn, to}
	if err := refuseVersion(r, in); err != nil {
		return dera.Change{}, err
	}
	p, _ := r.attached(arn)
	return r.change(CreateVersion, in, p.Document, CreateVersion, Input{r.Name, arn, p.Document})
}

func (r *Role) change(do string, in Input, before, undo string, back Input) (dera.Change, error) {
	var diff []string
	for _, l := range []struct{ sign, text string }{{"- ", before}, {"+ ", in.Document}} {
		if l.text != "" {
			diff = append(diff, l.sign+l.text)
		}
	}
	return resource.NewChange(do, in, before, in.Document, undo, back, diff)
}
