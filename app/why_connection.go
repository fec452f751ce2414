package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/store"
)

// connection answers for a refused connection.
func (c *change) connection(ctx context.Context, q RefusedConnection, sure, doubtful []resource.Taken) (verdict, error) {
	all := slices.Concat(sure, doubtful)
	var rules []resource.Taken
	for _, t := range all {
		switch t.Denies {
		case resource.DeniesInbound:
			rules = append(rules, t)
		case resource.DeniesWithin:
			for _, b := range t.Within {
				if b.Connections || b.Public && reachedInPublic(q.To) {
					return verdict{BlameUnknown, "it may have: " + b.Why + "; whose address " + q.To + " is is not in the record"}, nil
				}
			}
		case resource.DeniesNothing, resource.DeniesByIdentity, resource.DeniesByResource, resource.DeniesByTrust: // no connections
		case resource.DeniesUndeclared:
			return verdict{BlameUnknown, "what it can deny is not declared"}, nil
		}
	}
	if len(rules) == 0 {
		return verdict{BlameNo, "its writes refuse no connection"}, nil
	}
	source, err := q.source()
	if err != nil {
		return verdict{}, err
	}
	ask := evidence.Connection{From: source, Protocol: q.Protocol, Port: q.Port}
	var blob []byte
	if len(doubtful) == 0 && len(sure) == len(c.rem.Plan.Changes) { // else the group was not as the evidence says
		if blob, err = c.Store.Evidence(ctx, c.rem.Evidence); err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrTorn) {
			return verdict{}, err
		}
	}
	loss, why := evidence.ConnectionsLost(ask, rules, blob)
	on, doubt := c.reaches(q)
	switch {
	case loss == evidence.ConnectionKept:
		return verdict{BlameNo, "computed exactly: no packet of it is among those that its rules let through before and not after"}, nil
	case !on:
		return verdict{BlameNo, "its rules are those of another security group"}, nil
	case loss == evidence.ConnectionUnknown:
		return verdict{BlameUnknown, "whether its rules took it is not known: " + why}, nil
	}
	took := fmt.Sprintf("it closed %s from %s to %s", trafficText(q), q.From, c.rem.Plan.Resource.Name())
	if doubt != "" {
		return verdict{BlameUnknown, took + "; " + doubt}, nil
	}
	return verdict{BlameYes, took + ", and no other rule of the group allows it"}, nil
}

// reaches says whether the rules of a group decide a connection, in doubt that they may.
func (c *change) reaches(q RefusedConnection) (may bool, doubt string) {
	group := c.rem.Plan.Resource.Name()
	if strings.HasPrefix(q.To, "sg-") {
		if q.To == group {
			return true, ""
		}
		return true, "whether what is behind " + q.To + " has this group too is not in the record: name its address or network interface with --to"
	}
	on := func(name string) bool {
		id, rest, _ := strings.Cut(name, " ")
		return id == q.To || strings.Trim(rest, "()") == q.To
	}
	if slices.ContainsFunc(c.rem.Interfaces, on) {
		return true, ""
	}
	return true, "whether " + q.To + " has this group is not in the record: name the group with --to"
}

// reachedInPublic reports whether a destination may be reached by a public address.
func reachedInPublic(to string) bool {
	a, err := netip.ParseAddr(to)
	return err != nil || evidence.Public(a.Unmap())
}

func trafficText(q RefusedConnection) string {
	if q.Port == 0 {
		return q.Protocol
	}
	return fmt.Sprintf("%s/%d", q.Protocol, q.Port)
}
