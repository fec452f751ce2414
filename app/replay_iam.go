package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/detect"
	"dera.example/dera/evaluate"
	"dera.example/dera/resource"
)

// IdentityState is the IAM of an account, rebuilt from recorded calls.
type IdentityState interface {
	// Apply takes in a call; the error says what could not be followed.
	Apply(c cloudtrail.Call) error
	// Principals are the roles and users that are there at a time, and Unknown those of which not all is known.
	Principals(now time.Time) []string
	Unknown(now time.Time) []string
	// Resources are the resources as a sweep would read them at a time.
	Resources(now time.Time, used map[string]resource.Use) []dera.Resource
	// Texts are all identity-based policies of a principal; false where one is not known.
	Texts(principal string, now time.Time) ([]string, bool)
	// Take puts a configuration in the place of what a resource was.
	Take(r dera.Resource, config any)
}

// UseFeed is a usage ledger that is fed as the days pass.
type UseFeed interface {
	resource.Ledger
	// Feed takes in the days that ended by a time, and returns what was called on them.
	Feed(ctx context.Context, until time.Time) ([]CalledBy, error)
	// Span is from when to when an account is recorded, and how many days of that have no event.
	Span(account string) (from, to time.Time, silent int)
}

// CalledBy is a principal, by ARN or key, with the calls of some days.
type CalledBy struct {
	Principal string
	Calls     []resource.Call
}

// NarrowedAccount is an account with its IAM as recorded and as it would be: both begin alike.
type NarrowedAccount struct {
	dera.Account
	Was, Is IdentityState
}

// Narrowing replays what dera would have done about unused permissions: it judges each recorded day
// with what was recorded until then, as a sweep at its end would, carries out in memory what
// the gate would have done automatically, and holds every later call against that.
type Narrowing struct {
	Accounts []NarrowedAccount
	Feed     UseFeed
	// Detector has the controls of unused permissions and their settings; it needs no reader.
	Detector detect.Detector
	Types    resource.Registry
	Gate     evaluate.Gate
	Clock    *Clock
	Progress Progress
}

// narrowing is one run.
type narrowing struct {
	Narrowing
	report   NarrowedReport
	findings map[string][]dera.Finding     // by resource
	earlier  map[string][]dera.Remediation // by resource
	waiting  map[string]*WaitingNarrowing  // by finding
	holding  map[string]*held              // by principal
	changed  map[string]cloudtrail.Record  // the last change of a resource by account, type and ID
	lost     int
}

// Run replays the recording.
func (n Narrowing) Run(ctx context.Context, rec Recording) (NarrowedReport, error) {
	p := &narrowing{Narrowing: n, findings: map[string][]dera.Finding{}, earlier: map[string][]dera.Remediation{}, waiting: map[string]*WaitingNarrowing{}, holding: map[string]*held{}, changed: map[string]cloudtrail.Record{}}
	p.report.Narrowed, p.report.Waiting = []NarrowedPolicy{}, []WaitingNarrowing{}
	from, to := p.over()
	if from.IsZero() {
		return p.report, nil
	}
	const day = 24 * time.Hour
	calls, start := rec.identityCalls(), from
	p.Progress.Total(p.report.Summary.Days)
	for at := from.Truncate(day).Add(day); !at.After(to); at = at.Add(day) {
		if ctx.Err() != nil {
			return p.report, ctx.Err()
		}
		used, err := p.Feed.Feed(ctx, at)
		if err != nil {
			return p.report, err
		}
		p.hold(used, start)
		for ; len(calls) > 0 && calls[0].Time.Before(at); calls = calls[1:] {
			p.apply(calls[0])
		}
		p.Clock.at, start = at, at
		for i := range p.Accounts {
			if err := p.sweep(ctx, &p.Accounts[i]); err != nil {
				return p.report, err
			}
		}
		p.Progress.Step(Stamp(at))
	}
	p.end(to)
	return p.report, nil
}

// identityCall is a call on an identity or a policy, with what it is about.
type identityCall struct {
	cloudtrail.Call
	hints []dera.Scope
}

// IdentityCalls are the successful calls on identities and their policies, in the order of their
// times. Of one second, of which CloudTrail tells no order, what makes something comes
// first and what deletes it last.
func (r Recording) IdentityCalls() (out []cloudtrail.Call) {
	for _, c := range r.identityCalls() {
		out = append(out, c.Call)
	}
	return out
}

func (r Recording) identityCalls() (out []identityCall) {
	for _, ev := range r.events {
		if !ev.Failed() && ev.Source == "iam.amazonaws.com" {
			out = append(out, identityCall{ev.Call(), ev.hints})
		}
	}
	rank := func(c identityCall) int {
		verbs := []string{"Create", "Update", "Tag", "Untag", "Put", "Attach", "Add", "Set", "Detach", "Remove", "Delete"}
		return slices.IndexFunc(verbs, func(v string) bool { return strings.HasPrefix(c.Name, v) })
	}
	slices.SortStableFunc(out, func(a, b identityCall) int {
		return cmp.Or(a.Time.Truncate(time.Second).Compare(b.Time.Truncate(time.Second)), cmp.Compare(rank(a), rank(b)), strings.Compare(a.Name+string(a.Request), b.Name+string(b.Request)))
	})
	return out
}

// Accounts are those that were configured, or those of the events.
func (r Recording) Accounts() []dera.Account { return r.accounts }

// over notes what the record spans.
func (p *narrowing) over() (from, to time.Time) {
	for _, a := range p.Accounts {
		f, t, silent := p.Feed.Span(a.ID)
		if f.IsZero() {
			continue
		}
		if from.IsZero() || f.Before(from) {
			from = f
		}
		if t.After(to) {
			to = t
		}
		p.report.Summary.Silent = max(p.report.Summary.Silent, silent)
	}
	s := &p.report.Summary
	s.From, s.To, s.Days = from, to, int(to.Sub(from)/(24*time.Hour))
	if to.Sub(from)%(24*time.Hour) > 0 {
		s.Days++
	}
	return from, to
}

// apply takes a call into what was and what would be, and notes whose it was: the files' word
// is taken for that, as it can only lower a decision.
func (p *narrowing) apply(c identityCall) {
	for _, s := range c.hints {
		for _, id := range s.IDs {
			p.changed[s.Account+"/"+s.Type+"/"+id] = c.Record
		}
	}
	for _, a := range p.Accounts {
		if a.ID != c.Account {
			continue
		}
		err := a.Was.Apply(c.Call)
		if narrowed := a.Is.Apply(c.Call); err == nil {
			err = narrowed
		}
		if err == nil {
			continue
		}
		if p.lost++; len(p.report.Unfollowed) < MostListed {
			p.report.Unfollowed = append(p.report.Unfollowed, Unfollowed{Time: c.Time, ID: c.ID, Why: err.Error()})
		}
	}
}

// sweep judges everything of an account once. Where a plan is carried out the rest is read
// again.
func (p *narrowing) sweep(ctx context.Context, a *NarrowedAccount) error {
	now := p.Clock.Now()
	principals := a.Is.Principals(now)
	if len(principals) == 0 {
		return nil
	}
	used, err := p.Feed.Used(ctx, a.ID, principals)
	if err != nil {
		return fmt.Errorf("ask what account %s used: %w", a.ID, err)
	}
	done := map[string]bool{}
	for again := true; again; {
		again = false
		for _, r := range a.Is.Resources(now, used) {
			if done[r.Key()] {
				continue
			}
			done[r.Key()] = true
			changed, err := p.judge(ctx, a, r)
			if err != nil {
				return err
			}
			if changed {
				again = true
				break
			}
		}
	}
	return nil
}

// judge finds and decides what is unused of one resource; it reports whether something was carried out.
func (p *narrowing) judge(ctx context.Context, a *NarrowedAccount, r dera.Resource) (changed bool, err error) {
	d := p.Detector
	d.Settings = d.Settings.At(p.Clock.Now())
	found := d.Assess(r)
	found.Confirmed = true
	key := r.Key()
	p.findings[key] = kept(p.findings[key], found.Findings(p.findings[key], p.Clock.Now()))
	typ, err := p.Types.Lookup(r.Type)
	if err != nil {
		return false, err
	}
	if by, ok := p.changed[a.ID+"/"+r.Type+"/"+r.ID]; ok {
		for i := range p.findings[key] {
			f := &p.findings[key][i]
			f.LastActor, f.LastAgent, f.LastChange = by.Actor(), by.UserAgent, by.Time
		}
	}
	for _, res := range found.Results {
		var g narrowed
		for _, fail := range res.Result.Failures {
			at := slices.IndexFunc(p.findings[key], func(f dera.Finding) bool {
				return f.Control == res.Control.ID && f.Key == fail.Key && f.State == dera.FindingOpen
			})
			if at < 0 {
				continue
			}
			f := &p.findings[key][at]
			c := evaluate.Case{Finding: *f, Account: a.Account, Resource: r, Type: typ, Mode: dera.Observe, Earlier: p.earlier[key]}
			// What a guardrail is against without a plan it is against with one.
			decision := p.Gate.Decide(ctx, c)
			f.Disposition, f.Reasons = decision.Disposition, decision.Reasons
			if f.Disposition == dera.Auto {
				g.cases, g.findings, g.failures = append(g.cases, c), append(g.findings, f), append(g.failures, fail)
			}
		}
		if len(g.cases) > 0 && !changed { // one plan a look: what is left is judged on what stands then
			if changed, err = p.plan(ctx, a, res.Control, &g); err != nil {
				return false, err
			}
		}
	}
	p.wait(p.findings[key])
	return changed, nil
}

// kept are the findings of a look with those of before that it says nothing of: they are
// resolved.
func kept(before, now []dera.Finding) []dera.Finding {
	for _, old := range before {
		if !slices.ContainsFunc(now, func(f dera.Finding) bool { return f.ID == old.ID }) {
			now = append(now, old)
		}
	}
	return now
}

// narrowed are the findings of a control on a resource that make one plan.
type narrowed struct {
	cases    []evaluate.Case
	findings []*dera.Finding
	failures []control.Failure
}

// plan makes the plan and its evidence, has the gate decide about it, and carries it out in
// memory where it is automatic.
func (p *narrowing) plan(ctx context.Context, a *NarrowedAccount, c control.Control, g *narrowed) (bool, error) {
	r, now := g.cases[0].Resource, p.Clock.Now()
	settings := p.Detector.Settings.At(now)
	plan, refusal, err := c.Plan(r, g.failures, settings)
	var evidence dera.Evidence
	if err == nil && refusal == nil {
		evidence, err = c.Prove(r, g.failures, plan, settings)
	}
	why := ""
	switch {
	case refusal != nil:
		why = refusal.Error()
	case err != nil:
		why = "no-evidence: " + err.Error()
	}
	all := dera.Auto
	for i, x := range g.cases {
		x.Planned, x.Refusal, x.Plan, x.Evidence = true, why, plan, evidence
		decision := p.Gate.Decide(ctx, x)
		g.findings[i].Disposition, g.findings[i].Reasons = decision.Disposition, decision.Reasons
		all = all.Lower(decision.Disposition)
	}
	if all != dera.Auto || why != "" {
		for _, f := range g.findings {
			f.Disposition = f.Disposition.Lower(all)
		}
		return false, nil
	}
	typ := g.cases[0].Type
	after, err := typ.ApplyPlan(r.Config, plan)
	if err != nil {
		return false, err
	}
	a.Is.Take(r, after)
	p.done(a, r, c, typ, g, plan)
	return true, nil
}

// done notes a plan that was carried out.
func (p *narrowing) done(a *NarrowedAccount, r dera.Resource, c control.Control, typ resource.Type, g *narrowed, plan dera.Plan) {
	now := p.Clock.Now()
	row := NarrowedPolicy{Day: now, Account: a.ID, Resource: r.ARN, Control: c.ID, Decision: dera.Auto, Diff: p.Types.Shown(plan).Diff(), Broken: []BrokenCall{}}
	rem := dera.Remediation{ID: fmt.Sprintf("replay-%d", len(p.report.Narrowed)+1), Control: c.ID, Plan: plan, State: dera.Resolved, CreatedAt: now, Steps: []dera.Step{{State: dera.Resolved, At: now}}}
	for _, f := range g.findings {
		row.Actions = append(row.Actions, f.Permissions...)
		rem.Findings, rem.Covers = append(rem.Findings, f.ID), append(rem.Covers, f.Extent())
		delete(p.waiting, f.ID)
	}
	slices.Sort(row.Actions)
	row.Actions = slices.Compact(row.Actions)
	for _, who := range typ.Principals(r.Config) {
		arn := who.ARN
		if arn == "" {
			arn = string(r.ARN)
		}
		if !slices.Contains(row.Principals, arn) {
			row.Principals = append(row.Principals, arn)
		}
	}
	p.report.Narrowed = append(p.report.Narrowed, row)
	p.earlier[r.Key()] = append(p.earlier[r.Key()], rem)
}

// wait notes what waits for a person, since when and why.
func (p *narrowing) wait(findings []dera.Finding) {
	for _, f := range findings {
		if f.State != dera.FindingOpen || f.Disposition != dera.Review {
			delete(p.waiting, f.ID)
			continue
		}
		w := p.waiting[f.ID]
		if w == nil {
			w = &WaitingNarrowing{Since: p.Clock.Now(), Account: f.Account, Resource: f.Resource, Control: f.Control, Key: f.Key}
			p.waiting[f.ID] = w
		}
		w.Actions, w.InTheWay = f.Permissions, nil
		for _, r := range f.Reasons {
			if r.Disposition > dera.Auto && !slices.Contains(w.InTheWay, r.Guardrail) {
				w.InTheWay = append(w.InTheWay, r.Guardrail)
			}
		}
		w.Why = whyWaits(f)
	}
}

// whyWaits is the first reason of a guardrail that holds a finding back.
func whyWaits(f dera.Finding) string {
	for _, r := range f.Reasons {
		if r.Disposition > dera.Auto {
			return r.Why
		}
	}
	return f.Why
}
