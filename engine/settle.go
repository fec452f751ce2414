package engine

import (
	"context"
	"errors"
	"fmt"

	"dera.example/dera/detect"
	"dera.example/dera/store"
)

// settle decides on one resource and commits, together with what else is in b.
// When the budget turns out to be spent, or someone else was faster, it decides
// again: the finding is kept in any case.
func (e *Engine) settle(ctx context.Context, a detect.Assessment, o order, b store.Batch) error {
	const tries = 5
	for i := 1; ; i++ {
		decided, err := e.decided(ctx, a, o, b)
		o.spent = o.spent || errors.Is(err, store.ErrBudget)
		if i < tries && ctx.Err() == nil && (errors.Is(err, store.ErrBudget) || errors.Is(err, store.ErrConflict)) {
			continue
		}
		if err != nil {
			return err
		}
		for i := range decided.Findings {
			e.cfg.Tell(News{What: "finding", Finding: &decided.Findings[i]})
			e.tellReturns(ctx, &decided.Findings[i])
		}
		for i := range decided.Remediations {
			e.cfg.Tell(News{What: "remediation", Remediation: &decided.Remediations[i]})
		}
		return nil
	}
}

// decided decides and commits as one; what breaks on the way is an error of this
// resource alone.
func (e *Engine) decided(ctx context.Context, a detect.Assessment, o order, b store.Batch) (decided store.Batch, err error) {
	defer e.alone(a.Resource.Key())()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decide on %s: it broke: %v", a.Resource.ARN, p)
		}
	}()
	if decided, err = e.decide(ctx, a, o); err == nil {
		err = e.late(ctx, a, &decided)
	}
	if err != nil {
		return decided, err
	}
	return decided, e.commit(ctx, merge(decided, b))
}

func (e *Engine) commit(ctx context.Context, b store.Batch) error {
	for i := range b.Records {
		b.Records[i] = fit(b.Records[i])
	}
	if err := e.cfg.Store.Commit(ctx, b); err != nil {
		return err
	}
	if len(b.Jobs) > 0 {
		e.asked(b.Jobs)
	}
	return nil
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
