package role

import (
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
)

// The operations, by their IAM actions.
const (
	UpdateTrust  = "iam:UpdateAssumeRolePolicy"
	PutInline    = "iam:PutRolePolicy"
	DeleteInline = "iam:DeleteRolePolicy"
	NewVersion   = "iam:CreatePolicyVersion"
	SetVersion   = "iam:SetDefaultPolicyVersion"
)

// TrustInput is version 1 of the input of UpdateTrust.
type TrustInput struct {
	Role     string `json:"role"`
	Document string `json:"document"`
}

// InlineInput is version 1 of the input of PutInline, and without a document of
// DeleteInline.
type InlineInput struct {
	Role     string `json:"role"`
	Policy   string `json:"policy"`
	Document string `json:"document,omitempty"`
}

// VersionInput is version 1 of the input of NewVersion, which makes the document the
// default version of a managed policy; AWS tells the ID of the version.
type VersionInput struct {
	Role     string `json:"role"`
	Policy   string `json:"policy"` // its ARN
	Document string `json:"document"`
}

// DefaultInput is version 1 of the input of SetVersion.
type DefaultInput struct {
	Role     string `json:"role"`
	Policy   string `json:"policy"`
	Version  string `json:"version"`
	Document string `json:"document"` // of the version
	// From is the version that is the default before: of another one someone else
	// has made it so, and it stays.
	From string `json:"from"`
}

// OutVersion is the output of NewVersion.
const OutVersion = "version"

// SetTrust returns the change that replaces the trust policy.
func (r *Role) SetTrust(text string) (dera.Change, error) {
	return resource.NewChange(UpdateTrust, TrustInput{r.Name, text}, r.Trust, text, UpdateTrust, TrustInput{r.Name, r.Trust},
		diff(r.Trust, text))
}

// SetInline returns the change that puts an inline policy; without a text it goes.
func (r *Role) SetInline(name, text string) (dera.Change, error) {
	before, op, undo := "", PutInline, PutInline
	if i := r.inline(name); i >= 0 {
		before = r.Inline[i].Document
	}
	if text == "" {
		op = DeleteInline
	}
	if before == "" {
		undo = DeleteInline
	}
	return resource.NewChange(op, InlineInput{r.Name, name, text}, before, text, undo, InlineInput{r.Name, name, before}, diff(before, text))
}

// SetManaged returns the change that gives a managed policy a new default version.
func (r *Role) SetManaged(arn, text string) (dera.Change, error) {
	_, found := r.edit(arn)
	if len(found) == 0 || found[0].Version == "" || found[0].Document == "" {
		return dera.Change{}, fmt.Errorf("the default version of %s is not known", arn)
	}
	p := *found[0]
	back := DefaultInput{r.Name, arn, p.Version, p.Document, "${out." + OutVersion + "}"}
	return resource.NewChange(NewVersion, VersionInput{r.Name, arn, text}, p.Document, text, SetVersion, back, diff(p.Document, text))
}

// diff is what changes in a document, statement by statement.
func diff(before, after string) (out []string) {
	was, is := document.CanonPolicy(before), document.CanonPolicy(after)
	for _, l := range was {
		if !slices.Contains(is, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range is {
		if !slices.Contains(was, l) {
			out = append(out, "+ "+l)
		}
	}
	return out
}

func (r *Role) inline(name string) int {
	return slices.IndexFunc(r.Inline, func(p Inline) bool { return p.Name == name })
}

func (r *Role) without(name string) []Inline {
	return slices.DeleteFunc(slices.Clone(r.Inline), func(p Inline) bool { return p.Name == name })
}

// known refuses an operation on a managed policy that the role does not have.
func (r *Role) known(arn string) error {
	if _, found := r.edit(arn); len(found) == 0 {
		return fmt.Errorf("role %s has no policy %s", r.Name, arn)
	}
	return nil
}

func operations() []resource.Operator[Role] {
	inline := []string{"PutRolePolicy", "DeleteRolePolicy"}
	versions := []string{"CreatePolicyVersion", "SetDefaultPolicyVersion"}
	ofInline := func(in InlineInput) (string, error) { return in.Role, nil }
	return []resource.Operator[Role]{
		resource.Op(resource.OpSpec[Role, TrustInput]{
			OperationType: resource.OperationType{Name: UpdateTrust, Whole: true, Rivals: []string{"UpdateAssumeRolePolicy"}},
			Of:            func(in TrustInput) (string, error) { return in.Role, nil },
			Apply:         func(r *Role, in TrustInput) { r.Trust = in.Document },
		}),
		resource.Op(resource.OpSpec[Role, InlineInput]{
			OperationType: resource.OperationType{Name: PutInline, Whole: true, Rivals: inline},
			Of:            ofInline,
			Apply: func(r *Role, in InlineInput) {
				r.Inline = append(r.without(in.Policy), Inline{in.Policy, in.Document})
				r.Sort()
			},
		}),
		resource.Op(resource.OpSpec[Role, InlineInput]{
			OperationType: resource.OperationType{Name: DeleteInline, Whole: true, Rivals: inline},
			Of:            ofInline,
			Apply:         func(r *Role, in InlineInput) { r.Inline = r.without(in.Policy) },
			Refuse: func(r *Role, in InlineInput) error {
				if r.inline(in.Policy) < 0 {
					return fmt.Errorf("role %s has no inline policy %q", r.Name, in.Policy)
				}
				return nil
			},
		}),
		resource.Op(resource.OpSpec[Role, VersionInput]{
			OperationType: resource.OperationType{Name: NewVersion, Whole: true, Rivals: versions},
			Of:            func(in VersionInput) (string, error) { return in.Role, nil },
			Apply: func(r *Role, in VersionInput) {
				next, found := r.edit(in.Policy)
				for _, p := range found {
					if !document.SamePolicy(p.Document, in.Document) {
						p.Document, p.Version = in.Document, ""
					}
				}
				*r = *next
			},
			Refuse: func(r *Role, in VersionInput) error { return r.known(in.Policy) },
			Output: func(r *Role, in VersionInput) map[string]string {
				if _, found := r.edit(in.Policy); len(found) > 0 && found[0].Version != "" {
					return map[string]string{OutVersion: found[0].Version}
				}
				return nil
			},
		}),
		resource.Op(resource.OpSpec[Role, DefaultInput]{
			OperationType: resource.OperationType{Name: SetVersion, Whole: true, Rivals: versions},
			Of:            func(in DefaultInput) (string, error) { return in.Role, nil },
			Apply: func(r *Role, in DefaultInput) {
				next, found := r.edit(in.Policy)
				for _, p := range found {
					p.Document, p.Version = in.Document, in.Version
				}
				*r = *next
			},
			Refuse: func(r *Role, in DefaultInput) error {
				_, found := r.edit(in.Policy)
				for _, p := range found {
					if p.Version != "" && p.Version != in.From && p.Version != in.Version {
						return fmt.Errorf("the default version of %s is %s, want %s", in.Policy, p.Version, in.From)
					}
				}
				return r.known(in.Policy)
			},
		}),
	}
}
