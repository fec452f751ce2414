package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera/detect"
	"dera.example/dera/store"
)

// How many resources of a page are decided on for one commit, and for how long more are: nobody else
// decides on these meanwhile, nor records what became of a fix of one.
const (
	mostTogether = 64
	longTogether = time.Second
)

// settleAll decides on resources of a page, in their order, and commits what it decides of many together: each has a
// result of its own. One that someone else was faster on, or for which the budget does not last, is decided again.
func (e *Engine) settleAll(ctx context.Context, list []detect.Assessment, o order) []error {
	out := make([]error, 0, len(list))
	for len(out) < len(list) {
		left := list[len(out):]
		out = append(out, e.settleSome(ctx, left[:min(len(left), mostTogether)], o)...)
	}
	return out
}

// settleSome settles the first ones, at least one: as many as it returns results.
func (e *Engine) settleSome(ctx context.Context, list []detect.Assessment, o order) []error {
	batches, errs := e.decidedAll(ctx, list, o)
	for i, err := range errs {
		switch {
		case err == nil:
			e.tellDecided(ctx, batches[i])
		case ctx.Err() == nil && (errors.Is(err, store.ErrBudget) || errors.Is(err, store.ErrConflict)):
			own := o
			own.spent = own.spent || errors.Is(err, store.ErrBudget)
			errs[i] = e.settle(ctx, list[i], own, store.Batch{})
		}
	}
	return errs
}

// decidedAll decides on the first ones, at least on one, and commits all of it.
func (e *Engine) decidedAll(ctx context.Context, list []detect.Assessment, o order) ([]store.Batch, []error) {
	keys := make([]string, len(list))
	for i, a := range list {
		keys[i] = a.Resource.Key()
	}
	defer e.alone(keys...)()
	batches, errs := make([]store.Batch, 0, len(list)), make([]error, 0, len(list))
	var commits []store.Batch
	var of []int
	begun := e.cfg.Now()
	for i, a := range list {
		if i > 0 && e.cfg.Now().Sub(begun) > longTogether {
			break
		}
		if slices.Contains(keys[:i], keys[i]) {
			batches, errs = append(batches, store.Batch{}), append(errs, store.ErrConflict) // it is decided on here
			continue
		}
		b, err := e.decided(ctx, a, o)
		if batches, errs = append(batches, b), append(errs, err); err == nil {
			commits, of = append(commits, b), append(of, i)
		}
	}
	for i, err := range e.commitEach(ctx, commits) {
		errs[of[i]] = err
	}
	return batches, errs
}

// settle decides on one resource and commits, together with what else is in b.
// When the budget turns out to be spent, or someone else was faster, it decides
// again: the finding is kept in any case.
func (e *Engine) settle(ctx context.Context, a detect.Assessment, o order, b store.Batch) error {
	const tries = 5
	for i := 1; ; i++ {
		decided, err := e.settleOnce(ctx, a, o, b)
		o.spent = o.spent || errors.Is(err, store.ErrBudget)
		if i < tries && ctx.Err() == nil && (errors.Is(err, store.ErrBudget) || errors.Is(err, store.ErrConflict)) {
			continue
		}
		if err == nil {
			e.tellDecided(ctx, decided)
		}
		return err
	}
}

func (e *Engine) settleOnce(ctx context.Context, a detect.Assessment, o order, b store.Batch) (store.Batch, error) {
	defer e.alone(a.Resource.Key())()
	decided, err := e.decided(ctx, a, o)
	if err != nil {
		return decided, err
	}
	return decided, e.commit(ctx, merge(decided, b))
}

func (e *Engine) tellDecided(ctx context.Context, b store.Batch) {
	for i := range b.Findings {
		e.cfg.Tell(News{What: "finding", Finding: &b.Findings[i]})
		e.tellReturns(ctx, &b.Findings[i])
	}
	for i := range b.Remediations {
		e.cfg.Tell(News{What: "remediation", Remediation: &b.Remediations[i]})
	}
}

// decided decides on a resource that nobody else of this process decides on; what breaks on the way is an error
// of this resource alone.
func (e *Engine) decided(ctx context.Context, a detect.Assessment, o order) (b store.Batch, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decide on %s: it broke: %v", a.Resource.ARN, p)
		}
	}()
	h, err := e.history(ctx, a.Resource.Key())
	if err != nil {
		return b, err
	}
	if b, err = e.decide(ctx, a, o, h); err != nil {
		return b, err
	}
	return b, e.late(ctx, a, h.earlier, &b)
}

// history reads what the store has of a resource.
func (e *Engine) history(ctx context.Context, key string) (h history, err error) {
	if h.before, err = e.cfg.Store.FindingsOf(ctx, key); err != nil {
		return h, err
	}
	h.earlier, err = e.cfg.Store.RemediationsOf(ctx, key)
	return h, err
}

func (e *Engine) commit(ctx context.Context, b store.Batch) error {
	return e.commitEach(ctx, []store.Batch{b})[0]
}

// commitEach commits batches together; each has its own result.
func (e *Engine) commitEach(ctx context.Context, list []store.Batch) []error {
	for _, b := range list {
		for i := range b.Records {
			b.Records[i] = fit(b.Records[i])
		}
	}
	errs := e.cfg.Store.CommitEach(ctx, list)
	for i, err := range errs {
		if err == nil && len(list[i].Jobs) > 0 {
			e.asked(list[i].Jobs)
		}
		for _, r := range list[i].Remediations {
			if err == nil && heldUp(r) {
				e.alarmOf(ctx, r)
			}
		}
	}
	return errs
}

func merge(a, b store.Batch) store.Batch {
	a.Findings = append(a.Findings, b.Findings...)
	a.Remediations = append(a.Remediations, b.Remediations...)
	a.Intents = append(a.Intents, b.Intents...)
	a.Jobs = append(a.Jobs, b.Jobs...)
	a.Done = append(a.Done, b.Done...)
	a.Records = append(a.Records, b.Records...)
	a.Remember = b.Remember
	a.Read, a.Unread = append(a.Read, b.Read...), append(a.Unread, b.Unread...)
	return a
}
