package escalation

import (
	"cmp"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/services/iam"
)

// Unreadable says of a principal whose policies cannot be read what has to be assumed.
const Unreadable = "which may do everything, as far as dera can read"

// Peers are the principals of an account as others get to them: the strong ones first, which
// have all permissions or get them, by others that are strong too. known are peers of which
// more is known than their policies. Roles that AWS keeps for itself nobody else gets to.
func Peers(all []Principal, known []Peer) []Peer {
	var out []Peer
	for _, p := range known {
		out = append(out, p.read())
	}
	var weak []*climb
	for _, p := range all {
		if iam.Fixed(pathOf(p.ARN)) {
			continue
		}
		c, err := newClimb(p)
		if err != nil {
			out = append(out, Peer{Kind: p.Kind, ARN: string(p.ARN), Trust: p.Trust, Own: p.Own, Strong: Unreadable}.read())
			continue
		}
		peer := Peer{Kind: p.Kind, ARN: string(p.ARN), Trust: p.Trust, Own: p.Own, Within: p.Within, Bound: c.bound()}
		switch power := iam.PowerOf(c.sets...); {
		case power.Everything():
			peer.Strong = "which may do everything"
		case power.Identities():
			peer.Strong = "which may do everything with identities"
		case p.Kind != iam.GroupKind:
			peer.Free = peer.Bound && iam.PowerOf(c.sets[0]).Identities()
			weak = append(weak, c)
		}
		out = append(out, peer.read())
	}
	order(out)
	for fresh := out; len(fresh) > 0; { // those that nobody has been asked about as strong ones
		got := map[string]string{}
		weak = slices.DeleteFunc(weak, func(c *climb) bool {
			ways := c.find(fresh)
			if len(ways) > 0 {
				got[string(c.ARN)] = gets + ways[0].says
			}
			return len(ways) > 0
		})
		fresh = nil
		for i := range out {
			if how := got[out[i].ARN]; how != "" && out[i].Strong == "" {
				out[i].Strong = how
				fresh = append(fresh, out[i])
			}
		}
	}
	order(out)
	return out
}

// order puts those first that have all permissions, and then those that get them.
func order(list []Peer) {
	slices.SortFunc(list, func(a, b Peer) int { return cmp.Or(a.rank()-b.rank(), cmp.Compare(a.ARN, b.ARN)) })
}

const gets = "which gets all permissions by "

// weakest is the rank of those that do not get all permissions.
const weakest = 2

// read is a peer whose trust policy is read, once for all that ask for it. What cannot be read
// may trust anybody.
func (p Peer) read() Peer {
	if p.Kind != iam.RoleKind || p.trust != nil {
		return p
	}
	if doc, err := policy.Parse(p.Trust); err == nil {
		p.trust, p.serves = doc, iam.ServicesOf(p.Trust)
		return p
	}
	p.trust = &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{{
		Effect: policy.Allow, Actions: []string{"sts:AssumeRole"}, Principals: &policy.Principals{Any: true},
	}}}
	p.serves = []string{"*"}
	return p
}

func (p Peer) rank() int {
	switch {
	case p.Strong == "":
		return weakest
	case strings.HasPrefix(p.Strong, gets):
		return 1
	}
	return 0
}

// Of are those peers to which a way of a principal leads.
func Of(p Principal, all []Peer) ([]Peer, error) {
	c, err := newClimb(p)
	if err != nil {
		return nil, err
	}
	if administers(iam.PowerOf(c.sets...)) {
		return nil, nil // nobody has more
	}
	var out []Peer
	for _, f := range c.find(all) {
		if f.to != nil && !slices.ContainsFunc(out, func(o Peer) bool { return o.ARN == f.to.ARN }) {
			to := *f.to
			to.trust, to.serves = nil, nil
			out = append(out, to)
		}
	}
	order(out)
	return out, nil
}

func pathOf(arn dera.ARN) string {
	_, path, _ := strings.Cut(arn.Resource(), "/")
	return "/" + path[:strings.LastIndexByte(path, '/')+1]
}

// Has notes policies that the principal has.
func (p *Principal) Has(texts []iam.Text, attached []iam.Attached) {
	p.Texts = append(p.Texts, texts...)
	for _, a := range attached {
		if texts == nil {
			p.Texts = append(p.Texts, iam.Text{Name: a.ARN, Document: a.Document})
		}
		if arn := dera.ARN(a.ARN); arn.Service() == "iam" && arn.Account() != "aws" {
			p.Own = append(p.Own, a.ARN)
		}
	}
}
