// Package iam is what the resource types of IAM share: principals with the policies
// that decide what they may do, and the operations on those.
package iam

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
)

// Source is where IAM's events come from.
const Source = "iam.amazonaws.com"

// Identity is what a role, a user and a group have in common: their names and the
// policies that decide what they may do. Documents are texts as they were written.
type Identity struct {
	Name string `json:"name"`
	Path string `json:"path"`
	// ID is AWS's, by which policies still name a principal that was deleted.
	ID       string     `json:"id,omitempty"`
	Created  time.Time  `json:"created,omitzero"`
	Inline   []Inline   `json:"inline,omitempty"`
	Attached []Attached `json:"attached,omitempty"`
	Boundary *Attached  `json:"boundary,omitempty"`
	// Copied are the inline policies that are copies of policies of AWS.
	Copied []Copied `json:"copied,omitempty"`
	// Access is what was asked to be given back of what dera took.
	Access []resource.Asked  `json:"access,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
	// Reported is what AWS itself says of their use; nil where it was not asked.
	Reported *Reported `json:"reported,omitempty"`
	// Staged is how long what its policies deny for now was denied; nil where that is not known.
	Staged *Staged `json:"staged,omitempty"`
	// Unread are the parts that are not known.
	Unread []string `json:"unread,omitempty"`
}

// Inline is a policy of a principal alone.
type Inline struct {
	Name     string `json:"name"`
	Document string `json:"document"`
}

// Attached is a managed policy, a resource of its own, in its default version.
type Attached struct {
	ARN      string `json:"arn"`
	Version  string `json:"version,omitempty"`
	Document string `json:"document,omitempty"` // "" is not known
	// Updated is when the version was made; zero where nobody says.
	Updated time.Time `json:"updated,omitzero"`
}

// Read reports whether all of the parts are known.
func (i *Identity) Read(parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return slices.Contains(i.Unread, p) })
}

// NotRead notes that a part is not known.
func (i *Identity) NotRead(part string) {
	if !slices.Contains(i.Unread, part) {
		i.Unread = append(i.Unread, part)
		slices.Sort(i.Unread)
	}
}

// Brief is the identity as a cheap look sees it.
func (i *Identity) Brief() Identity {
	brief := *i
	brief.Reported = nil
	brief.Unread = slices.DeleteFunc(slices.Clone(i.Unread), func(p string) bool { return p == PartReported })
	return brief
}

// Managed are the managed policies that decide what the principal may do.
func (i *Identity) Managed() []*Attached {
	var out []*Attached
	for n := range i.Attached {
		out = append(out, &i.Attached[n])
	}
	if i.Boundary != nil {
		out = append(out, i.Boundary)
	}
	return out
}

// Sort puts the policies in order: that in which IAM lists them means nothing.
func (i *Identity) Sort() {
	slices.SortFunc(i.Inline, func(a, b Inline) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(i.Attached, func(a, b Attached) int { return cmp.Compare(a.ARN, b.ARN) })
}

// Holder is a principal as a policy sees it that it has: what else it may do, and
// what it did.
type Holder struct {
	ARN     string            `json:"arn"`
	Kind    Kind              `json:"kind"`
	Name    string            `json:"name"`
	Path    string            `json:"path,omitempty"`
	Via     string            `json:"via,omitempty"` // the group by which a user has the policy
	Created time.Time         `json:"created,omitzero"`
	Tags    map[string]string `json:"tags,omitempty"`
	Trust   string            `json:"trust,omitempty"` // of a role
	// Beside are the other policies that it has, by its groups too; a document that is
	// "" is not known. In place of an ARN, an inline policy has what InlineName says.
	Beside []Attached `json:"beside,omitempty"`
	// Boundary is the ARN of its permissions boundary, or "".
	Boundary string `json:"boundary,omitempty"`
	// Use is what is recorded of its calls; nil where nothing is known.
	Use *resource.Use `json:"use,omitempty"`
}

// InlineName names an inline policy among others; the group is that by which a user has
// it, or "".
func InlineName(group, policy string) string {
	if group != "" {
		return "inline policy " + strconv.Quote(policy) + " of the group " + group
	}
	return "inline policy " + strconv.Quote(policy)
}

// ManagedPolicy is the name of the resource type of customer managed policies.
const ManagedPolicy = "AWS::IAM::ManagedPolicy"

// Neighbours are the managed policies, as neighbours of the principal: the customer's
// own by path and name, AWS's by their ARN.
func (i *Identity) Neighbours() (out []resource.Neighbour) {
	for _, p := range i.Managed() {
		id := p.ARN
		if own, ok := strings.CutPrefix(dera.ARN(p.ARN).Resource(), "policy/"); ok && dera.ARN(p.ARN).Account() != "aws" {
			id = own
		}
		out = append(out, resource.Neighbour{Type: ManagedPolicy, ID: id})
	}
	return out
}

// MostHolders is how many principals are read of a policy or group: of more it says how
// many they are, and of each who it is.
const MostHolders = 200

// Kind is role, user or group.
type Kind string

// The kinds of identities.
const (
	RoleKind  Kind = "role"
	UserKind  Kind = "user"
	GroupKind Kind = "group"
)

// Type is the name of the resource type of the kind.
func (k Kind) Type() string { return "AWS::IAM::" + k.Title() }

// ARN names an identity of the kind.
func (k Kind) ARN(partition, account, path, name string) dera.ARN {
	return dera.NewARN(partition, "iam", "", account, string(k)+path+name)
}

// ValidName reports whether a text can be the name of one of the kind (IAM API
// reference, CreateRole, CreateUser and CreateGroup).
func (k Kind) ValidName(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-"
	most := 64
	if k == GroupKind {
		most = 128
	}
	return s != "" && len(s) <= most && strings.Trim(s, letters) == ""
}

// spelled reports whether an event names an identity: ... stands for what CloudTrail left
// out, and is a name too.
func (k Kind) spelled(s string) bool { return s != "..." && k.ValidName(s) }

// Trusted are the other accounts that a trust policy names, as
// arn:PARTITION:iam::ACCOUNT:root by account.
func Trusted(partition, account, trust string) map[string]string {
	out := map[string]string{}
	doc, err := policy.Parse(trust)
	if err != nil {
		return out
	}
	for i := range doc.Statements {
		if doc.Statements[i].Effect != policy.Allow {
			continue
		}
		for _, p := range document.PrincipalsOf(&doc.Statements[i]) {
			if a := p.Account(); a != "" && a != account {
				out[a] = string(dera.NewARN(partition, "iam", "", a, "root"))
			}
		}
	}
	return out
}

// ServicesOf are the services of AWS that a trust policy lets act as the role, sorted, "*"
// where it lets anybody; none of one that cannot be read.
func ServicesOf(trust string) []string {
	doc, err := policy.Parse(trust)
	if err != nil {
		return nil
	}
	var out []string
	for i := range doc.Statements {
		if doc.Statements[i].Effect != policy.Allow {
			continue
		}
		for _, p := range document.PrincipalsOf(&doc.Statements[i]) {
			switch {
			case p.Everyone():
				out = append(out, "*")
			case p.Kind == policy.PrincipalService:
				out = append(out, p.Value)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
