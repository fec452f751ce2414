package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"dera"
	"dera/control"
	"dera/detect"
	"dera/store"
)

// order is what a look is made for, and how far it may go.
type order struct {
	dera.Event
	// act is false for a look that must not start anything by itself.
	act bool
	// hold leaves the start of what is decided auto to the caller for a while.
	hold bool
	// spent says that the budget was found to be spent at the commit.
	spent bool
}

// runLook is the job: it looks, and what is to be looked at next is enqueued
// with the end of the job.
func (e *Engine) runLook(ctx context.Context, j dera.Job) error {
	var ev dera.Event
	if err := json.Unmarshal(j.Payload, &ev); err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	if !e.ours(ev.Scope) {
		return e.cfg.Store.Commit(ctx, store.Batch{Done: []dera.Job{j}, Counts: map[string]int64{"events_foreign": 1}})
	}
	err := e.look(ctx, order{Event: ev, act: true}, func(next []dera.Event, b *store.Batch) error {
		b.Done = append(b.Done, j)
		for _, ev := range next {
			job, err := lookAt(ev, e.cfg.Now())
			if err != nil {
				return err
			}
			b.Jobs = append(b.Jobs, job)
		}
		return nil
	})
	if err == nil || ev.Scope.Page == "" || j.Attempts < pageTries {
		return err
	}
	// The continuation of a sweep can run out; the sweep then begins again.
	e.cfg.Log.WarnContext(ctx, "sweep begins again", "account", ev.Scope.Account, "region", ev.Scope.Region, "err", err)
	ev.Scope.Page, ev.Time = "", e.cfg.Now()
	first, err := lookAt(ev, e.cfg.Now().Add(backoff(maxBackoff)))
	if err != nil {
		return err
	}
	return e.cfg.Store.Commit(ctx, store.Batch{Done: []dera.Job{j}, Jobs: []dera.Job{first}})
}

// pageTries is how often a page of a sweep is tried before the sweep begins
// again at its first page.
const pageTries = 3

// ours reports whether a scope is in an account and region that we look after,
// and of a type that some control judges.
func (e *Engine) ours(s dera.Scope) bool {
	_, known := e.accounts[s.Account]
	regions := e.regionsOf(s.Type)
	return known && (len(regions) == 0 || slices.Contains(regions, s.Region)) &&
		slices.ContainsFunc(e.cfg.Controls, func(c control.Control) bool { return c.Type == s.Type })
}

// LookNow looks at a scope and, of a sweep, at all its pages and at what was not
// seen, in the caller's goroutine. It starts nothing by itself; with hold, what
// is decided auto is made ready for the caller to Carry (its job is due a minute
// later, in case the caller does not get to it).
func (e *Engine) LookNow(ctx context.Context, ev dera.Event, hold bool) error {
	if err := e.configured(ev.Scope.Account); err != nil {
		return err
	}
	todo := []dera.Event{ev}
	var errs []error
	for len(todo) > 0 && ctx.Err() == nil {
		var more []dera.Event
		err := e.look(ctx, order{Event: todo[0], act: hold, hold: hold}, func(next []dera.Event, _ *store.Batch) error {
			more = next
			return nil
		})
		errs = append(errs, err)
		todo = append(todo[1:], more...)
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// look looks at one scope, decides on what it finds, and commits: one commit for
// each resource that has something to say, the last of them with what finish
// adds. A clean page is one commit. A resource on which that fails gets a look of
// its own: it must not hide the others, nor the pages after it.
func (e *Engine) look(ctx context.Context, o order, finish func(next []dera.Event, b *store.Batch) error) error {
	detector := e.detectorAt(e.cfg.Now())
	look, err := detector.Look(ctx, o.Scope)
	if err != nil {
		e.cfg.Tell(News{What: "unread", Scope: &o.Scope, Err: err})
		return err
	}
	if err := e.began(ctx, o.Scope); err != nil {
		return err
	}
	unseen := hidden(detector, look.Assessments)
	e.cfg.Tell(News{What: "page", Scope: &o.Scope, Resources: len(look.Assessments), Hidden: unseen})
	before, err := e.openBefore(ctx, o.Scope, look)
	if err != nil {
		return err
	}
	next := e.next(o.Event, look, before)
	ending := func() (store.Batch, error) {
		var b store.Batch
		if err := errors.Join(e.gone(ctx, o.Scope, look.Missing, &b), e.hides(ctx, o.Scope, unseen, &b)); err != nil {
			return b, err
		}
		return b, finish(next, &b)
	}
	todo := slices.DeleteFunc(look.Assessments, func(a detect.Assessment) bool {
		return a.Clean() && len(before[a.Resource.Key()]) == 0
	})
	for i, a := range todo {
		var b store.Batch
		if i == len(todo)-1 {
			if b, err = ending(); err != nil {
				return err
			}
		}
		err := e.settle(ctx, a, o, b)
		if err == nil && i == len(todo)-1 {
			return nil
		}
		if err != nil && (ctx.Err() != nil || len(o.Scope.IDs) == 1) {
			return err
		}
		if err != nil {
			next = append(next, e.apart(ctx, o, a.Resource, err))
		}
	}
	b, err := ending()
	if err != nil {
		return err
	}
	return e.commit(ctx, b)
}

// apart gives a resource that could not be settled among others its own look.
func (e *Engine) apart(ctx context.Context, o order, r dera.Resource, err error) dera.Event {
	ev := lookAtOne(o, r)
	e.cfg.Log.WarnContext(ctx, "resource gets a look of its own", "resource", r.ARN, "err", err)
	e.cfg.Tell(News{What: "unread", Scope: &ev.Scope, Err: err})
	return ev
}

// openBefore returns the findings of the looked-at resources by resource: the
// unresolved ones for a page; for single resources all those of the clean ones,
// since the others are decided on in any case.
func (e *Engine) openBefore(ctx context.Context, scope dera.Scope, look detect.Look) (map[string][]dera.Finding, error) {
	out := map[string][]dera.Finding{}
	if scope.Sweep() {
		list, err := e.cfg.Store.OpenIn(ctx, scope.Account, scope.Region, scope.Type)
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			out[f.ResourceKey()] = append(out[f.ResourceKey()], f)
		}
		return out, nil
	}
	for _, a := range look.Assessments {
		if !a.Clean() {
			continue
		}
		list, err := e.cfg.Store.FindingsOf(ctx, a.Resource.Key())
		if err != nil {
			return nil, err
		}
		if len(list) > 0 {
			out[a.Resource.Key()] = list
		}
	}
	return out, nil
}

// gone resolves the findings of resources that the service says do not exist.
func (e *Engine) gone(ctx context.Context, scope dera.Scope, missing []string, b *store.Batch) error {
	if len(missing) == 0 {
		return nil
	}
	open, err := e.cfg.Store.OpenIn(ctx, scope.Account, scope.Region, scope.Type)
	if err != nil {
		return err
	}
	now := e.cfg.Now()
	let := map[string]bool{}
	for _, f := range open {
		if !slices.Contains(missing, f.Resource.Name()) {
			continue
		}
		f = detect.Resolve(f, now)
		b.Findings = append(b.Findings, f)
		b.Records = append(b.Records, e.findingRecord(f, "the resource does not exist any more"))
		if let[f.ResourceKey()] {
			continue
		}
		let[f.ResourceKey()] = true
		earlier, err := e.cfg.Store.RemediationsOf(ctx, f.ResourceKey())
		if err != nil {
			return err
		}
		if err := e.supersede(earlier, nil, "the resource does not exist any more", b); err != nil {
			return err
		}
	}
	return nil
}

// next is what a sweep must look at after this page: the next page, or at the
// end whatever was open and not seen, by its ID: only an explicit answer
// resolves it.
func (e *Engine) next(ev dera.Event, look detect.Look, before map[string][]dera.Finding) []dera.Event {
	if !ev.Scope.Sweep() {
		return nil
	}
	if look.Next != "" {
		ev.Scope.Page = look.Next
		return []dera.Event{ev}
	}
	seen := map[string]bool{}
	for _, a := range look.Assessments {
		seen[a.Resource.Key()] = true
	}
	var out []dera.Event
	for key, list := range before {
		if f := list[0]; !seen[key] && f.LastSeen.Before(ev.Time) {
			scope := ev.Scope
			scope.Page, scope.IDs = "", []string{f.Resource.Name()}
			out = append(out, dera.Event{Source: ev.Source, Name: "not seen in a sweep", Scope: scope, Time: ev.Time})
		}
	}
	return out
}

// settle decides on one resource and commits, together with what else is in b.
// When the budget turns out to be spent, or somebody else was faster, it decides
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
	decided, err = e.decide(ctx, a, o)
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
		e.poke()
	}
	return nil
}

func merge(a, b store.Batch) store.Batch {
	a.Findings = append(a.Findings, b.Findings...)
	a.Remediations = append(a.Remediations, b.Remediations...)
	a.Jobs = append(a.Jobs, b.Jobs...)
	a.Done = append(a.Done, b.Done...)
	a.Records = append(a.Records, b.Records...)
	a.Remember = b.Remember
	return a
}
