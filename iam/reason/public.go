package reason

import (
	"context"
	"slices"

	"dera.example/dera/iam/lang"
)

// Zone is a zone of trust: whoever is in it is no external principal.
type Zone struct {
	Accounts      []string // account numbers
	Organizations []string // organisation IDs such as o-a1b2c3d4e5
	Principals    []string // single principals of other accounts: ARNs, unique or canonical IDs
}

// names reports whether a principal is in the zone.
func (z *Zone) names(principal string) bool { return slices.Contains(z.Principals, principal) }

// has reports whether an account or organisation is in the zone.
func (z *Zone) has(id string) bool {
	return slices.Contains(z.Accounts, id) || slices.Contains(z.Organizations, id)
}

// Exposure is the answer of [Public] and [External]. The claim is that no
// external principal is allowed anything.
type Exposure struct {
	Verdict Conclusion
	Open    []Opening // the statements that allow public access; with Refuted
	Unsure  []Doubt   // the statements about which nothing is known
	Stats   Stats
}

// Opening is a statement that allows external access, and how.
type Opening struct {
	Statement Ref
	Witness   *Witness
}

// Doubt is a statement that may or may not allows external access.
type Doubt struct {
	Statement Ref
	Why       Cause
	Detail    string
}

// Public decides, for the policies of a resource, whether anybody at all can
// use it. A policy is public when it allows a request by a caller of whom
// nothing is known: without credentials or from an account that the policy
// does not name, with none of the organisations, accounts, networks or other
// identities that the policy names as conditions. Denials count: a statement
// that another one takes back is not public.
//
// The result names every allowing statement that is public, so that a fix can
// remove these and nothing else.
func Public(ctx context.Context, policies Policies, cfg Config) Exposure {
	return exposure(ctx, policies, external{docs: policies}, cfg)
}

// PublicOn is [Public] for the actions and the resources alone: those that have
// to do with what the policy stands at. What it says of others has no effect, and
// counts neither for it nor against it. Both lists are patterns as in a policy,
// and an empty list stands for all.
func PublicOn(ctx context.Context, policies Policies, actions, resources []string, cfg Config) Exposure {
	return exposure(ctx, policies, external{docs: policies, actions: actions, on: resources}, cfg)
}

// External decides, for the policies of a resource, whether a caller outside
// the zone of trust can use it. Other than for [Public], accounts that the
// policy names but the zone does not are outside. AWS services are not
// callers in this sense: restrict them with aws:SourceAccount.
func External(ctx context.Context, policies Policies, zone Zone, cfg Config) Exposure {
	return exposure(ctx, policies, external{docs: policies, zone: &zone}, cfg)
}

// exposure asks about an external principal who may have any value of which it is not
// certain that no external principal has it, and where that one has access, about one who has
// none of them. Statements about which the two differ are in doubt.
func exposure(ctx context.Context, policies Policies, s external, cfg Config) Exposure {
	cfg = cfg.withDefaults()
	s.docs, s.owner = effective(policies), cfg.Owner
	found := expose(ctx, s, cfg)
	if len(found.Open) == 0 {
		return found
	}
	if s.zone == nil {
		s.strict = true
	}
	var unknown map[int]map[int]string
	s.docs, unknown = recognised(s.docs, cfg)
	if len(unknown) == 0 && !s.doubtful() {
		return found
	}
	sure := expose(ctx, s, cfg)
	out := Exposure{Verdict: Refuted, Open: sure.Open, Unsure: found.Unsure, Stats: found.Stats}
	for _, o := range found.Open {
		if slices.ContainsFunc(sure.Open, func(p Opening) bool { return p.Statement == o.Statement }) {
			continue
		}
		detail := unknown[o.Statement.Document][o.Statement.Statement]
		if detail == "" {
			detail = "whether it is met depends on a condition key that nobody knows, or on a wildcard that crosses the colons of an ARN"
		}
		out.Unsure = append(out.Unsure, Doubt{o.Statement, Unrecognised, detail})
	}
	if len(out.Open) == 0 {
		out.Verdict = Unknown
	}
	return out
}

// expose decides for one external principal.
func expose(ctx context.Context, s external, cfg Config) Exposure {
	policies := s.docs
	p := prepare(claim{fresh: policies, actions: anyOf(s.actions), spelled: s.actions, assume: s.assume}, cfg)
	judges := map[Ref]*judge{}
	var open []*source // about which not all is said
	for _, src := range p.grants() {
		// A statement without principals is about whoever it is attached to.
		if src.st.Principals != nil || src.st.NotPrincipals != nil {
			open = append(open, src)
			judges[src.ref] = &judge{}
		}
	}
	var made choices
	var used []Reading
	for len(open) > 0 {
		r, more := made.next(p.cfg.Readings, used)
		if !more {
			break
		}
		run := p.newRun(ctx, r, nil)
		used = append(used, r)
		open = slices.DeleteFunc(open, func(src *source) bool {
			j := judges[src.ref]
			return !p.stillHolds(j.Witness, run.reading) && j.hear(run.answer([]*source{src}), run)
		})
		made = made.add(run.compiler.choices)
	}
	return verdictOf(p, judges)
}

// verdictOf joins what was found about the statements.
func verdictOf(p *prepared, judges map[Ref]*judge) Exposure {
	out := Exposure{Verdict: Proved}
	for _, src := range p.freshSources {
		j := judges[src.ref]
		if j == nil {
			continue
		}
		out.Stats.Nodes += j.Stats.Nodes
		out.Stats.Calls += j.Stats.Calls
		switch j.Verdict {
		case Refuted:
			out.Open = append(out.Open, Opening{src.ref, j.Witness})
		case Unknown:
			out.Unsure = append(out.Unsure, Doubt{src.ref, j.Why, j.Detail})
		case Proved:
		}
	}
	switch {
	case len(out.Open) > 0:
		out.Verdict = Refuted
	case len(out.Unsure) > 0:
		out.Verdict = Unknown
	}
	return out
}

// AllowsAny decides whether the policies allow any of the actions on any of
// the resources; both lists are patterns as in a policy, and an empty list
// stands for all. The claim is that they allow none: Proved means that no such
// request is allowed, and Refuted comes with one that is.
func AllowsAny(ctx context.Context, policies Policies, actions, resources []string, cfg Config) Answer {
	cl := claim{fresh: policies, actions: anyOf(actions), spelled: actions}
	if len(resources) > 0 {
		cl.assume = func(c *compiler) []lit { return []lit{c.among(resources)} }
	}
	return decide(ctx, cl, cfg)
}

// anyOf are the actions that fit one of the patterns, or nil for all actions.
func anyOf(actions []string) *lang.Set {
	if len(actions) == 0 {
		return nil
	}
	return actionSet(actions)
}

// among says that a request is on one of the resources.
func (c *compiler) among(resources []string) lit {
	var values valueList
	c.variables = false
	for _, r := range resources {
		c.resource(&values, r)
	}
	return values.languages(c, resourceDim, false)[0].lit
}
