package escalation

import (
	"context"
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
	// Strong says how it has, or gets, all permissions; "" where it does not.
	Strong string `json:"strong,omitempty"`
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
	cfg      reason.Config
	asked    map[string]grade
}

// grade is whether something is allowed: under conditions, or in any case.
type grade uint8

const (
	no grade = iota
	limited
	sure
)

func newClimb(p Principal) (*climb, error) {
	c := &climb{Principal: p, cfg: reason.Config{Arity: arity}.Remember(), asked: map[string]grade{}, sets: make([][]*policy.Document, 1, 2)}
	for _, t := range p.Texts {
		doc, err := policy.Parse(t.Document)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", t.Name, err)
		}
		c.sets[0] = append(c.sets[0], doc)
	}
	if p.Boundary != "" {
		doc, err := policy.Parse(p.Boundary)
		if err != nil {
			return nil, fmt.Errorf("read the permissions boundary: %w", err)
		}
		c.sets = append(c.sets, []*policy.Document{doc})
	}
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

// arity knows of the one key of IAM that ways turn on that it has one value.
func arity(key string) reason.Arity {
	if strings.EqualFold(key, passedTo) {
		return reason.One
	}
	return reason.GlobalArity(key)
}

// may reports whether an action is allowed on a resource, "" for any at all; for
// iam:PassRole, to a service whose name may be a pattern. In doubt it is.
func (c *climb) may(action, on, service string) grade {
	if of, _, _ := strings.Cut(action, ":"); !c.services[of] && !c.services[""] {
		return no
	}
	key := action + " " + on + " " + service
	if g, ok := c.asked[key]; ok {
		return g
	}
	g := sure
	for _, set := range c.sets {
		g = min(g, c.in(set, action, on, service))
	}
	c.asked[key] = g
	return g
}

func (c *climb) in(set []*policy.Document, action, on, service string) grade {
	set = about(set, action)
	if len(set) == 0 {
		return no
	}
	facts := &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{
		denies(policy.Condition{Operator: "DateLessThan", Key: "aws:TokenIssueTime", Values: []string{past}}),
		denies(policy.Condition{Operator: "DateLessThan", Key: "aws:CurrentTime", Values: []string{past}}),
	}}
	if on != "" {
		facts.Statements = append(facts.Statements, policy.Statement{Effect: policy.Deny, Actions: []string{"*"}, NotResources: spelled(on)})
	}
	if service != "" {
		facts.Statements = append(facts.Statements, denies(policy.Condition{Operator: "StringNotLike", Key: passedTo, Values: []string{service}}))
	}
	some := func(set []*policy.Document) bool {
		return reason.SubsetOf(context.Background(), []string{action}, append(slices.Clone(set), facts), nil, c.cfg).Verdict != reason.Proved
	}
	switch {
	case !some(set):
		return no
	case some(unconditional(set)):
		return sure
	}
	return limited
}

// about is what some policies say of an action; none where none allows it.
func about(set []*policy.Document, action string) (out []*policy.Document) {
	allowed := false
	for _, d := range set {
		o := &policy.Document{Version: d.Version}
		for i := range d.Statements {
			if st := &d.Statements[i]; st.Effect == policy.Deny || iam.Lets(st, action) {
				o.Statements = append(o.Statements, *st)
				allowed = allowed || st.Effect == policy.Allow
			}
		}
		if len(o.Statements) > 0 {
			out = append(out, o)
		}
	}
	if !allowed {
		return nil
	}
	return out
}

// spelled are the ARNs that one may be of which the partition or the account is not known: a
// star would stand for more than one of these.
func spelled(arn string) (out []string) {
	arn = strings.Replace(arn, ":iam::*:", ":iam::????????????:", 1)
	rest, open := strings.CutPrefix(arn, "arn:*:")
	if !open {
		return []string{arn}
	}
	for _, p := range dera.Partitions() {
		out = append(out, "arn:"+p.ID+":"+rest)
	}
	return out
}

const (
	passedTo = "iam:PassedToService"
	// past is a moment before which nothing happens any more: sessions last at most 36 hours.
	past = "2026-01-01T00:00:00Z"
)

func denies(c policy.Condition) policy.Statement {
	return policy.Statement{Effect: policy.Deny, Actions: []string{"*"}, Resources: []string{"*"}, Conditions: []policy.Condition{c}}
}

// unconditional is what some policies allow at any time: what they allow under conditions
// they do not, and what they deny under some they deny. To which service a role is passed is
// no condition here, since it is asked about.
func unconditional(set []*policy.Document) (out []*policy.Document) {
	for _, d := range set {
		o := &policy.Document{Version: d.Version}
		for _, st := range d.Statements {
			other := slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool { return !strings.EqualFold(c.Key, passedTo) })
			switch {
			case st.Effect == policy.Deny:
				st.Conditions = nil
			case other:
				continue
			}
			o.Statements = append(o.Statements, st)
		}
		out = append(out, o)
	}
	return out
}

// most is how many peers are named of a way.
const most = 2

// find finds the ways that are open to some peers, or to the principal's own permissions.
func (c *climb) find(peers []Peer) (out []found) {
	bound := len(c.sets) > 1 && !strong(iam.PowerOf(c.sets[1]))
	for _, w := range ways() {
		switch {
		case w.kind != "" && w.kind != c.Kind, !c.seems(w):
		case !w.ofPeers():
			if f, ok := c.alone(w); ok && !bound { // else no policy gives it more than the boundary
				out = append(out, f)
			}
		default:
			var some []found // of the strongest that it gets to
			for i := range peers {
				if len(some) == most || len(some) > 0 && peers[i].rank() > some[0].to.rank() {
					break
				}
				if f, ok := c.to(w, &peers[i]); ok {
					some = append(some, f)
				}
			}
			out = append(out, some...)
		}
	}
	if bound && strong(iam.PowerOf(c.sets[0])) {
		for _, verb := range []string{"Delete", "Put"} {
			if f, ok := c.alone(way{key: SelfKey, needs: []need{{c.Kind.Call(verb, "PermissionsBoundary"), onItself}}}); ok {
				out = append(out, f)
			}
		}
	}
	return out
}

// strong reports whether a power is, or gives, every permission.
func strong(p iam.Power) bool { return p.Everything() || p.Identities() }

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
		if g := c.may(n.action, r, ""); g > best {
			best, where = g, r
		}
	}
	return found{key: w.key, says: fmt.Sprintf("%s on %s", n.action, short(where)), limited: best == limited}, best > no
}

// to is a way to a peer.
func (c *climb) to(w way, p *Peer) (found, bool) {
	if p.Strong == "" && !w.weak || dera.ARN(p.ARN).Resource() == c.ARN.Resource() {
		return found{}, false
	}
	of := map[iam.Kind][]place{iam.RoleKind: {onRole, onPolicyOfRole, anywhere}, iam.UserKind: {onUser, anywhere}, iam.GroupKind: {onGroup}}[p.Kind]
	if (w.service != "" || w.comes) && p.Kind != iam.RoleKind || w.service != "" && !serves(p.Trust, w.service) {
		return found{}, false
	}
	worst, actions := sure, []string(nil)
	for _, n := range w.needs {
		if !slices.Contains(of, n.on) {
			return found{}, false
		}
		worst = min(worst, c.on(n, w.service, p))
		actions = append(actions, n.action)
	}
	if w.comes {
		worst = min(worst, c.comes(p))
		actions = append(actions, "sts:AssumeRole")
	}
	says := strings.Join(actions, ", ") + " → " + short(p.ARN)
	if w.key == ComputeKey {
		says = strings.Join(actions, ", ") + " → what runs as " + short(p.ARN)
	}
	switch {
	case w.weak:
		says += ", which may be given any permission"
	case p.Strong != "":
		says += ", " + p.Strong
	}
	return found{key: w.key, says: says, to: p, limited: worst == limited}, worst > no
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

// serves reports whether a service may act as a role, or anybody.
func serves(trust, service string) bool {
	return slices.ContainsFunc(iam.ServicesOf(trust), func(s string) bool { return s == "*" || strings.HasPrefix(strings.ToLower(s), service+".") })
}
