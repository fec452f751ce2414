package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/detect"
	"dera.example/dera/remediate"
	"dera.example/dera/store"
)

// order is what a look is made for, and how far it may go.
type order struct {
	request
	// act is false for a look that must not start anything automatically.
	act bool
	// hold leaves the start of what is decided auto to the caller for a while.
	hold bool
	// only limits what may begin to groups of findings that it says yes to; nil
	// means all. What is outside stays as a look that does not act leaves it.
	only func([]dera.Finding) bool
	// spent says that the budget was found to be spent at the commit.
	spent bool
	// patient is true while a resource that cannot be read is tried again before
	// it is called unknown.
	patient bool
}

// byHand says that a person named a finding of the resource: dera remediate, or a custom action
// of Security Hub.
func (o order) byHand() bool { return o.Source == "remediate" || o.Now && o.Authenticated }

// includes reports whether a group is among what the look may begin.
func (o order) includes(g *group) bool {
	if o.only == nil {
		return true
	}
	list := make([]dera.Finding, 0, len(g.findings))
	for _, f := range g.findings {
		list = append(list, *f)
	}
	return o.only(list)
}

// runLook is the job: it looks, and what is to be looked at next is enqueued
// with the end of the job.
func (e *Engine) runLook(ctx context.Context, j dera.Job) error {
	var req request
	if err := json.Unmarshal(j.Payload, &req); err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	if !e.ours(req.Scope) {
		return e.elsewhere(ctx, j, req.Scope)
	}
	if req.early(e.cfg.Now()) {
		later, err := req.job(e.cfg.Now())
		if err != nil {
			return err
		}
		return e.cfg.Store.Commit(ctx, store.Batch{Done: []dera.Job{j}, Jobs: []dera.Job{later}})
	}
	err := e.look(ctx, order{request: req, act: true, patient: j.Attempts < pageTries}, func(next []request, b *store.Batch) error {
		b.Done = append(b.Done, j)
		for _, req := range next {
			job, err := req.job(e.cfg.Now())
			if err != nil {
				return err
			}
			b.Jobs = append(b.Jobs, job)
		}
		return nil
	})
	if err == nil || req.Scope.Page == "" || j.Attempts < pageTries || errors.As(err, new(*remediate.LaterError)) {
		return err
	}
	// The continuation of a sweep can run out; the sweep then begins again.
	e.cfg.Log.WarnContext(ctx, "sweep begins again", "account", req.Scope.Account, "region", req.Scope.Region, "err", err)
	req.Scope.Page, req.Time, req.Walk = "", e.cfg.Now(), walk{}
	req.Due = e.cfg.Now().Add(backoff(maxBackoff))
	first, err := req.job(e.cfg.Now())
	if err != nil {
		return err
	}
	return e.cfg.Store.Commit(ctx, store.Batch{Done: []dera.Job{j}, Jobs: []dera.Job{first}})
}

// pageTries is how often a page of a sweep is tried before the sweep begins
// again at its first page.
const pageTries = 3

// ours reports whether a scope is in an account and region that we cover,
// and of a type that some control judges.
func (e *Engine) ours(s dera.Scope) bool {
	_, known := e.accounts[s.Account]
	regions := e.regionsOf(s.Type)
	return known && (len(regions) == 0 || slices.Contains(regions, s.Region)) &&
		slices.ContainsFunc(e.cfg.Controls, func(c control.Control) bool { return c.Type == s.Type })
}

// look looks at one scope, decides on what it finds, and commits: of many resources
// that have something to say together, each with its own result, and of the last of
// them with what finish adds. A clean page is one commit. A resource on which that
// fails, or that cannot be read, gets a look of its own: it must not hide the others,
// nor the pages after it.
func (e *Engine) look(ctx context.Context, o order, finish func(next []request, b *store.Batch) error) error {
	detector := e.detectorAt(e.cfg.Now())
	known := past{of: map[string][]dera.Finding{}}
	look, err := detector.Look(ctx, o.Scope, e.past(ctx, o, &known))
	if err := cmp.Or(known.err, postponed(err)); err != nil {
		return err
	}
	if err != nil {
		return e.unread(ctx, o, o.Scope, err)
	}
	if err := e.began(ctx, o.Scope); err != nil {
		return err
	}
	unseen := hidden(detector, look.Assessments)
	e.cfg.Tell(News{What: "page", Scope: &o.Scope, Resources: len(look.Assessments), Hidden: unseen, Unrecorded: e.unrecorded(look.Assessments)})
	before, err := e.openBefore(ctx, o.Scope, look, known.of)
	if err != nil {
		return err
	}
	f := &follow{Engine: e, o: o, passed: map[string]string{}}
	todo, next, failed := e.sort(ctx, f, look, before)
	if failed != nil && o.patient {
		return failed
	}
	var apart []string // have a look of their own
	for _, r := range next {
		apart = append(apart, r.Scope.IDs...)
	}
	pages, endless := e.next(o.request, look, before)
	next = append(next, pages...)
	if endless != nil {
		failed = errors.Join(failed, e.unread(ctx, o, o.Scope, endless))
	}
	missing, err := e.gone(ctx, f, look.Missing)
	if err != nil {
		return err
	}
	ending := func() (store.Batch, error) {
		b := missing
		if failed != nil {
			return b, nil // the job stays
		}
		if err := e.hides(ctx, o.Scope, unseen, &b); err != nil {
			return b, err
		}
		b.Read = e.wasRead(o, look.Next, apart)
		return b, finish(append(next, f.requests()...), &b)
	}
	separate := func(r dera.Resource, err error) error {
		if ctx.Err() != nil || len(o.Scope.IDs) == 1 {
			return err
		}
		own, err := e.apart(ctx, o, r, err)
		next, apart = append(next, own), append(apart, r.ID)
		return err
	}
	last := max(len(todo)-1, 0) // its commit ends the job
	for i, err := range e.settleAll(ctx, todo[:last], o) {
		if err != nil {
			err = separate(todo[i].Resource, err)
		}
		if err != nil {
			return err
		}
	}
	b, err := ending()
	if err == nil && len(todo) > 0 {
		if err = e.settle(ctx, todo[last], o, b); err == nil {
			return failed
		}
		if err = separate(todo[last].Resource, err); err == nil {
			b, err = ending()
		}
	}
	if err != nil {
		return err
	}
	return errors.Join(failed, e.commit(ctx, b))
}

// sort finds what there is to settle. A resource that could not be read among
// others gets a look of its own; failed says that the only one could not.
func (e *Engine) sort(ctx context.Context, f *follow, look detect.Look, before map[string][]dera.Finding) (todo []detect.Assessment, next []request, failed error) {
	for _, a := range look.Assessments {
		known := before[a.Resource.Key()]
		if a.Resource.Unread != "" {
			unread := fmt.Errorf("read %s: %s", a.Resource.ARN, a.Resource.Unread)
			if len(f.o.Scope.IDs) != 1 {
				// Its own look comes when two reads may agree again, and tells.
				e.cfg.Log.WarnContext(ctx, "resource is read separately", "resource", a.Resource.ARN, "err", unread)
				own := lookAtOne(f.o, a.Resource)
				next = append(next, request{Event: own, Due: e.cfg.Now().Add(max(e.settleTime(), 0))})
				failed = errors.Join(failed, e.keepUnread(ctx, f.o, own.Scope, unread))
				continue
			}
			failed = e.unread(ctx, f.o, f.o.Scope, unread)
		}
		confirmed, err := f.resolves(a, known)
		if err != nil {
			failed = errors.Join(failed, err)
		}
		a.Confirmed = confirmed
		if a.Clean() && (len(known) == 0 || !confirmed && a.Resolves(known)) {
			continue
		}
		todo = append(todo, a)
	}
	return todo, next, failed
}

// apart gives a resource that could not be settled among others its own look.
func (e *Engine) apart(ctx context.Context, o order, r dera.Resource, err error) (request, error) {
	ev := lookAtOne(o, r)
	e.cfg.Log.WarnContext(ctx, "resource is read separately", "resource", r.ARN, "err", err)
	e.cfg.Tell(News{What: "unread", Scope: &ev.Scope, Err: err})
	return request{Event: ev}, e.keepUnread(ctx, o, ev.Scope, err)
}

// past is what the store has of the resources that a look asked about, by resource, and why it could not say: that the
// resource could not be read is something else.
type past struct {
	of  map[string][]dera.Finding
	err error
}

// past reports of a resource whether there ever was a finding of it: then all of it is read, since a
// change of ours may show where no control looks. Sweeps and repeated looks do not ask.
func (e *Engine) past(ctx context.Context, o order, into *past) func(dera.Resource) (bool, error) {
	if o.Scope.Sweep() || o.Repeat {
		return nil
	}
	return func(r dera.Resource) (bool, error) {
		list, err := e.cfg.Store.FindingsOf(ctx, r.Key())
		into.of[r.Key()], into.err = list, err
		return len(list) > 0, err
	}
}

// openBefore returns the findings of the looked-at resources by resource: the
// unresolved ones for a page, all for single resources.
func (e *Engine) openBefore(ctx context.Context, scope dera.Scope, look detect.Look, known map[string][]dera.Finding) (map[string][]dera.Finding, error) {
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
		list, there := known[a.Resource.Key()]
		if !there {
			var err error
			if list, err = e.cfg.Store.FindingsOf(ctx, a.Resource.Key()); err != nil {
				return nil, err
			}
		}
		if len(list) > 0 {
			out[a.Resource.Key()] = list
		}
	}
	return out, nil
}

// gone resolves the findings of resources of which the service says a second time
// that they do not exist, but for those about use that no incident explains.
func (e *Engine) gone(ctx context.Context, f *follow, missing []string) (b store.Batch, err error) {
	if len(missing) == 0 {
		return b, nil
	}
	scope := f.o.Scope
	open, err := e.cfg.Store.OpenIn(ctx, scope.Account, scope.Region, scope.Type)
	if err != nil {
		return b, err
	}
	now := e.cfg.Now()
	let := map[string]bool{}
	for _, x := range open {
		if !slices.Contains(missing, x.Resource.Name()) || !f.confirmed(x.Resource.Name(), resourceGone) {
			continue
		}
		why := "the resource does not exist any more"
		if x.Used != nil { // it was used before it was deleted
			by, err := e.explained(ctx, x)
			if err != nil {
				return b, err
			}
			if by == "" {
				continue
			}
			why += "; " + by
		}
		x = detect.Resolve(x, now)
		b.Findings = append(b.Findings, x)
		b.Records = append(b.Records, e.findingRecord(x, why))
		if let[x.ResourceKey()] {
			continue
		}
		let[x.ResourceKey()] = true
		earlier, err := e.cfg.Store.RemediationsOf(ctx, x.ResourceKey())
		if err != nil {
			return b, err
		}
		if err := e.supersede(earlier, nil, "the resource does not exist any more", &b); err != nil {
			return b, err
		}
	}
	return b, nil
}

// next is what a sweep must look at after this page: the next page, or at the
// end whatever was open and not seen, by its ID: only an explicit answer
// resolves it. Pages that do not end are an error.
func (e *Engine) next(r request, look detect.Look, before map[string][]dera.Finding) ([]request, error) {
	if !r.Scope.Sweep() {
		return nil, nil
	}
	if look.Next != "" {
		var err error
		if r.Walk, err = r.Walk.on(look.Next); err != nil {
			return nil, fmt.Errorf("read %s in %s %s: %w", r.Scope.Type, r.Scope.Account, r.Scope.Region, err)
		}
		r.Scope.Page = look.Next
		return []request{r}, nil
	}
	seen := map[string]bool{}
	for _, a := range look.Assessments {
		seen[a.Resource.Key()] = true
	}
	var out []request
	for key, list := range before {
		if f := list[0]; !seen[key] && f.LastSeen.Before(r.Time) {
			scope := r.Scope
			scope.Page, scope.IDs = "", []string{f.Resource.Name()}
			out = append(out, request{Event: dera.Event{Source: r.Source, Name: "not seen in a sweep", Scope: scope, Time: r.Time}})
		}
	}
	return out, nil
}
