package escalation

import (
	"cmp"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/services/iam"
)

// Unreadable says of a principal whose policies cannot be read what has to be assumed.
const Unreadable = "which may do everything, as far as dera can read"

// Peers are the principals of an account as others get to them: the strong ones first, which
// have all permissions or get them, by others that are strong too. known are peers of which
// more is known than their policies. Roles that AWS keeps for itself nobody else gets to.
func Peers(all []Principal, known []Peer) []Peer {
	out := slices.Clone(known)
	var weak []*climb
	for _, p := range all {
		if iam.Fixed(pathOf(p.ARN)) {
			continue
		}
		c, err := newClimb(p)
		if err != nil {
			out = append(out, Peer{Kind: p.Kind, ARN: string(p.ARN), Trust: p.Trust, Own: p.Own, Strong: Unreadable})
			continue
		}
		peer := Peer{Kind: p.Kind, ARN: string(p.ARN), Trust: p.Trust, Own: p.Own, Within: p.Within, Bound: c.bound()}
		switch power := iam.PowerOf(c.sets...); {
		case power.Everything():
			peer.Strong = "which may do everything"
		case power.Identities():
			peer.Strong = "which may do everything with identities"
		case p.Kind != iam.GroupKind:
			weak = append(weak, c)
		}
		out = append(out, peer)
	}
	order(out)
	for len(weak) > 0 {
		got := map[string]string{}
		weak = slices.DeleteFunc(weak, func(c *climb) bool {
			ways := c.find(out)
			if len(ways) > 0 {
				got[string(c.ARN)] = gets + ways[0].says
			}
			return len(ways) > 0
		})
		if len(got) == 0 {
			break
		}
		for i := range out {
			out[i].Strong = cmp.Or(out[i].Strong, got[out[i].ARN])
		}
		order(out)
	}
	return out
}

// order puts those first that have all permissions, and then those that get them.
func order(list []Peer) {
	slices.SortFunc(list, func(a, b Peer) int { return cmp.Or(a.rank()-b.rank(), cmp.Compare(a.ARN, b.ARN)) })
}

const gets = "which gets all permissions by "

func (p Peer) rank() int {
	switch {
	case p.Strong == "":
		return 2
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
	var out []Peer
	for _, f := range c.find(all) {
		if f.to != nil && !slices.ContainsFunc(out, func(o Peer) bool { return o.ARN == f.to.ARN }) {
			out = append(out, *f.to)
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
