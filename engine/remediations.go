package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/detect"
	"dera.example/dera/evaluate"
	"dera.example/dera/remediate"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/store"
)

// history is what the store has of a resource: the remediations, the oldest first,
// and the findings as they were before this look.
type history struct {
	earlier []dera.Remediation
	before  []dera.Finding
}

// remediations turns the judged groups into remediations that start, wait or are
// only observed, and lets go of those whose plan no longer fits. A part of the
// resource has one plan at a time: a group that would change a part which a plan
// before it changes waits for that one. While a plan is being carried out, no
// other is made: the look that follows it sees what is left.
func (e *Engine) remediations(ctx context.Context, a detect.Assessment, groups []*group, h history, o order, b *store.Batch) error {
	keep := map[string]bool{}
	// One fix at a time: its resource is read again before the next is decided.
	holder := ""
	var plans []live
	for _, r := range h.earlier {
		if r.State.Final() || r.State == dera.Waiting {
			continue
		}
		if plans = append(plans, live{id: r.ID, parts: remediate.Parts(r.Way)}); holder == "" {
			holder = r.ID
		}
	}
	others := silent(a, h.earlier, h.before)
	for _, r := range others {
		keep[r.ID] = true
	}
	for _, t := range turns(groups, others) {
		if t.other != nil {
			plans = append(plans, live{t.other.ID, remediate.Parts(t.other.Way), t.other.State == dera.Observed})
			continue
		}
		g := t.group
		if g.rejected != nil { // it closes nothing, so that it holds nothing
			g.has(*g.rejected)
			continue
		}
		if g.refusal != "" {
			continue
		}
		digest, err := g.plan.Digest()
		if err != nil {
			return err
		}
		old, own := existing(h.earlier, g, digest, o), ""
		if old != nil {
			own = old.ID
		}
		if id := holding(plans, g, own); id != "" {
			g.waitFor(id)
			if old != nil && old.State != dera.Expired && old.State != dera.Ready {
				keep[old.ID] = true // it is let go of here, with the reason
				if err := e.supersede([]dera.Remediation{*old}, nil, id+" changes the same part of the resource and is decided first", b); err != nil {
					return err
				}
			}
			continue
		}
		if old != nil {
			keep[old.ID] = true
			g.has(*old)
			if old.State == dera.Expired {
				g.unanswered(*old)
			}
			plans = append(plans, live{old.ID, remediate.Parts(g.way), old.State == dera.Observed})
			continue
		}
		if holder != "" {
			g.waitFor(holder)
			continue
		}
		g.notBefore = e.notBefore(g, h.earlier)
		r, err := e.start(ctx, a, g, digest, o, h, b)
		if err != nil {
			return err
		}
		plans = append(plans, live{r.ID, remediate.Parts(r.Way), r.State == dera.Observed})
		if r.State == dera.Ready {
			holder = r.ID
		}
	}
	return e.supersede(h.earlier, keep, "the plan no longer applies", b)
}

// has notes the remediation of the group's findings.
func (g *group) has(r dera.Remediation) {
	for _, f := range g.findings {
		f.Remediation = r.ID
	}
}

// afterFailures is when a fix that failed lately may be tried again: a minute
// after the first failure, two after the second, and so on.
func afterFailures(earlier []dera.Remediation, control string, now time.Time) time.Time {
	var last time.Time
	n := 0
	for _, r := range earlier {
		if r.State != dera.Failed || r.Control != control || now.Sub(r.CreatedAt) > 24*time.Hour || len(r.Steps) == 0 {
			continue
		}
		n++
		if at := r.Steps[len(r.Steps)-1].At; at.After(last) {
			last = at
		}
	}
	if n == 0 {
		return now
	}
	return last.Add(time.Minute << min(n-1, 6))
}

// begins is the state in which a remediation of the group begins.
func begins(g *group, o order) dera.State {
	switch {
	case g.decision.Mode == dera.Observe:
		return dera.Observed
	case g.decision.Disposition == dera.Auto && o.act && o.includes(g):
		return dera.Ready
	case g.decision.Disposition == dera.Auto:
		return dera.Planned
	}
	return dera.Waiting
}

func (g *group) waitFor(id string) {
	for _, f := range g.findings {
		f.WaitsFor = id
	}
}

// existing is the remediation that already says what is to be said about this
// very plan: waiting, observed, or about to begin. One that would begin further on
// replaces one that only waits or is observed, or that nobody answered
// in time: what the gate lets pass automatically needs no answer. One that waits or
// is about to begin must also have been made from this very configuration, or it
// would come to nothing. What nobody answered in time is asked again by a person's
// command about the finding.
func existing(earlier []dera.Remediation, g *group, digest string, o order) *dera.Remediation {
	begin := begins(g, o)
	for i := len(earlier) - 1; i >= 0; i-- {
		r := &earlier[i]
		if r.Control != g.control.ID || r.Digest != digest {
			continue
		}
		switch r.State {
		case dera.Ready:
			if slices.Equal(r.Way, g.way) {
				return r
			}
		case dera.Expired:
			if begin != dera.Ready && !(o.byHand() && o.includes(g)) {
				return r
			}
		case dera.Waiting:
			if begin != dera.Ready && slices.Equal(r.Way, g.way) {
				return r
			}
			return nil
		case dera.Observed, dera.Planned:
			if begin == r.State {
				return r
			}
			return nil
		default: // under way or over: it says nothing about what to do now
		}
	}
	return nil
}

// start makes the remediation of a group.
func (e *Engine) start(ctx context.Context, a detect.Assessment, g *group, digest string, o order, h history, b *store.Batch) (dera.Remediation, error) {
	now := e.cfg.Now()
	blob, hash, err := g.evidence.Blob()
	if err != nil {
		return dera.Remediation{}, err
	}
	r := dera.Remediation{
		ID: e.cfg.NewID(), Control: g.control.ID, Decision: g.decision, Plan: g.plan, Digest: digest, Evidence: hash,
		Way: g.way, Trigger: o.Source, CreatedAt: now, State: begins(g, o),
	}
	if o.Now && o.Authenticated {
		r.Notes = append(r.Notes, "Asked for by "+o.Name+", at "+o.Time.UTC().Format(time.RFC3339)+". Who chose it, its event does not say; it approves nothing.")
	}
	if kind, err := e.cfg.Types.Lookup(g.plan.Type); err == nil {
		r.Interfaces = kind.Attached(a.Resource.Config)
		r.Notes = append(r.Notes, kind.Note)
		r.Principals = principals(kind, a.Resource, g.findings)
		if kind.Notes != nil {
			r.Notes = append(r.Notes, kind.Notes(a.Resource.Config, g.plan)...)
		}
	}
	for _, c := range g.evidence.Claims {
		switch c.Name {
		case evidence.PrivateAccessLost:
			r.Notes = append(r.Notes, "Allowed by the configuration: "+c.Says+".")
		case evidence.RecordedCalls:
			if r.Recorded = c.Says; c.Verdict != dera.Proved && c.Witness != "" {
				r.Recorded += ": " + c.Witness
			}
		}
	}
	notes := r.Notes
	if r.Recorded != "" {
		notes = append(notes[:len(notes):len(notes)], "Recorded: "+r.Recorded+".")
	}
	if lang, ok := evaluate.CodeLanguage(g.decision); ok {
		var note string
		r.Code, note = e.asCode(a.Resource, g.plan, lang)
		notes = append(notes[:len(notes):len(notes)], note)
	}
	if r.Leaves, err = e.leaves(a.Resource, g, b.Findings, h.before, h.earlier); err != nil {
		return dera.Remediation{}, err
	}
	if len(r.Leaves) > 0 {
		notes = append(notes[:len(notes):len(notes)], "Findings that stay open after this plan, in what it keeps of a part: "+strings.Join(r.Leaves, ", ")+".")
	}
	for _, f := range g.findings {
		r.Findings = append(r.Findings, f.ID)
		r.Covers = append(r.Covers, f.Extent())
		r.Severity = max(r.Severity, f.Severity)
		f.Remediation = r.ID
	}
	var why string
	switch r.State {
	case dera.Ready:
		why = "decided: auto"
		due := now
		if g.notBefore.After(due) {
			due, r.NotBefore = g.notBefore, g.notBefore
		}
		if o.hold && due.Before(now.Add(time.Minute)) {
			due = now.Add(time.Minute)
		}
		spend := store.Spend{Remediation: r.ID, Account: a.Resource.Account, Control: r.Control, At: now, Limit: e.cfg.BudgetPerHour, Everywhere: e.cfg.BudgetEverywhere}
		if reserve, ok := evaluate.ReserveOf(g.decision); ok {
			spend.Reserve = (*store.Reserve)(&reserve)
		}
		b.Spends = append(b.Spends, spend)
		b.Jobs = append(b.Jobs, dera.Job{Kind: remediateJob, Key: r.ID, Priority: remediatePriority(r.Severity), RunAt: due})
	case dera.Waiting:
		why = "waits for an approval"
		r.Expires = now.Add(e.cfg.ApprovalTTL)
		for _, f := range g.failures {
			if !f.Until.IsZero() && f.Until.Before(r.Expires) {
				r.Expires = f.Until
			}
		}
		b.Jobs = append(b.Jobs, dera.Job{Kind: expireJob, Key: r.ID, Priority: lookPriority, RunAt: r.Expires})
	case dera.Planned:
		why = "decided: auto; nothing is written by a command that only reads"
	default:
		why = "observed: nothing is written"
	}
	if id := r.AccessOf(); g.control.Gives && id != "" {
		access, err := e.cfg.Store.Access(ctx, id)
		if err != nil {
			return r, err
		}
		access.Grant = r.ID
		b.Accesses = append(b.Accesses, access)
	}
	r.Steps = []dera.Step{{State: r.State, At: now, Why: why}}
	b.Remediations = append(b.Remediations, r)
	b.Evidence[hash] = blob
	rec := e.remediationRecord(dera.RecordDecision, r, e.cfg.Actor)
	rec.Decision, rec.Diff, rec.Interfaces, rec.Notes, rec.Why = &r.Decision, r.Plan.Diff(), r.Interfaces, notes, why
	rec.Owner = g.findings[0].Owner
	if rec.Sealed, err = payload(r); err != nil {
		return r, err
	}
	b.Records = append(b.Records, rec)
	return r, nil
}

// payload is what the record of a decision seals: the whole states before and
// after, and the whole plan.
func payload(r dera.Remediation) ([]byte, error) {
	return dera.CanonicalJSON(map[string]any{"before": r.Before(), "after": r.Expect(), "plan": r.Plan, "nonce": r.ID})
}

func (e *Engine) remediationRecord(kind dera.RecordKind, r dera.Remediation, actor dera.Actor) dera.AuditRecord {
	return dera.AuditRecord{
		Version: 1, Kind: kind, Time: e.cfg.Now().UTC(), Actor: actor,
		Account: r.Plan.Account, Region: r.Plan.Region, Resource: r.Plan.Resource, Control: r.Control,
		Findings: r.Findings, Remediation: r.ID, State: r.State, Digest: r.Digest, Evidence: r.Evidence,
	}
}

// supersede lets go of the waiting and observed remediations of a resource that
// are not kept. The commit refuses it when one of them moved since it was read.
func (e *Engine) supersede(earlier []dera.Remediation, keep map[string]bool, why string, b *store.Batch) error {
	for _, r := range earlier {
		if keep[r.ID] || r.State != dera.Waiting && r.State != dera.Observed && r.State != dera.Planned {
			continue
		}
		next, err := remediate.Move(r, dera.Superseded, dera.Step{At: e.cfg.Now(), Why: why})
		if err != nil {
			return err
		}
		b.Remediations = append(b.Remediations, next)
		rec := e.remediationRecord(dera.RecordOutcome, next, e.cfg.Actor)
		rec.Why = why
		b.Records = append(b.Records, rec)
		if next.State == dera.Superseded && r.State == dera.Waiting {
			b.Done = append(b.Done, dera.Job{Kind: expireJob, Key: r.ID, Seq: 1})
		}
	}
	return nil
}

// short is a digest or ID for people.
func short(s string) string { return strings.TrimSpace(s[:min(len(s), 12)]) }
