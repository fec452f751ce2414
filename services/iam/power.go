package iam

import (
	"context"
	"slices"
	"strings"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
)

// Power is what some policies together allow of whole services of AWS: all their actions,
// on all resources.
type Power struct {
	// Rest says that every service counts but those of But; else those of Services do.
	Rest          bool
	Services, But []string
	// Limited says that it holds under conditions, or but for what is denied under conditions
	// or on some resources, or that it is in doubt; LimitedIdentities that what it says of IAM does.
	Limited, LimitedIdentities bool
}

// Everything reports whether every action is allowed on every resource.
func (p Power) Everything() bool { return p.Rest && len(p.But) == 0 }

// None reports whether no service is allowed as a whole.
func (p Power) None() bool { return !p.Rest && len(p.Services) == 0 }

// Identities reports whether every action of IAM is allowed.
func (p Power) Identities() bool {
	return p.Rest && !slices.Contains(p.But, "iam") || slices.Contains(p.Services, "iam")
}

// says is the power for people.
func (p Power) says() (out string) {
	switch {
	case p.Everything():
		out = "every action on every resource"
	case p.Rest:
		out = "every action on every resource, but for some of " + listed(p.But, 8)
	default:
		out = "every action of " + listed(p.Services, 8) + " on every resource"
	}
	if p.Limited {
		out += ", under conditions, in doubt, or but for what they deny"
	}
	return out
}

// PowerOf is what is allowed by all of some sets of policies, each of which allows what one
// of its policies does and none denies: those of an identity, and its boundary. It is
// decided by reasoning over the actions of the catalogue, however the policies say it.
func PowerOf(sets ...[]*policy.Document) Power {
	p := powers{sets: sets}
	return p.power()
}

type powers struct {
	sets [][]*policy.Document
	// open are the sets without conditions, and without the denials that have some or that are
	// about some resources, and with what patterns of services may mean.
	open [][]*policy.Document
}

func (p *powers) power() Power {
	named, wild, pattern := p.named()
	if wild {
		if all, limited := p.whole("*", "*"); all {
			return Power{Rest: true, Limited: limited, LimitedIdentities: limited}
		}
	}
	var out Power
	var others []string
	for _, service := range named {
		whole, limited := p.service(service)
		if !whole {
			others = append(others, service)
			continue
		}
		out.Services, out.Limited = append(out.Services, service), out.Limited || limited
		out.LimitedIdentities = out.LimitedIdentities || limited && service == "iam"
	}
	if !wild {
		return out
	}
	// The services that no entry names are alike; but those of a pattern have to match it.
	rest, limited := false, false
	for _, s := range catalog.Embedded().Services() {
		if slices.Contains(named, s) {
			continue
		}
		if rest {
			rest = p.seems(s + ":*")
		} else {
			rest, limited = p.service(s)
		}
		if !rest || !pattern {
			break
		}
	}
	if rest {
		out.Rest, out.Services, out.But = true, nil, others
		out.Limited = out.Limited || limited
		out.LimitedIdentities = out.LimitedIdentities || limited && !slices.Contains(named, "iam")
	}
	return out
}

// named are the services that may be allowed as a whole, or may not, by name: an entry has a
// wildcard for it, or leaves it out. wild says that some entry is about services that it
// does not name, and pattern that one is by a pattern of their names.
func (p *powers) named() (services []string, wild, pattern bool) {
	var out []string
	for _, set := range p.sets {
		for _, d := range set {
			for i := range d.Statements {
				st := &d.Statements[i]
				if st.Effect == policy.Deny || st.NotActions != nil {
					out = append(append(out, st.Actions...), st.NotActions...)
					wild = wild || st.Effect == policy.Allow
					continue
				}
				for _, e := range st.Actions {
					switch {
					case every(e) || OfAnyService(e):
						wild, pattern = true, pattern || OfAnyService(e)
					case strings.ContainsAny(e, "*?"):
						services = append(services, e)
					}
				}
			}
		}
	}
	if wild {
		services = append(services, out...)
	}
	for i, e := range services {
		service, _, _ := strings.Cut(strings.ToLower(e), ":")
		services[i] = service
	}
	slices.Sort(services)
	return slices.DeleteFunc(slices.Compact(services), func(s string) bool { return !catalog.Embedded().Known(s) }), wild, pattern
}

// service reports whether all sets allow every action of a service that the catalogue has,
// on all resources, and whether they are limited in that.
func (p *powers) service(prefix string) (whole, limited bool) {
	known, _ := catalog.Embedded().Expand(prefix + ":*")
	return p.whole(prefix+":*", known...)
}

// seems reports whether each set has, for each action of an entry, a statement that allows
// it, which most policies show in no time that they have not.
func (p *powers) seems(entry string) bool {
	of, _, _ := strings.Cut(entry, ":")
	return !slices.ContainsFunc(p.sets, func(set []*policy.Document) bool {
		var entries []string
		var allBut []*policy.Statement
		for _, d := range set {
			for i := range d.Statements {
				st := &d.Statements[i]
				switch {
				case st.Effect != policy.Allow:
				case st.NotActions != nil:
					allBut = append(allBut, st)
				default:
					for _, e := range st.Actions {
						if service, _, _ := strings.Cut(e, ":"); strings.EqualFold(service, of) || strings.ContainsAny(service, "*?") || of == "*" {
							entries = append(entries, e)
						}
					}
				}
			}
		}
		slices.Sort(entries)
		entries = slices.Compact(entries)
		if slices.ContainsFunc(entries, func(e string) bool { return every(e) || strings.EqualFold(e, entry) }) {
			return false
		}
		known, _ := catalog.Embedded().Matched(entry)
		return slices.ContainsFunc(known, func(k *catalog.Known) bool {
			a := k.Name
			return !slices.ContainsFunc(entries, func(e string) bool { return matches(e, a) }) && !slices.ContainsFunc(allBut, func(st *policy.Statement) bool { return Lets(st, a) })
		})
	})
}

// whole reports whether all sets allow some actions, those of an entry, on all resources, and
// whether they do in open alone, or in doubt.
func (p *powers) whole(entry string, actions ...string) (whole, limited bool) {
	if len(actions) == 0 || !p.seems(entry) {
		return false, false
	}
	all := reason.Policies{&policy.Document{Version: policy.Version2012, Statements: []policy.Statement{{Effect: policy.Allow, Actions: actions, Resources: []string{"*"}}}}}
	none := func(is func(reason.Conclusion) bool, sets [][]*policy.Document, lets func(*policy.Statement, string) bool) bool {
		return !slices.ContainsFunc(sets, func(set []*policy.Document) bool {
			return is(reason.Subset(context.Background(), all, of(set, actions, lets), reason.Config{}).Verdict)
		})
	}
	if none(func(c reason.Conclusion) bool { return c != reason.Proved }, p.sets, Exactly) {
		return true, false
	}
	if p.open == nil {
		for _, set := range p.sets {
			p.open = append(p.open, opened(set))
		}
	}
	whole = none(func(c reason.Conclusion) bool { return c == reason.Refuted }, p.open, Lets)
	return whole, whole
}

// of is what some policies say of a list of actions, by what lets says that a statement is
// about: no pattern is left, of which some are made to be slow. Of "*" it is all that they say.
func of(set []*policy.Document, actions []string, lets func(*policy.Statement, string) bool) (out []*policy.Document) {
	if slices.Contains(actions, "*") {
		return set
	}
	for _, d := range set {
		o := &policy.Document{Version: d.Version}
		for _, st := range d.Statements {
			about := lets
			if st.Effect == policy.Deny {
				about = Exactly
			}
			list := slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return !about(&st, a) })
			if st.Actions, st.NotActions = list, nil; len(list) > 0 {
				o.Statements = append(o.Statements, st)
			}
		}
		out = append(out, o)
	}
	return out
}

// opened are policies without conditions, and without the denials that have some or that are
// about some resources.
func opened(set []*policy.Document) (out []*policy.Document) {
	for _, d := range set {
		o := &policy.Document{Version: d.Version}
		for _, st := range d.Statements {
			switch {
			case st.Effect == policy.Allow:
				st.Conditions = nil
			case len(st.Conditions) > 0 || !onAll(&st):
				continue
			}
			o.Statements = append(o.Statements, st)
		}
		out = append(out, o)
	}
	return out
}
