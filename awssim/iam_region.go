package awssim

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
)

// IAM makes one call of IAM with the parameters of its query protocol, such as RoleName or Tags.member.1.Key.
func (r *Region) IAM(ctx context.Context, operation string, parameters map[string]string) error {
	form := url.Values{"Action": {operation}}
	for name, value := range parameters {
		form.Set(name, value)
	}
	req := request{service: "iam", host: "iam.amazonaws.com"}
	req.setForm(form)
	_, err := r.do(ctx, req)
	return err
}

// UseRole says when and where a role was last used. It is not an API call. It panics if there is no such role.
func (a *Account) UseRole(name string, at time.Time, region string) {
	c := a.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(place{a.id, dera.GlobalRegion})
	e := s.entities.get("Role/"+name, view{})
	if e == nil {
		panic(fmt.Sprintf("awssim: account %s has no role %q in IAM", a.id, name))
	}
	used := *e
	used.usedAt, used.usedIn = at.UTC(), region
	s.entities.put(used.key(), &used)
	s.commit()
}

// iamResources are the ARNs that a call of IAM must be allowed on.
func iamResources(k *call) []string {
	for _, kind := range []string{"Group", "Role", "User"} { // of users in groups, the group counts
		name := k.p.text(kind + "Name")
		if name == "" {
			continue
		}
		k.cloud.mu.Lock()
		e := k.cloud.state(globalHome(k)).entities.get(kind+"/"+name, view{})
		k.cloud.mu.Unlock()
		if e == nil {
			e = &entity{account: k.Account, kind: kind, path: cmp.Or(k.p.text("Path"), "/"), name: name}
		}
		return []string{e.arn()}
	}
	switch {
	case k.p.text("PolicyArn") != "":
		return []string{k.p.text("PolicyArn")}
	case k.Operation == "CreatePolicy":
		p := &managedPolicy{account: k.Account, path: cmp.Or(k.p.text("Path"), "/"), name: k.p.text("PolicyName")}
		return []string{p.arn()}
	}
	return []string{"*"}
}

// ManagedPolicy is a managed policy of a [Snapshot].
type ManagedPolicy struct {
	Account, ARN string
	InForce      string   // the document in force
	Versions     []string // documents of all versions, the newest first
	Tags         map[string]string
}

// Identity is a role, user or group of a [Snapshot].
type Identity struct {
	Account, ARN string
	Kind         string // role, user or group
	Name         string
	Trust        string // of a role
	Boundary     string
	Inline       map[string]string
	Attached     []string // sorted
	Groups       []string // of a user, sorted
	Tags         map[string]string
}

func (p *managedPolicy) snapshot() ManagedPolicy {
	shown := ManagedPolicy{Account: p.account, ARN: p.arn(), InForce: p.version(p.inForce).document, Tags: maps.Clone(p.tags)}
	for _, v := range p.versions {
		shown.Versions = append(shown.Versions, v.document)
	}
	return shown
}

func (e *entity) snapshot() Identity {
	return Identity{
		Account: e.account, ARN: e.arn(), Kind: strings.ToLower(e.kind), Name: e.name, Trust: e.trust, Boundary: e.boundary, Inline: maps.Clone(e.inline),
		Attached: slices.Sorted(slices.Values(e.attached)), Groups: slices.Sorted(slices.Values(e.groups)), Tags: maps.Clone(e.tags),
	}
}

// Policy returns the managed policy with the ARN, and whether there is one.
func (s Snapshot) Policy(arn string) (ManagedPolicy, bool) {
	i := slices.IndexFunc(s.Policies, func(p ManagedPolicy) bool { return p.ARN == arn })
	if i < 0 {
		return ManagedPolicy{}, false
	}
	return s.Policies[i], true
}

// Identity returns the role, user or group with the ARN, and whether there is one.
func (s Snapshot) Identity(arn string) (Identity, bool) {
	i := slices.IndexFunc(s.Identities, func(e Identity) bool { return e.ARN == arn })
	if i < 0 {
		return Identity{}, false
	}
	return s.Identities[i], true
}
