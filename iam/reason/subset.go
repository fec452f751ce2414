package reason

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dera.example/dera/iam/lang"
)

// Subset decides whether fresh grants nothing that known does not grant. A
// refuted answer names a request that fresh allows and known does not, and the
// statement of fresh that allows it.
func Subset(ctx context.Context, fresh, known Policies, cfg Config) Answer {
	return decide(ctx, claim{fresh: fresh, known: known}, cfg)
}

// SubsetOf is Subset for requests with some actions only, given by patterns as
// in a policy.
func SubsetOf(ctx context.Context, actions []string, fresh, known Policies, cfg Config) Answer {
	return decide(ctx, claim{fresh: fresh, known: known, actions: actionSet(actions), spelled: actions}, cfg)
}

// Equivalent decides whether a and b allow the same requests: refuted when one
// direction is, proved when both are.
func Equivalent(ctx context.Context, a, b Policies, cfg Config) Equivalence {
	return Both(Subset(ctx, a, b, cfg), Subset(ctx, b, a, cfg))
}

// Both joins the answers to both directions.
func Both(forth, back Answer) Equivalence {
	e := Equivalence{Forth: forth, Back: back}
	switch {
	case forth.Verdict == Refuted || back.Verdict == Refuted:
		e.Verdict = Refuted
	case forth.Verdict == Proved && back.Verdict == Proved:
		e.Verdict = Proved
	}
	return e
}

// Equivalence is the answer of [Equivalent]: both directions, and the verdict
// on both together.
type Equivalence struct {
	Verdict Conclusion
	Forth   Answer // a grants nothing that b does not
	Back    Answer // b grants nothing that a does not
}

// decide answers a claim under every reading that makes a difference.
func decide(ctx context.Context, cl claim, cfg Config) Answer {
	for _, doc := range slices.Concat(cl.fresh, cl.known) {
		if at := unnamed(doc); at >= 0 {
			return Answer{Why: Refused, Detail: fmt.Sprintf("statement %d names no principal and others do, which AWS refuses", at+1)}
		}
	}
	p := prepare(cl, cfg.withDefaults())
	var j judge
	for {
		r, more := j.made.next(p.cfg.Readings, j.read)
		if !more {
			break
		}
		if !p.stillHolds(j.Witness, r) {
			run := p.newRun(ctx, r, nil)
			if j.hear(run.answer(p.grants()), run) {
				break
			}
		}
		j.read = append(j.read, r)
	}
	return j.Answer
}

// judge joins the answers to one claim under different readings.
type judge struct {
	Answer
	made choices
	read []Reading
}

// stillHolds reports whether a request that was found under one reading shows
// the same under another, which saves the search.
func (p *prepared) stillHolds(w *Witness, r Reading) bool {
	if w == nil {
		return false
	}
	for key, values := range w.Request.Context {
		if len(values) > 1 && p.cfg.Arity(strings.ToLower(key)) == ArityUnknown {
			return false // whether there can be such a request depends on the reading
		}
	}
	return p.violates(w.Request, r)
}

// hear takes the answer under one more reading, and reports whether no other
// can change the result.
func (j *judge) hear(one Answer, r *run) (done bool) {
	j.made = j.made.add(r.compiler.choices)
	reading := j.made.only(r.reading)
	j.Stats.Nodes += one.Stats.Nodes
	j.Stats.Calls += one.Stats.Calls
	j.Readings = append(j.Readings, reading)
	switch {
	case one.Verdict == Unknown:
		j.Verdict, j.Why, j.Detail, j.Witness = Unknown, one.Why, one.Detail, nil
		return true
	case len(j.Readings) == 1:
		j.Verdict, j.Witness = one.Verdict, one.Witness
	case j.Verdict != one.Verdict:
		j.Detail = fmt.Sprintf("%v when %v, %v when %v", j.Verdict, j.Readings[0], one.Verdict, reading)
		j.Verdict, j.Why, j.Witness = Unknown, Semantics, nil
		return true
	}
	return false
}

// answer searches the given allowing statements under the reading of the run.
func (r *run) answer(grants []*source) Answer {
	var answer Answer
	unsure := NoCause
	before := *r.question.stats
	for _, src := range grants {
		goOn := r.question.source(src, func(l leaf) bool {
			w, cause := r.witness(l)
			if w != nil {
				answer.Verdict, answer.Witness = Refuted, w
				return false
			}
			unsure = max(unsure, cause)
			return unsure != Limit && unsure != Cancelled
		})
		if !goOn {
			break
		}
	}
	after := *r.question.stats
	answer.Stats = Stats{after.Nodes - before.Nodes, after.Calls - before.Calls}
	switch {
	case answer.Verdict == Refuted:
	case r.ctx.Err() != nil:
		answer.Why, answer.Detail = Cancelled, r.ctx.Err().Error()
	case unsure == Limit || r.question.budget.Done():
		answer.Why, answer.Detail = Limit, "the policies are too intricate for the limits of this question"
	case unsure != NoCause:
		answer.Why, answer.Detail = unsure, details(unsure)
	default:
		answer.Verdict = Proved
	}
	return answer
}

func details(c Cause) string {
	if c == Unconfirmed {
		return "a possible request was found, but the evaluator does not confirm it"
	}
	return "the answer depends on policy variables, or on a condition that cannot be read"
}

// fixed says that the bound keys have the values that they are bound to.
func (c *compiler) fixed() []lit {
	var out []lit
	for _, key := range slices.Sorted(maps.Keys(c.bound)) {
		value, d := c.bound[key], c.t.dim(key)
		if value == nil {
			out = append(out, c.t.present(d).not())
			continue
		}
		exactly := c.t.some(d, lang.Union(lang.Exact(*value)))
		out = append(out, exactly, exactly|allBit)
	}
	return out
}
