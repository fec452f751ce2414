// Package recorded rebuilds the identities of an account, with the policies that decide
// what they may do, from recorded calls and from what IAM said of the account once. What
// neither tells is not known, and nothing is concluded from it.
package recorded

import (
	"maps"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/policy"
)

// Account is the IAM of one account. It is not safe for concurrent use.
type Account struct {
	partition, id string
	entities      map[string]*entity  // by kind/name in lower case
	policies      map[string]*managed // by ARN
}

// entity is a role, user or group.
type entity struct {
	iam.Identity
	kind   iam.Kind
	trust  string
	groups []string // names of a user's groups, sorted
	// unknown is what is not known of it, by a name of its own each: a policy whose text
	// no call told, or all of it.
	unknown map[string]bool
	put     map[string]time.Time // when a part of it was put last
}

// managed is a managed policy, AWS's too.
type managed struct {
	policy.Policy
	unknown bool // which document is in force
	// dropped are the versions that were deleted: the calls may name them where a plan, and not a
	// call, deleted them.
	dropped []policy.Version
}

// all is what is not known of an entity of which a call tells that is not known itself.
const all = "what it had before the first recorded call"

// New returns an account of which nothing is known.
func New(partition, id string) *Account {
	return &Account{partition: partition, id: id, entities: map[string]*entity{}, policies: map[string]*managed{}}
}

// ID is the account's number.
func (a *Account) ID() string { return a.id }

// Partition is that of the account.
func (a *Account) Partition() string { return a.partition }

// Copy is the same, and changes alone.
func (a *Account) Copy() *Account {
	out := New(a.partition, a.id)
	for k, e := range a.entities {
		c := *e
		c.unknown, c.put = maps.Clone(e.unknown), maps.Clone(e.put)
		out.entities[k] = &c
	}
	for k, p := range a.policies {
		c := *p
		out.policies[k] = &c
	}
	return out
}

func keyOf(k iam.Kind, name string) string { return string(k) + "/" + strings.ToLower(name) }

// keyOfARN is the key of a role, user or group, whatever its path.
func keyOfARN(arn string) string {
	kind, rest, _ := strings.Cut(dera.ARN(arn).Resource(), "/")
	return strings.ToLower(kind + "/" + rest[strings.LastIndexByte(rest, '/')+1:])
}

// of is an entity, which begins as one that is not known.
func (a *Account) of(k iam.Kind, name string) *entity {
	e := a.named(k, name)
	a.entities[keyOf(k, name)] = e
	return e
}

// named is an entity to read; one that is not known is none of the account yet.
func (a *Account) named(k iam.Kind, name string) *entity {
	if e := a.entities[keyOf(k, name)]; e != nil {
		return e
	}
	return &entity{kind: k, Identity: iam.Identity{Name: name, Path: "/"}, unknown: map[string]bool{all: true}}
}

// managed is a managed policy, which begins as one that is not known.
func (a *Account) managed(arn string) *managed {
	p := a.policies[arn]
	if p == nil {
		p = &managed{unknown: true}
		if id, ok := strings.CutPrefix(dera.ARN(arn).Resource(), "policy/"); ok {
			cut := strings.LastIndexByte(id, '/') + 1
			p.Path, p.Name = "/"+id[:cut], id[cut:]
		}
		a.policies[arn] = p
	}
	return p
}

func (e *entity) arn(a *Account) string {
	return string(e.kind.ARN(a.partition, a.id, e.Path, e.Name))
}

// there reports whether something that was made at a time is there.
func there(created, now time.Time) bool { return !created.After(now) }

// document is what a managed policy says; "" is not known.
func (a *Account) document(arn string, now time.Time) iam.Attached {
	out := iam.Attached{ARN: arn}
	if p := a.policies[arn]; p != nil && !p.unknown && there(p.Default.Created, now) {
		out.Version, out.Document, out.Updated = p.Default.ID, p.Default.Document, p.Default.Created
	}
	return out
}

// identity is an entity with the documents of its policies.
func (a *Account) identity(e *entity, now time.Time) iam.Identity {
	out := e.Identity
	out.Inline, out.Attached = slices.Clone(e.Inline), nil
	for _, p := range e.Attached {
		out.Attached = append(out.Attached, a.document(p.ARN, now))
	}
	if e.Boundary != nil {
		b := a.document(e.Boundary.ARN, now)
		out.Boundary = &b
	}
	if len(e.unknown) > 0 {
		out.NotRead(iam.PartInline)
		out.NotRead(iam.PartAttached)
	}
	return out
}

// Unknown are the principals, by ARN, of which something is not known at a time.
func (a *Account) Unknown(now time.Time) (out []string) {
	for _, e := range a.entities {
		if e.kind == iam.GroupKind || !there(e.Created, now) {
			continue
		}
		if _, known := a.Texts(e.arn(a), now); !known {
			out = append(out, e.arn(a))
		}
	}
	slices.Sort(out)
	return out
}

// Principals are the roles and users, by ARN, that are there at a time.
func (a *Account) Principals(now time.Time) (out []string) {
	for _, e := range a.entities {
		if e.kind != iam.GroupKind && there(e.Created, now) {
			out = append(out, e.arn(a))
		}
	}
	slices.Sort(out)
	return out
}

// Texts are all identity-based policies that a role or user has at a time, sorted; false where one of
// them is not known. A session's name stands for its role.
func (a *Account) Texts(arn string, now time.Time) (out []string, known bool) {
	e := a.entities[keyOfARN(arn)]
	if e == nil {
		return nil, false
	}
	known = true
	for _, e := range append([]*entity{e}, a.groupsOf(e)...) {
		id := a.identity(e, now)
		known = known && len(e.unknown) == 0
		for _, p := range id.Inline {
			out = append(out, p.Document)
		}
		for _, p := range id.Attached {
			known = known && p.Document != ""
			out = append(out, p.Document)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), known
}

func (a *Account) groupsOf(e *entity) (out []*entity) {
	for _, g := range e.groups {
		out = append(out, a.named(iam.GroupKind, g))
	}
	return out
}
