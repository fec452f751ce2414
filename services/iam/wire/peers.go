package wire

import (
	"context"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/escalation"
)

// peersFor is how long it is remembered who the principals of an account are: a look at one
// after an event walks over all of them but once in that time.
const peersFor = 15 * time.Minute

// peers are the principals of the account as others get to them, read once: from the walk of
// a sweep, or else from one of the last minutes.
func peers(ctx context.Context, r *cloud.Reading) ([]escalation.Peer, error) {
	read := func(r *cloud.Reading) ([]escalation.Peer, error) {
		a, err := Walk(ctx, r, everyKind()...)
		if err != nil {
			return nil, err
		}
		b := Book{r, a}
		var all []escalation.Principal
		var out []escalation.Peer
		for _, e := range a.Entities {
			p, err := b.principal(ctx, e)
			if err != nil {
				out = append(out, escalation.Peer{Kind: e.Kind, ARN: string(e.ARN), Trust: e.Trust, Strong: escalation.Unreadable})
				continue
			}
			all = append(all, p)
		}
		return escalation.Peers(all, out), nil
	}
	return cloud.Once(r, "peers", func() ([]escalation.Peer, error) {
		from, lifetime := r.Apart(), peersFor
		if r.Scope.Sweep() { // what it saw is never forgotten for what is older
			from, lifetime = r, 0
		}
		return cloud.Remember(r, "principals of "+r.Scope.Account, lifetime, func() ([]escalation.Peer, error) { return read(from) })
	})
}

func everyKind() []own.Kind { return []own.Kind{own.RoleKind, own.UserKind, own.GroupKind} }

// principal is an identity of a walk with all that decides what it may do.
func (b Book) principal(ctx context.Context, e *Entity) (escalation.Principal, error) {
	p := escalation.Principal{Kind: e.Kind, ARN: e.ARN, Trust: e.Trust}
	if e.Kind == own.GroupKind {
		g, err := b.Group(ctx, e.Name)
		p.Has(g.Granting(e.Kind).Whole, g.Attached)
		return p, err
	}
	h, err := b.Holder(ctx, e.Kind, e.Name, func(_, _ string) bool { return false })
	if err != nil {
		return p, err
	}
	p.Has(nil, h.Beside)
	for _, g := range e.Groups {
		if group := b.Walked.named[own.GroupKind][g]; group != nil {
			p.Groups = append(p.Groups, string(group.ARN))
		}
	}
	if h.Boundary != "" {
		within, err := b.document(ctx, h.Boundary)
		if err != nil {
			return p, err
		}
		p.Boundary, p.Within = within.Document, h.Boundary
	}
	return p, nil
}

// readPeers reads to which principals one gets whose own policies are known by now.
func (s Identities) readPeers(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	all, err := peers(ctx, r)
	if err != nil {
		return err
	}
	p := s.Climbs(x.Config)
	p.ARN = dera.ARN(x.ARN)
	to, err := escalation.Of(p, all)
	if err != nil { // its own policies are not known, as their parts say
		x.Lost(escalation.PartPeers, nil)
		return nil
	}
	s.Peers(x.Config, to)
	return nil
}
