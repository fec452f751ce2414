package escalation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
	"dera.example/dera/services/iam"
)

// Principal is a role, a user or a group with what decides what it may do.
type Principal struct {
	Kind iam.Kind
	ARN  dera.ARN
	// Texts are its policies, by its groups too, and Boundary is its permissions boundary, ""
	// for none.
	Texts    []iam.Text
	Boundary string
	Within   string // the ARN of the boundary
	// Own are the ARNs of its customer managed policies, and Groups those of its groups.
	Own, Groups []string
	Trust       string // of a role
}

// Peer is another principal as it can be got to.
type Peer struct {
	Kind  iam.Kind `json:"kind"`
	ARN   string   `json:"arn"`
	Trust string   `json:"trust,omitempty"` // of a role
	// Own are the ARNs of its customer managed policies.
	Own []string `json:"own,omitempty"`
	// Within is its permissions boundary, and Bound says that this keeps it from having all
	// permissions, which it has without if it is Free.
	Within string `json:"within,omitempty"`
	Bound  bool   `json:"bound,omitempty"`
	Free   bool   `json:"free,omitempty"`
	// Strong says how it has, or gets, all permissions; "" where it does not.
	Strong string `json:"strong,omitempty"`

	trust  *policy.Document
	serves []string // the services that may act as it
}

// found is a way that is open.
type found struct {
	key, says string
	to        *Peer
	limited   bool
}

// climb is a principal that is asked what it may do.
type climb struct {
	Principal
	sets [][]*policy.Document
	// services are those of which an entry names an action, "" where one names none.
	services map[string]bool
	// known are the keys of conditions of which it is known what they have, as facts say.
	known []string
	facts []policy.Statement
	who   []policy.Statement // who it is, of which facts have what its policies turn on
	cfg   reason.Config
	asked map[question]grade
	// ways are those that are open, and within is whether it is bound; nil where nobody asked.
	ways   []way
	within *bool
}

// grade is whether something is allowed: under conditions, or in any case.
type grade uint8

const (
	no grade = iota
	limited
	sure
)

func newClimb(p Principal) (*climb, error) {
	c := &climb{Principal: p, cfg: reason.Config{Arity: arity}, asked: map[question]grade{}, sets: make([][]*policy.Document, 1, 2)}
	for _, t := range p.Texts {
		doc, err := policy.Parse(t.Document)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", t.Name, err)
		}
		c.sets[0] = append(c.sets[0], c.named(doc))
	}
	if p.Boundary != "" {
		doc, err := policy.Parse(p.Boundary)
		if err != nil {
			return nil, fmt.Errorf("read the permissions boundary: %w", err)
		}
		c.sets = append(c.sets, []*policy.Document{c.named(doc)})
	}
	c.knows()
	c.services = map[string]bool{}
	for _, d := range c.sets[0] {
		for _, st := range d.Statements {
			for _, e := range st.Actions {
				service, _, _ := strings.Cut(strings.ToLower(e), ":")
				if strings.ContainsAny(service, "*?") {
					service = ""
				}
				c.services[service] = true
			}
			if st.NotActions != nil {
				c.services[""] = true
			}
		}
	}
	return c, nil
}

// most is how many peers are named of a way.
const most = 2

// mostSteps is how many steps are named of a way.
const mostSteps = 3

// find finds the ways that are open to some peers, or to the principal's own permissions.
func (c *climb) find(peers []Peer) (out []found) {
	for _, w := range c.open() {
		if !w.ofPeers() {
			if f, ok := c.alone(w); ok && !c.bound() { // else no policy gives it more than the boundary
				out = append(out, f)
			}
			continue
		}
		var some []found // of the strongest that it gets to
		for i := range peers {
			rank := peers[i].rank()
			if len(some) == most || len(some) > 0 && rank > some[0].to.rank() {
				break
			}
			if rank == weakest && !c.strengthensSome() {
				continue
			}
			if f, ok := c.to(w, &peers[i]); ok {
				some = append(some, f)
			}
		}
		out = append(out, some...)
	}
	for _, kind := range []iam.Kind{iam.RoleKind, iam.UserKind} {
		if f, ok := c.makes(kind); ok {
			out = append(out, f)
		}
	}
	return append(out, c.unbound(peers, out)...)
}

// unbound are the ways that are open when the principal has removed its permissions boundary,
// beside those that are without.
func (c *climb) unbound(peers []Peer, without []found) (out []found) {
	if !c.bound() {
		return nil
	}
	g, by := c.unbinds(c.Kind, string(c.ARN), c.Within)
	first := found{key: SelfKey, says: by.action + " on " + short(by.on), limited: g == limited}
	free := *c
	free.sets, free.asked, free.ways = c.sets[:1], map[question]grade{}, nil
	switch {
	case g == no:
		return nil
	case iam.PowerOf(free.sets...).Identities():
		return []found{first}
	}
	for _, f := range free.find(peers) {
		if !slices.ContainsFunc(without, func(o found) bool { return o.says == f.says }) {
			f.says, f.limited = first.says+", "+f.says, f.limited || first.limited
			out = append(out, f)
		}
	}
	return out
}

// unbinds is whether the principal may take away what binds one of a kind, and by what: it
// removes the permissions boundary, puts another one, or writes another version of it.
func (c *climb) unbinds(kind iam.Kind, arn, within string) (best grade, by question) {
	for _, q := range []question{
		{action: kind.Call("Delete", "PermissionsBoundary"), on: arn},
		{action: kind.Call("Put", "PermissionsBoundary"), on: arn, other: within},
		{action: "iam:CreatePolicyVersion", on: within},
	} {
		if q.on == "" || dera.ARN(q.on).Account() == "aws" || c.may(q.action, "", "") == no {
			continue
		}
		if g := c.ask(q); g > best {
			best, by = g, q
		}
	}
	return best, by
}

// bound reports whether the permissions boundary keeps the principal from having, or giving
// itself, all permissions.
func (c *climb) bound() bool {
	if len(c.sets) > 1 && c.within == nil {
		is := !iam.PowerOf(c.sets[1]).Identities()
		c.within = &is
	}
	return len(c.sets) > 1 && *c.within
}

// open are the ways of which each action is allowed on something.
func (c *climb) open() []way {
	if c.ways == nil {
		c.ways = slices.DeleteFunc(ways(), func(w way) bool { return w.kind != "" && w.kind != c.Kind || !c.seems(w) })
	}
	return c.ways
}

// administers reports whether a power is, or gives, every permission in any case.
func administers(p iam.Power) bool { return p.Identities() && !p.LimitedIdentities }

// ofPeers reports whether the way leads to another principal.
func (w way) ofPeers() bool {
	return w.comes || w.service != "" || slices.ContainsFunc(w.needs, func(n need) bool {
		return n.on == onRole || n.on == onUser || n.on == onGroup || n.on == onPolicyOfRole
	})
}

// seems reports whether each action of a way is allowed on something.
func (c *climb) seems(w way) bool {
	return !slices.ContainsFunc(w.needs, func(n need) bool {
		service := ""
		if n.action == "iam:PassRole" {
			service = w.service + ".*"
		}
		return c.may(n.action, "", service) == no
	})
}

// alone is a way to the principal's own permissions.
func (c *climb) alone(w way) (found, bool) {
	n := w.needs[0]
	var on []string
	switch n.on {
	case onItself:
		on = []string{string(c.ARN)}
	case onOwnPolicy:
		on = c.Own
	case onOwnGroup:
		on = c.Groups
	case anywhere, onRole, onUser, onGroup, onPolicyOfRole:
	}
	best, where := no, ""
	for _, r := range on {
		if g := c.ask(question{action: n.action, on: r, unbounded: n.on == onItself && c.Boundary == ""}); g > best {
			best, where = g, r
		}
	}
	return found{key: w.key, says: fmt.Sprintf("%s on %s", n.action, short(where)), limited: best == limited}, best > no
}

// to is a way to a peer that is strong, or that the principal makes so.
func (c *climb) to(w way, p *Peer) (found, bool) {
	of := map[iam.Kind][]place{iam.RoleKind: {onRole, anywhere}, iam.UserKind: {onUser, anywhere}, iam.GroupKind: {onGroup}}[p.Kind]
	if slices.ContainsFunc(w.needs, func(n need) bool { return !slices.Contains(of, n.on) }) || (w.service != "" || w.comes) && p.Kind != iam.RoleKind {
		return found{}, false
	}
	if p.trust == nil {
		read := p.read()
		p = &read
	}
	if w.service != "" && !p.acts(w.service) || dera.ARN(p.ARN).Resource() == c.ARN.Resource() {
		return found{}, false
	}
	if g, _ := c.removes(p); p.Strong == "" && g == no {
		return found{}, false
	}
	worst, actions := sure, []string(nil)
	for _, n := range w.needs { // what is asked of the peer before what is asked of all
		if n.on != anywhere {
			worst = min(worst, c.on(n, w.service, p))
		}
		actions = append(actions, n.action)
	}
	if w.comes {
		worst = min(worst, c.comes(p))
		actions = append(actions, "sts:AssumeRole")
	}
	if p.Strong == "" && worst > no {
		g, with := c.strengthens(p)
		worst, actions = min(worst, g), append([]string{with}, actions...)
	}
	for _, n := range w.needs {
		if n.on == anywhere && worst > no {
			worst = min(worst, c.on(n, w.service, p))
		}
	}
	if worst == no {
		return found{}, false
	}
	says := strings.Join(actions, ", ") + " → " + short(p.ARN)
	if w.key == ComputeKey {
		says = strings.Join(actions, ", ") + " → what runs as " + short(p.ARN)
	}
	key := w.key
	if p.Strong == "" && key == AssumeKey {
		key = OtherKey // it is not the role that has too much
	}
	strong := cmp.Or(p.Strong, "which may be given any permission")
	if strings.Count(strong, gets) >= mostSteps {
		strong = gets + "several more"
	}
	return found{key: key, says: says + ", " + strong, to: p, limited: worst == limited}, worst > no
}

// strengthens is by which action the principal may give a peer any permission.
func (c *climb) strengthens(p *Peer) (best grade, with string) {
	first, by := c.removes(p)
	if p.Free {
		return first, strings.TrimSuffix(by, ", ")
	}
	for _, n := range strengthening(p.Kind) {
		if c.may(n.action, "", "") == no {
			continue
		}
		on := []string{p.ARN}
		if n.on == onPolicyOfRole {
			on = p.Own
		}
		for _, r := range on {
			q := question{action: n.action, on: r, unbounded: n.on != onPolicyOfRole && n.on != onGroup && p.Within == ""}
			if g := min(first, c.ask(q)); g > best {
				best, with = g, by+n.action
			}
		}
	}
	return best, with
}

// strengthensSome reports whether the principal may give anybody any permission.
func (c *climb) strengthensSome() bool {
	return slices.ContainsFunc([]iam.Kind{iam.RoleKind, iam.UserKind, iam.GroupKind}, func(k iam.Kind) bool {
		return slices.ContainsFunc(strengthening(k), func(n need) bool { return c.may(n.action, "", "") > no }) ||
			c.may(k.Call("Delete", "PermissionsBoundary"), "", "") > no || c.may(k.Call("Put", "PermissionsBoundary"), "", "") > no
	})
}

// removes is whether the principal may take away what binds a peer, and by which action.
func (c *climb) removes(p *Peer) (g grade, by string) {
	if !p.Bound {
		return sure, ""
	}
	g, q := c.unbinds(p.Kind, p.ARN, p.Within)
	return g, q.action + ", "
}

func (c *climb) on(n need, service string, p *Peer) grade {
	switch n.on {
	case onRole, onUser, onGroup:
		if n.action == "iam:PassRole" {
			return c.passes(p, service)
		}
		return c.may(n.action, p.ARN, "")
	case onPolicyOfRole:
		best := no
		for _, arn := range p.Own {
			best = max(best, c.may(n.action, arn, ""))
		}
		return best
	case anywhere, onItself, onOwnPolicy, onOwnGroup:
	}
	return c.may(n.action, "", "")
}

// passes reports whether a role may be passed to a service, by any of the names that it has
// in the partition.
func (c *climb) passes(p *Peer, service string) (best grade) {
	known, ok := dera.PartitionByID(dera.ARN(p.ARN).Partition())
	if !ok {
		return c.may("iam:PassRole", p.ARN, service+".*")
	}
	best = c.may("iam:PassRole", p.ARN, service+"."+known.DNSSuffix)
	if own := dera.Partitions()[0].DNSSuffix; own != known.DNSSuffix { // most services keep that one
		best = max(best, c.may("iam:PassRole", p.ARN, service+"."+own))
	}
	return best
}

// short is an ARN without what all of an account have.
func short(arn string) string { return dera.ARN(arn).Resource() }

// acts reports whether a service may act as the role, or anybody.
func (p *Peer) acts(service string) bool {
	return slices.ContainsFunc(p.serves, func(s string) bool { return s == "*" || strings.HasPrefix(strings.ToLower(s), service+".") })
}
