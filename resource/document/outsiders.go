package document

import (
	"context"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
)

// Outsiders finds those to whom the statement gives access, without those whom
// trusted knows: whom it names, and of a statement for anybody those whom a denial spares by
// name, where it lets nobody else in. What the policy's denials take back of the former does
// not count; in doubt it does.
func Outsiders(ctx context.Context, doc *policy.Document, index int, own Own, trusted func(id string) bool) []Outsider {
	named := namedBy(ctx, doc, index, own, trusted)
	st := doc.Statements[index]
	if st.Effect != policy.Allow || !slices.ContainsFunc(PrincipalsOf(&st), Principal.Everyone) {
		return named
	}
	in := circle{own: own, trusted: trusted, zone: own.zone()}
	for _, c := range st.Conditions {
		ByCondition(c, in.add)
	}
	already := slices.Clone(in.out)
	for _, d := range doc.Statements {
		spares(d, in.add)
	}
	if len(in.out) == len(already) {
		return named
	}
	policies := reason.Policies{Only(doc, st)}
	closed := func(without ...Outsider) bool {
		z := in.zone
		for _, o := range in.out {
			if !slices.Contains(without, o) {
				z = within(z, o)
			}
		}
		return proof.External(ctx, policies, z, reason.Config{}).Verdict == reason.Proved
	}
	if !closed() { // the public, or a place: not theirs alone
		return named
	}
	const each = 20 // of more, each counts: to ask of every one takes the square of their number
	spared := in.out[len(already):]
	for _, o := range spared {
		if !slices.Contains(named, o) && (len(spared) > each || !closed(o)) {
			named = append(named, o)
		}
	}
	return named
}

// spares finds whom a denial does not deny because it names them.
func spares(d policy.Statement, add func(kind, id string)) {
	if d.Effect != policy.Deny {
		return
	}
	if d.NotPrincipals != nil {
		for _, p := range PrincipalsOf(&policy.Statement{Principals: d.NotPrincipals}) {
			if account := p.Account(); account != "" {
				add("account", account)
			} else if p.Kind == policy.PrincipalAWS && !p.Everyone() {
				add("principal", p.Value)
			}
		}
	}
	for _, c := range d.Conditions {
		if op, ok := policy.ParseOperator(c.Operator); ok && op.Negated() {
			op.IfExists, op.Test = false, strings.Replace(op.Test, "Not", "", 1)
			ByCondition(policy.Condition{Operator: op.String(), Key: c.Key, Values: c.Values}, add)
		}
	}
}

// circle gathers who is named: the trusted into the zone, the others into out.
type circle struct {
	own     Own
	trusted func(id string) bool
	zone    reason.Zone
	out     []Outsider
}

func (in *circle) add(kind, id string) {
	switch o := (Outsider{kind, id}); {
	case id == "" || id == in.own.Account || id == in.own.Canonical || id == in.own.Alias || slices.Contains(in.out, o):
	case !in.trusted(id):
		in.out = append(in.out, o)
	default:
		in.zone = within(in.zone, o)
	}
}

// within is the zone with one more in it.
func within(z reason.Zone, o Outsider) reason.Zone {
	switch o.Kind {
	case "organisation":
		z.Organizations = append(slices.Clone(z.Organizations), o.ID)
	case "account":
		z.Accounts = append(slices.Clone(z.Accounts), o.ID)
	default:
		z.Principals = append(slices.Clone(z.Principals), o.ID)
	}
	return z
}

// zone is whoever is the owner.
func (own Own) zone() reason.Zone {
	z := reason.Zone{Accounts: []string{own.Account}}
	if own.Canonical != "" {
		z.Principals = []string{own.Canonical}
	}
	return z
}

// namedBy are the outsiders whom the statement itself names.
func namedBy(ctx context.Context, doc *policy.Document, index int, own Own, trusted func(id string) bool) []Outsider {
	st := doc.Statements[index]
	if st.Effect != policy.Allow {
		return nil
	}
	in := circle{own: own, trusted: trusted, zone: own.zone()}
	var byService []Outsider // have access through a service of AWS
	serve := func(kind, id string) {
		if o := (Outsider{kind, id}); id != "" && id != own.Account && !trusted(id) && !slices.Contains(byService, o) {
			byService = append(byService, o)
		}
	}
	for _, p := range PrincipalsOf(&st) {
		switch account := p.Account(); {
		case p.Everyone():
			for _, c := range st.Conditions {
				ByCondition(c, in.add)
			}
		case p.Kind == policy.PrincipalService:
			for _, c := range st.Conditions {
				ByCondition(c, serve)
			}
		case account != "" && account == own.Alias:
		case account != "":
			in.add("account", account)
		case p.Kind == policy.PrincipalCanonical:
			in.add("canonical", p.Value)
		case p.Kind == policy.PrincipalAWS:
			in.add("principal", p.Value)
		case p.Kind == policy.PrincipalFederated:
			if account := dera.ARN(p.Value).Account(); account != "" {
				in.add("account", account)
			}
		}
	}
	if len(in.out) > 0 && proof.External(ctx, reason.Policies{Only(doc, st)}, in.zone, reason.Config{}).Verdict == reason.Proved {
		in.out = nil
	}
	return append(in.out, byService...)
}
