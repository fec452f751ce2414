package engine

import (
	"context"
	"slices"
	"time"

	"dera.example/dera"
)

// mostReturns bounds the times that a finding remembers.
const mostReturns = 32

// attribute notes who changed the resource, as far as an authenticated event
// tells (design §6.1.5), whether the finding came back after a fix of ours, and
// whom it concerns. What dera itself did is no hint at who changes it.
func (e *Engine) attribute(f *dera.Finding, a dera.Resource, before []dera.Finding, earlier []dera.Remediation, o order) {
	reported := o.Authenticated && o.Actor != ""
	ours := reported && e.own.Has(o.Actor)
	if !ours && cameBack(*f, before, earlier) {
		f.Returns = append(slices.Clone(f.Returns), f.LastSeen)
		f.Returns = f.Returns[max(0, len(f.Returns)-mostReturns):]
		// Who changed it before has not brought it back for all that is known.
		f.LastActor, f.LastAgent, f.LastChange = "", "", time.Time{}
	}
	if reported && !ours {
		if f.Actor == "" {
			f.Actor = o.Actor
		}
		if !o.Time.Before(f.LastChange) { // queues deliver in any order
			f.LastActor, f.LastAgent, f.LastChange = o.Actor, o.UserAgent, o.Time
		}
	}
	f.Owner, f.OwnerSource = e.cfg.Owners.Of(a, e.accounts[f.Account], f.LastActor)
}

// cameBack reports whether the finding is open again and its latest remediation
// had removed it.
func cameBack(f dera.Finding, before []dera.Finding, earlier []dera.Remediation) bool {
	i := slices.IndexFunc(before, func(o dera.Finding) bool { return o.ID == f.ID })
	if f.State != dera.FindingOpen || i < 0 || before[i].State != dera.FindingResolved {
		return false
	}
	return slices.ContainsFunc(earlier, func(r dera.Remediation) bool {
		return r.ID == before[i].Remediation && (r.State == dera.Resolved || r.State == dera.Collateral)
	})
}

// notBefore is when a fix of the group may begin: later after failures, and
// later when its findings keep coming back.
func (e *Engine) notBefore(g *group, earlier []dera.Remediation) time.Time {
	now := e.cfg.Now()
	at := afterFailures(earlier, g.control.ID, now)
	for _, f := range g.findings {
		at = later(at, e.cfg.Flapping.NotBefore(*f, now))
	}
	return at
}

// tellReturns calls for attention where a finding has just come back too often.
func (e *Engine) tellReturns(ctx context.Context, f *dera.Finding) {
	n := len(f.Returns)
	if _, often := e.cfg.Flapping.Times(*f, e.cfg.Now()); often && f.Returns[n-1].Equal(f.LastSeen) {
		e.cfg.Log.ErrorContext(ctx, "finding keeps coming back", "finding", f.ID, "resource", f.Resource, "control", f.Control)
		e.cfg.Tell(News{What: "flapping", Finding: f})
	}
}
