package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"dera"
	"dera/detect"
	"dera/store"
)

// runLook looks at one scope, decides on what it finds, and commits: one commit
// for each resource that has something to say, the last of them with the end of
// the job. A clean page is one commit.
func (e *Engine) runLook(ctx context.Context, j dera.Job) error {
	var ev dera.Event
	if err := json.Unmarshal(j.Payload, &ev); err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	if _, ours := e.accounts[ev.Scope.Account]; !ours {
		return e.cfg.Store.Commit(ctx, store.Batch{Done: []dera.Job{j}, Counts: map[string]int64{"events_foreign": 1}})
	}
	look, err := e.detector.Look(ctx, ev.Scope)
	if err != nil {
		e.cfg.Tell(News{What: "unread", Scope: &ev.Scope, Err: err})
		return err
	}
	e.cfg.Tell(News{What: "page", Scope: &ev.Scope, Resources: len(look.Assessments)})
	last := store.Batch{Done: []dera.Job{j}}
	before, err := e.openBefore(ctx, ev.Scope, look)
	if err != nil {
		return err
	}
	var pending *detect.Assessment
	for i, a := range look.Assessments {
		if a.Clean() && len(before[a.Resource.Key()]) == 0 {
			continue
		}
		if pending != nil {
			if err := e.settle(ctx, *pending, ev, store.Batch{}); err != nil {
				return err
			}
		}
		pending = &look.Assessments[i]
	}
	if err := e.gone(ctx, ev.Scope, look.Missing, &last); err != nil {
		return err
	}
	if err := e.nextPage(ctx, ev, look, before, &last); err != nil {
		return err
	}
	if pending != nil {
		return e.settle(ctx, *pending, ev, last)
	}
	return e.commit(ctx, last)
}

// openBefore returns the findings of the looked-at resources by resource: all of
// them for single resources, the unresolved ones for a page.
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
	for _, id := range missing {
		for _, f := range open {
			if f.Resource.Name() != id {
				continue
			}
			f = detect.Resolve(f, now)
			b.Findings = append(b.Findings, f)
			b.Records = append(b.Records, e.findingRecord(f, "the resource does not exist any more"))
			if err := e.supersede(ctx, f.ResourceKey(), nil, "the resource does not exist any more", b); err != nil {
				return err
			}
		}
	}
	return nil
}

// nextPage goes on with a sweep; at its end, whatever was open and not seen is
// looked at by its ID: only an explicit answer resolves it.
func (e *Engine) nextPage(ctx context.Context, ev dera.Event, look detect.Look, before map[string][]dera.Finding, b *store.Batch) error {
	if !ev.Scope.Sweep() {
		return nil
	}
	now := e.cfg.Now()
	if look.Next != "" {
		ev.Scope.Page = look.Next
		j, err := lookAt(ev, now)
		b.Jobs = append(b.Jobs, j)
		return err
	}
	seen := map[string]bool{}
	for _, a := range look.Assessments {
		seen[a.Resource.Key()] = true
	}
	scope := ev.Scope
	scope.Page, scope.IDs = "", nil
	asked := map[string]bool{}
	for key, list := range before {
		for _, f := range list {
			if id := f.Resource.Name(); !seen[key] && f.LastSeen.Before(ev.Time) && !asked[id] {
				asked[id] = true
				scope.IDs = []string{id}
				j, err := lookAt(dera.Event{Source: ev.Source, Name: "not seen in a sweep", Scope: scope, Time: now}, now)
				if err != nil {
					return err
				}
				b.Jobs = append(b.Jobs, j)
			}
		}
	}
	return nil
}

// settle decides on one resource and commits, together with what else is in b.
// When the budget ran out between decision and commit, it decides again.
func (e *Engine) settle(ctx context.Context, a detect.Assessment, ev dera.Event, b store.Batch) error {
	const tries = 5
	for i := 1; ; i++ {
		decided, err := e.decide(ctx, a, ev)
		if err != nil {
			return err
		}
		err = e.commit(ctx, merge(decided, b))
		if errors.Is(err, store.ErrBudget) || errors.Is(err, store.ErrConflict) {
			if i < tries && ctx.Err() == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		for i := range decided.Findings {
			e.cfg.Tell(News{What: "finding", Finding: &decided.Findings[i]})
		}
		for i := range decided.Remediations {
			e.cfg.Tell(News{What: "remediation", Remediation: &decided.Remediations[i]})
		}
		return nil
	}
}

func (e *Engine) commit(ctx context.Context, b store.Batch) error {
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
	return a
}
