package policy

import (
	"errors"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
)

// The operations on a policy. Versions are named by what they say: to IAM's IDs a
// plan could refer only after it has made them.
const (
	CreateVersion = "iam:CreatePolicyVersion"
	DeleteVersion = "iam:DeletePolicyVersion"
	SetDefault    = iam.SetDefaultVersion
)

// MostVersions is how many versions IAM keeps of a policy.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const MostVersions = 5

// VersionInput is version 1 of the input of CreateVersion, which makes a version that
// is not in force, and of DeleteVersion, which deletes one that is not.
type VersionInput struct {
	Policy   string `json:"policy"`
	Document string `json:"document"`
	// Version is the ID of the version to delete as it was read.
	Version string `json:"version,omitempty"`
	// Copies is how many more versions say the same.
	Copies int `json:"copies,omitempty"`
}

// DefaultInput is version 1 of the input of SetDefault.
type DefaultInput struct {
	Policy   string `json:"policy"`
	Document string `json:"document"`
	// Expect is the document that is in force before.
	Expect string `json:"expect"`
	// Make says that a version that is not there any more is made again, as an undo
	// needs. A plan has just made its own: where it does not show, IAM has not spread it.
	Make bool `json:"make,omitempty"`
}

// SetDocument returns the changes that put a document in force: where there is no room
// for it the oldest version that is not in force goes, the document becomes a version,
// and the version is put in force. A document that a version has already is only put in
// force, and one that is in force changes nothing.
func (p *Policy) SetDocument(text string) ([]dera.Change, error) {
	if !p.Read(PartPolicy, PartVersions) {
		return nil, fmt.Errorf("policy %s: its versions are not known", p.Key())
	}
	if document.SamePolicy(p.Default.Document, text) {
		return nil, nil
	}
	var out []dera.Change
	var errs []error
	add := func(c dera.Change, err error) { out, errs = append(out, c), append(errs, err) }
	if p.copies(text) == 0 {
		if old := p.oldest(); 1+len(p.Others) >= MostVersions {
			in := VersionInput{p.Key(), old.Document, old.ID, p.copies(old.Document) - 1}
			back := VersionInput{Policy: in.Policy, Document: in.Document, Copies: in.Copies}
			add(resource.NewChange(DeleteVersion, in, old.Document, nil, CreateVersion, back, []string{"- version" + created(old) + " (not in force)"}))
		}
		in := VersionInput{Policy: p.Key(), Document: text}
		add(resource.NewChange(CreateVersion, in, nil, text, DeleteVersion, in, []string{"+ version (not in force yet)"}))
	}
	before := p.Default.Document
	add(resource.NewChange(SetDefault, DefaultInput{Policy: p.Key(), Document: text, Expect: before}, before, text, SetDefault, DefaultInput{p.Key(), before, text, true},
		document.DiffPolicy("", before, text)))
	return out, errors.Join(errs...)
}

// created is when a version was made, for people.
func created(v Version) string {
	if v.Created.IsZero() {
		return ""
	}
	return " created " + v.Created.UTC().Format("2006-01-02")
}

// copies is how many versions say the same as the text, the one in force too.
func (p *Policy) copies(text string) (n int) {
	for _, v := range append([]Version{p.Default}, p.Others...) {
		if document.SamePolicy(v.Document, text) {
			n++
		}
	}
	return n
}

// oldest is the oldest version that is not in force.
func (p *Policy) oldest() (old Version) {
	for i, v := range p.Others { // the newest first
		if i == 0 || !v.Created.After(old.Created) {
			old = v
		}
	}
	return old
}

// other is the place of what Other returns, or -1.
func (p *Policy) other(text, id string) int {
	at := -1
	for i, v := range p.Others {
		if document.SamePolicy(v.Document, text) && (at < 0 || id == "" || p.Others[at].ID != id) {
			at = i
		}
	}
	return at
}

// Other is the version that is not in force and says the same: the one with the ID, or
// the oldest.
func (p *Policy) Other(text, id string) (Version, bool) {
	if i := p.other(text, id); i >= 0 {
		return p.Others[i], true
	}
	return Version{}, false
}

func (p *Policy) drop(i int) { p.Others = slices.Delete(slices.Clone(p.Others), i, i+1) }

// full is why there can be no further version.
func full(policy string, versions int) error {
	return &resource.NotAllowedError{Why: fmt.Sprintf("policy %s has %d versions, which is as many as IAM keeps: delete one that is not in force", policy, versions)}
}

func operations() []resource.Operator[Policy] {
	ofVersion := func(in VersionInput) (string, error) { return in.Policy, nil }
	return []resource.Operator[Policy]{
		resource.Op(resource.OpSpec[Policy, VersionInput]{
			OperationType: resource.OperationType{Name: CreateVersion, Denies: resource.DeniesNothing},
			Of:            ofVersion,
			Apply: func(p *Policy, in VersionInput) {
				if p.copies(in.Document) <= in.Copies {
					p.Others = append([]Version{{Document: in.Document}}, p.Others...)
				}
			},
			Refuse: func(p *Policy, in VersionInput) error {
				if 1+len(p.Others) >= MostVersions {
					return full(in.Policy, 1+len(p.Others))
				}
				return nil
			},
			Output: func(p *Policy, in VersionInput) map[string]string {
				if i := p.other(in.Document, ""); i >= 0 && p.Others[i].ID != "" {
					return map[string]string{"version": p.Others[i].ID}
				}
				if document.SamePolicy(p.Default.Document, in.Document) && p.Default.ID != "" {
					return map[string]string{"version": p.Default.ID}
				}
				return nil
			},
		}),
		resource.Op(resource.OpSpec[Policy, VersionInput]{
			OperationType: resource.OperationType{Name: DeleteVersion, Denies: resource.DeniesNothing},
			Of:            ofVersion,
			Apply: func(p *Policy, in VersionInput) {
				if i := p.other(in.Document, in.Version); i >= 0 && p.copies(in.Document) > in.Copies {
					p.drop(i)
				}
			},
			Refuse: func(p *Policy, in VersionInput) error {
				switch {
				case p.other(in.Document, in.Version) >= 0:
					return nil
				case document.SamePolicy(p.Default.Document, in.Document):
					return fmt.Errorf("policy %s: the version is in force, and IAM deletes only others", in.Policy)
				}
				return fmt.Errorf("policy %s has no such version", in.Policy)
			},
		}),
		resource.Op(resource.OpSpec[Policy, DefaultInput]{
			OperationType: resource.OperationType{Name: SetDefault, Whole: true, Rivals: []string{"CreatePolicyVersion", "SetDefaultPolicyVersion"}, Denies: resource.DeniesByIdentity},
			Of:            func(in DefaultInput) (string, error) { return in.Policy, nil },
			Took: func(in DefaultInput, _ dera.Plan, _ dera.Change) (resource.Taken, error) {
				return resource.Taken{Before: in.Expect, After: in.Document, Shared: true}, nil
			},
			Apply: func(p *Policy, in DefaultInput) {
				if document.SamePolicy(p.Default.Document, in.Document) {
					return
				}
				next, old := Version{Document: in.Document}, p.Default
				if i := p.other(in.Document, ""); i >= 0 {
					next = p.Others[i]
					p.drop(i)
				}
				p.Default, p.Others = next, append(slices.Clone(p.Others), old)
				p.Sort()
			},
			Refuse: func(p *Policy, in DefaultInput) error {
				if p.copies(in.Document) == 0 && 1+len(p.Others) >= MostVersions {
					return full(in.Policy, 1+len(p.Others))
				}
				return nil
			},
		}),
	}
}
