package reason

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"dera/iam/lang"
)

// Subset decides whether fresh grants nothing that known does not grant. A
// refuted answer names a request that fresh allows and known does not, and the
// statement of fresh that allows it.
func Subset(ctx context.Context, fresh, known Policies, cfg Config) Answer {
	return decide(ctx, claim{fresh: fresh, known: known}, cfg)
}

// Equivalent decides whether a and b allow the same requests. The answer of a
// refuted claim carries a request that one of them allows and the other does
// not; Extra in the result says which.
func Equivalent(ctx context.Context, a, b Policies, cfg Config) Equivalence {
	e := Equivalence{Forth: Subset(ctx, a, b, cfg), Back: Subset(ctx, b, a, cfg)}
	switch {
	case e.Forth.Verdict == Refuted || e.Back.Verdict == Refuted:
		e.Verdict = Refuted
	case e.Forth.Verdict == Proved && e.Back.Verdict == Proved:
		e.Verdict = Proved
	}
	return e
}

// Equivalence is the answer of [Equivalent]: both directions, and the verdict
// on both together.
type Equivalence struct {
	Verdict Verdict
	Forth   Answer // a grants nothing that b does not
	Back    Answer // b grants nothing that a does not
}

// decide answers a claim under every reading that makes a difference.
func decide(ctx context.Context, cl claim, cfg Config) Answer {
	cfg = cfg.withDefaults()
	var answer Answer
	var made choices
	p := prepare(cl, cfg)
	pending := cfg.Readings
	for len(pending) > 0 {
		r := pending[0]
		one, here := p.attempt(ctx, r)
		made = made.add(here)
		answer.Stats.Nodes += one.Stats.Nodes
		answer.Stats.Calls += one.Stats.Calls
		answer.Readings = append(answer.Readings, made.only(r))
		switch {
		case one.Verdict == Unknown:
			answer.Verdict, answer.Why, answer.Detail, answer.Witness = Unknown, one.Why, one.Detail, nil
			return answer
		case len(answer.Readings) == 1:
			answer.Verdict, answer.Witness = one.Verdict, one.Witness
		case answer.Verdict != one.Verdict:
			detail := fmt.Sprintf("%v when %v, %v when %v",
				answer.Verdict, answer.Readings[0], one.Verdict, made.only(r))
			answer.Verdict, answer.Why, answer.Detail, answer.Witness = Unknown, Semantics, detail, nil
			return answer
		}
		pending = made.remaining(pending[1:], answer.Readings)
	}
	return answer
}

// attempt answers a claim under one reading.
func (p *prepared) attempt(ctx context.Context, r Reading) (Answer, choices) {
	run := p.newRun(ctx, r, nil)
	var answer Answer
	unsure := NoCause
	run.question.each(func(l leaf) bool {
		w, cause := run.witness(l)
		if w != nil {
			answer.Verdict, answer.Witness = Refuted, w
			return false
		}
		unsure = max(unsure, cause)
		return unsure != Limit && unsure != Cancelled
	})
	answer.Stats = *run.question.stats
	switch {
	case answer.Verdict == Refuted:
	case ctx.Err() != nil:
		answer.Why, answer.Detail = Cancelled, ctx.Err().Error()
	case unsure == Limit || run.question.budget.Done():
		answer.Why, answer.Detail = Limit, "the policies are too intricate for the limits of this question"
	case unsure != NoCause:
		answer.Why, answer.Detail = unsure, details(unsure)
	default:
		answer.Verdict = Proved
	}
	return answer, run.compiler.choices
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
