// Package role is IAM roles: their configuration, parts, operations and events.
// dera reads them; no control is about them yet.
package role

import (
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
)

// Name is the type name of IAM roles.
const Name = "AWS::IAM::Role"

// Role is an IAM role. Its ID is its name, which is unique in an account.
type Role struct {
	Account  string            `json:"account"`
	Name     string            `json:"name"`
	Path     string            `json:"path"`
	Trust    string            `json:"trust"`              // the trust policy
	Inline   map[string]string `json:"inline,omitempty"`   // policies by name
	Attached []Policy          `json:"attached,omitempty"` // managed policies
	Boundary string            `json:"boundary,omitempty"` // the ARN of the permissions boundary
	Tags     map[string]string `json:"tags,omitempty"`
	// LastUsed is what IAM says; the zero value says that it reports no use.
	LastUsed LastUsed `json:"last_used,omitzero"`
	// Activity is what the usage ledger holds of it; nil where it is not read.
	Activity *Activity `json:"activity,omitempty"`
	// Unread names the parts that are not known, see the Part constants, and
	// the attached policies whose documents are not: see PartDocument.
	Unread []string `json:"unread,omitempty"`
}

// Policy is a managed policy in its default version. Other roles can have it too.
type Policy struct {
	ARN      string `json:"arn"`
	Version  string `json:"version,omitempty"`
	Document string `json:"document,omitempty"` // "" where it is not known
}

// LastUsed is the last use that IAM tracked.
type LastUsed struct {
	At     time.Time `json:"at,omitzero"`
	Region string    `json:"region,omitempty"`
}

// Activity is what a usage ledger holds of a role.
type Activity struct {
	First   time.Time `json:"first,omitzero"`
	Last    time.Time `json:"last,omitzero"`
	Actions []string  `json:"actions,omitempty"`
}

// Type is IAM roles.
func Type() resource.Type {
	return resource.Define(resource.Spec[Role]{
		Name: Name, Global: true,
		ARN: func(partition, account, _, id string) dera.ARN {
			return dera.NewARN(partition, "iam", "", account, "role/"+id)
		},
		Identify:   func(r *Role) (id, name string, tags map[string]string) { return r.Name, r.Name, r.Tags },
		Canon:      (*Role).Canon,
		Parts:      Parts(),
		Operations: operations(),
		Events:     Events(),
		Note:       "Whoever assumes the role has other permissions after the change, and a managed policy can be attached to other roles.",
	})
}

// Canon is equal for two roles that allow the same to the same. Version IDs, last use
// and activity are not part of it.
func (r *Role) Canon() string {
	lines := []string{"role " + r.Account + " " + r.Path + r.Name, "boundary " + r.Boundary}
	add := func(what, text string) {
		for _, l := range document.CanonPolicy(text) {
			lines = append(lines, what+": "+l)
		}
	}
	add("trust", r.Trust)
	var rest []string
	for name, text := range r.Inline {
		rest = append(rest, "inline "+name+": "+document.CanonText(text))
	}
	for _, p := range r.Attached {
		rest = append(rest, "attached "+p.ARN+": "+document.CanonText(p.Document))
	}
	for k, v := range r.Tags {
		if !strings.HasPrefix(k, resource.TagPrefix) {
			rest = append(rest, "tag "+k+" = "+v)
		}
	}
	for _, part := range r.Unread {
		if part != PartActivity {
			rest = append(rest, "unread "+part)
		}
	}
	slices.Sort(rest)
	return strings.Join(append(lines, rest...), "\n") + "\n"
}

// Knows reports whether all the parts were read.
func (r *Role) Knows(parts ...string) bool {
	return !slices.ContainsFunc(r.Unread, func(p string) bool { return slices.Contains(parts, p) })
}

// attached is the attached policy with the ARN.
func (r *Role) attached(arn string) (Policy, bool) {
	i := slices.IndexFunc(r.Attached, func(p Policy) bool { return p.ARN == arn })
	if i < 0 {
		return Policy{}, false
	}
	return r.Attached[i], true
}
