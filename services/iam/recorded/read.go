package recorded

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/group"
	"dera.example/dera/services/iam/policy"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/services/iam/user"
)

// Resources are the roles, users, groups and customer managed policies as a sweep would
// read them at a time, sorted by type and ID. used is what the principals used, by ARN;
// what a sweep finds out and no permission depends on, such as the last use that IAM knows,
// is left out.
func (a *Account) Resources(now time.Time, used map[string]resource.Use) (out []dera.Resource) {
	use := func(arn string) *resource.Use {
		if u, ok := used[arn]; ok {
			return &u
		}
		return nil
	}
	add := func(t resource.Type, arn string, config any) {
		r := dera.Resource{Partition: a.partition, Account: a.id, Region: dera.GlobalRegion, Type: t.Name, ARN: dera.ARN(arn), Config: config, ReadAt: now, Full: true}
		r.ID, r.Name, r.Tags = t.Identify(config)
		out = append(out, r)
	}
	for _, e := range a.entities {
		arn := e.arn(a)
		if !there(e.Created, now) {
			continue
		}
		switch id := a.identity(e, now); e.kind {
		case iam.RoleKind:
			add(role.Type(), arn, &role.Role{Identity: id, Account: a.id, Trust: e.trust, Use: use(arn)})
		case iam.UserKind:
			u := &user.User{Identity: id, Account: a.id, Use: use(arn)}
			for _, g := range a.groupsOf(e) {
				of := a.identity(g, now)
				if len(g.unknown) > 0 {
					u.NotRead(user.PartGroups)
				}
				u.Groups = append(u.Groups, user.Group{Name: g.Name, Inline: of.Inline, Attached: of.Attached})
			}
			add(user.Type(), arn, u)
		case iam.GroupKind:
			g := &group.Group{Identity: id}
			for _, m := range a.entities {
				if m.kind == iam.UserKind && there(m.Created, now) && slices.Contains(m.groups, e.Name) {
					h := a.holder(m, now, func(by, _ string) bool { return by == e.Name })
					h.Use = use(h.ARN)
					g.Members = append(g.Members, h)
				}
			}
			slices.SortFunc(g.Members, func(x, y iam.Holder) int { return strings.Compare(x.ARN, y.ARN) })
			if len(g.Members) > iam.MostHolders {
				g.TooMany = len(g.Members)
			}
			add(group.Type(), arn, g)
		}
	}
	for arn, p := range a.policies {
		if dera.ARN(arn).Account() != a.id || !there(p.Created, now) {
			continue
		}
		c := p.Policy
		c.Others = slices.Clone(p.Others)
		if p.unknown || !there(p.Default.Created, now) {
			c.NotRead(policy.PartPolicy)
		}
		a.hold(&c, arn, now, use)
		add(policy.Type(), arn, &c)
	}
	slices.SortFunc(out, func(x, y dera.Resource) int {
		return cmp.Or(strings.Compare(x.Type, y.Type), strings.Compare(x.ID, y.ID))
	})
	return out
}

// holder is a principal with its policies, but those that except says, by the group by
// which it has them and by ARN. What is not known of it is a policy without a text.
func (a *Account) holder(e *entity, now time.Time, except func(group, arn string) bool) iam.Holder {
	h := iam.Holder{ARN: e.arn(a), Kind: e.kind, Name: e.Name, Path: e.Path, Created: e.Created, Tags: e.Tags, Trust: e.trust}
	if e.Boundary != nil {
		h.Boundary = e.Boundary.ARN
	}
	for _, of := range append([]*entity{e}, a.groupsOf(e)...) {
		by := ""
		if of != e {
			by = of.Name
		}
		id := a.identity(of, now)
		for _, p := range id.Inline {
			if name := iam.InlineName(by, p.Name); !except(by, name) {
				h.Beside = append(h.Beside, iam.Attached{ARN: name, Document: p.Document})
			}
		}
		for _, p := range id.Attached {
			has := func(b iam.Attached) bool { return b.ARN == p.ARN }
			if !except(by, p.ARN) && !slices.ContainsFunc(h.Beside, has) {
				h.Beside = append(h.Beside, p)
			}
		}
		if len(of.unknown) > 0 {
			h.Beside = append(h.Beside, iam.Attached{ARN: "what is not known of " + of.arn(a)})
		}
	}
	return h
}

// hold fills in who has a policy, by groups too, and whose boundary it is.
func (a *Account) hold(c *policy.Policy, arn string, now time.Time, use func(string) *resource.Use) {
	is := func(p iam.Attached) bool { return p.ARN == arn }
	except := func(_, has string) bool { return has == arn }
	c.Holders, c.BoundaryOf = nil, nil
	for _, e := range a.entities {
		if !there(e.Created, now) {
			continue
		}
		via, has := "", slices.ContainsFunc(e.Attached, is)
		for _, g := range a.groupsOf(e) {
			if !has && slices.ContainsFunc(g.Attached, is) {
				via, has = g.Name, true
			}
		}
		if e.Boundary != nil && e.Boundary.ARN == arn {
			c.BoundaryOf = append(c.BoundaryOf, e.arn(a))
		}
		if !has || e.kind == iam.GroupKind {
			continue
		}
		h := a.holder(e, now, except)
		h.Via, h.Use = via, use(h.ARN)
		c.Holders = append(c.Holders, h)
	}
	if len(c.Holders) > iam.MostHolders {
		c.TooMany = len(c.Holders)
	}
	c.Sort()
}

// Take puts the configuration of a resource after a plan in the place of what it was.
func (a *Account) Take(r dera.Resource, config any) {
	put := func(k iam.Kind, id iam.Identity) {
		e := *a.of(k, id.Name)
		e.Inline, e.Attached = id.Inline, id.Attached
		a.entities[keyOf(k, id.Name)] = &e
	}
	switch c := config.(type) {
	case *role.Role:
		put(iam.RoleKind, c.Identity)
	case *user.User:
		put(iam.UserKind, c.Identity)
	case *group.Group:
		put(iam.GroupKind, c.Identity)
	case *policy.Policy:
		p := *a.managed(string(r.ARN))
		for _, v := range append([]policy.Version{p.Default}, p.Others...) {
			kept := func(k policy.Version) bool { return k.ID == v.ID }
			if v.ID != "" && c.Default.ID != v.ID && !slices.ContainsFunc(c.Others, kept) {
				p.dropped = append(slices.Clone(p.dropped), v)
			}
		}
		p.Default, p.Others = c.Default, c.Others
		a.policies[string(r.ARN)] = &p
	}
}
