package reason

import (
	"context"
	"slices"
	"strings"

	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/lang"
	"dera.example/dera/iam/policy"
)

// claim is what all questions come down to: every request that fresh allows,
// that is among the actions and that fulfils the assumptions, is allowed by
// known too.
type claim struct {
	fresh, known Policies
	actions      *lang.Set // nil for all
	spelled      []string  // actions, as they were written
	assume       func(*compiler) []lit
}

// source is a statement as it stands in a document, with what does not depend
// on the reading.
type source struct {
	ref       Ref
	st        *policy.Statement
	memory    memory    // of the configuration
	variables bool      // the document has policy variables
	acts      *lang.Set // its actions in lower case, once they were asked for
	at        int       // place in the relations of a group; -1 for allowing statements of fresh
	groups    []*group  // of an allowing statement of fresh, once they were asked for
}

// prepared is a claim with all that is the same under every reading.
type prepared struct {
	claim
	cfg          Config
	freshSources []*source
	knownSources []*source
	touching     int         // how many statements may matter to an allowing one
	others       []*lang.Set // their actions, and last those of the claim, once they were asked for
	keys         []keyUse
	principal    bool // some statement names a principal: a resource policy

	evalAction           string    // that the two below are compiled for
	freshEval, knownEval *eval.Set // when a request is to be confirmed
}

func prepare(cl claim, cfg Config) *prepared {
	p := &prepared{claim: cl, cfg: cfg}
	p.freshSources = p.sources(cl.fresh, true)
	p.knownSources = p.sources(cl.known, false)
	p.onlyAsked()
	p.dropUnchanged()
	return p
}

// onlyAsked leaves the allowing statements of fresh no actions but those of the
// claim. Where that can be written, the search needs not look at them again.
func (p *prepared) onlyAsked() {
	if p.actions == nil {
		return
	}
	all := true
	p.freshSources = slices.DeleteFunc(p.freshSources, func(s *source) bool {
		if s.at >= 0 {
			return false
		}
		both, ok := s.action().Meet(p.actions)
		if ok {
			s.acts = both
		}
		all = all && ok
		return s.action().Nothing()
	})
	if all {
		p.actions = nil
	}
}

func (p *prepared) sources(set Policies, fresh bool) []*source {
	var out []*source
	for i, doc := range set {
		for j := range doc.Statements {
			st := &doc.Statements[j]
			p.survey(st)
			s := &source{ref: Ref{i, j, st.Sid}, st: st, memory: p.cfg.memory, variables: doc.Variables(), at: -1}
			grants := fresh && st.Effect == policy.Allow
			if st.Effect == policy.NoEffect {
				continue
			}
			if !grants {
				s.at = p.touching
				p.touching++
			}
			out = append(out, s)
		}
	}
	return out
}

// keyUse says how the claim uses a condition key.
type keyUse struct {
	key                       string
	set, boolean, arn, ranged bool // with a set operator, as a boolean, as an ARN, as something with an order
}

// survey notes how a statement uses its condition keys.
func (p *prepared) survey(st *policy.Statement) {
	p.principal = p.principal || st.Principals != nil || st.NotPrincipals != nil
	for i := range st.Conditions {
		cond := &st.Conditions[i]
		op, _ := policy.ParseOperator(cond.Operator)
		at := slices.IndexFunc(p.keys, func(u keyUse) bool { return strings.EqualFold(u.key, cond.Key) })
		if at < 0 {
			at = len(p.keys)
			p.keys = append(p.keys, keyUse{key: cond.Key})
		}
		u := &p.keys[at]
		u.set = u.set || op.Set != policy.NoSet
		u.boolean = u.boolean || op.Test == "Bool"
		u.arn = u.arn || strings.HasPrefix(op.Test, "Arn")
		if _, ok := familyOf(op.Test); ok {
			u.ranged = true
		}
	}
}

// groupsOf returns the groups of the actions of an allowing statement.
func (p *prepared) groupsOf(s *source, b *lang.Budget) []*group {
	if p.others == nil {
		p.others = make([]*lang.Set, p.touching, p.touching+1)
		for _, o := range slices.Concat(p.freshSources, p.knownSources) {
			if o.at >= 0 {
				p.others[o.at] = o.action()
			}
		}
		if p.actions != nil {
			p.others = append(p.others, p.actions)
		}
	}
	if s.groups == nil {
		s.groups = groups(b, s.action(), p.others)
	}
	return s.groups
}

// action returns the actions of the statement.
func (s *source) action() *lang.Set {
	if s.acts == nil {
		s.acts = s.memory.of(s.st)
	}
	return s.acts
}

// violates asks the evaluator whether, under a reading, fresh allows the
// request and known does not. Policies of resources never complete short ARNs.
func (p *prepared) violates(request eval.Request, r Reading) bool {
	reading := r.Reading
	reading.LiteralARNs = reading.LiteralARNs || p.principal
	if p.freshEval == nil || p.evalAction != request.Action {
		p.evalAction = request.Action
		p.freshEval, p.knownEval = eval.CompileFor(request.Action, p.fresh...), nil
	}
	if p.freshEval.Decide(request, reading) != eval.Allowed {
		return false
	}
	if p.knownEval == nil {
		p.knownEval = eval.CompileFor(request.Action, p.known...)
	}
	return p.knownEval.Decide(request, reading) != eval.Allowed
}

// grants returns the allowing statements of fresh.
func (p *prepared) grants() []*source {
	var out []*source
	for _, s := range p.freshSources {
		if s.at < 0 {
			out = append(out, s)
		}
	}
	return out
}

// run is one attempt at a claim under a reading.
type run struct {
	*prepared
	ctx      context.Context
	reading  Reading
	compiler *compiler
	question *question
	bound    map[string]*string
}

// newRun makes ready to search under a reading, with the given keys fixed
// wherever they are used as policy variables. Statements are translated when
// the search needs them, so that a reading that makes no difference to those
// that matter is not asked for.
func (p *prepared) newRun(ctx context.Context, r Reading, bound map[string]*string) *run {
	budget := lang.NewBudget(ctx, p.cfg.MaxStates)
	c := &compiler{t: newTable(), reading: r, arity: p.cfg.Arity, typeOf: p.cfg.Type, budget: budget, bound: bound}
	c.declare(p)
	q := &question{
		prepared: p,
		search:   &search{theory: newTheory(c.t, budget), nodes: p.cfg.MaxNodes},
		compiler: c,
		acts:     map[*source]lit{},
		forms:    map[*source][]*statement{},
	}
	for _, s := range p.freshSources {
		if s.at >= 0 {
			q.freshDeny = append(q.freshDeny, s)
		}
	}
	for _, s := range p.knownSources {
		if s.st.Effect == policy.Allow {
			q.knownAllow = append(q.knownAllow, s)
		} else {
			q.knownDeny = append(q.knownDeny, s)
		}
	}
	if c.principal {
		q.assume = append(q.assume, c.t.own(principalDim, callers()))
	}
	if p.claim.assume != nil {
		q.assume = append(q.assume, p.claim.assume(c)...)
	}
	q.assume = append(q.assume, c.fixed()...)
	return &run{prepared: p, ctx: ctx, reading: r, compiler: c, question: q, bound: bound}
}
