package detect

import (
	"cmp"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
)

// Findings returns the assessment's findings as they stand now: those that fail,
// with their history carried over from before, and, resolved, those of before
// that do not fail any more. A finding is resolved only by a confirmed, passing
// read of a control that could judge everything (design §6.1.3). They were last
// seen when the resource was read. What was found by a record of use that is not there
// any more is unknown, and stays.
func (a Assessment) Findings(before []dera.Finding, now time.Time) []dera.Finding {
	if !a.Resource.ReadAt.IsZero() {
		now = a.Resource.ReadAt
	}
	known := map[string]dera.Finding{}
	for _, f := range before {
		known[f.ID] = f
	}
	var out []dera.Finding
	seen := map[string]bool{}
	unsure := map[string]bool{}
	for _, j := range a.Results {
		failures := j.Result.Failures
		if j.Result.Outcome == control.UnknownResult {
			unsure[j.Control.ID] = true
			failures = append(failures[:len(failures):len(failures)], control.Failure{
				Key: control.UnknownKey, Start: dera.Review, Severity: j.Control.Severity,
				Title: "Not judged: " + j.Control.Title, Why: "It could not be judged, because " + j.Result.Why + ".",
			})
		}
		ids := a.identify(j.Control.ID, failures, before)
		for i, fail := range failures {
			f := a.finding(j.Control, fail, now)
			f.ID = ids[i]
			if old, ok := known[f.ID]; ok {
				f = carryOver(f, old)
			}
			f.RolledBack = rolledBack(j.Control.ID, f.Key, before)
			seen[f.ID] = true
			out = append(out, f)
		}
		if j.Result.Unrecorded {
			for _, f := range unrecorded(j, before, now) {
				seen[f.ID] = true
				out = append(out, f)
			}
		}
	}
	if a.Confirmed {
		for _, old := range a.passed(before, seen, unsure) {
			f := Resolve(old, now)
			f.Why = cmp.Or(a.settled(old), f.Why)
			out = append(out, f)
		}
	}
	return out
}

// unrecorded are the findings of a control that rest on a record of use which is not there
// any more.
func unrecorded(j Judgement, before []dera.Finding, now time.Time) (out []dera.Finding) {
	for _, f := range before {
		if f.Control != j.Control.ID || j.Result.Settled[f.Key] != "" || f.State == dera.FindingResolved || f.Key == control.UnknownKey {
			continue
		}
		if f.State == dera.FindingOpen {
			f.Why = "It cannot be judged now: nothing is recorded any more of the use that it rests on; import the log files again with dera usage import. When it was last judged: " + f.Why
		}
		f.State, f.LastSeen = dera.FindingUnknown, now
		out = append(out, f)
	}
	return out
}

// settled says why a finding is resolved whatever its control could not judge, or nothing.
func (a Assessment) settled(f dera.Finding) string {
	for _, j := range a.Results {
		if j.Control.ID == f.Control {
			return j.Result.Settled[f.Key]
		}
	}
	return ""
}

// passed are those of before that are not seen any more, by controls that could
// judge everything, or that say of them that they are settled.
func (a Assessment) passed(before []dera.Finding, seen, unsure map[string]bool) []dera.Finding {
	judged := map[string]bool{}
	for _, j := range a.Results {
		judged[j.Control.ID] = true
	}
	var out []dera.Finding
	for _, old := range before {
		if !seen[old.ID] && old.State != dera.FindingResolved && (!unsure[old.Control] || a.settled(old) != "") && judged[old.Control] {
			out = append(out, old)
		}
	}
	return out
}

// Resolves reports whether findings of before would be resolved if the read is
// confirmed.
func (a Assessment) Resolves(before []dera.Finding) bool {
	a.Confirmed = true
	return slices.ContainsFunc(a.Findings(before, a.Resource.ReadAt), func(f dera.Finding) bool { return f.State == dera.FindingResolved })
}

// Stale reports whether something of before was seen after the resource was read:
// what is read here says nothing about now then. until is when a new read is not
// stale. What was seen further in the future than clocks differ is not believed.
func (a Assessment) Stale(before []dera.Finding) (until time.Time, stale bool) {
	const skew = 10 * time.Minute
	at := a.Resource.ReadAt
	for _, f := range before {
		if !at.IsZero() && f.LastSeen.After(at) && f.LastSeen.Sub(at) < skew {
			stale = true
			if f.LastSeen.After(until) {
				until = f.LastSeen
			}
		}
	}
	return until, stale
}

// Resolve returns the finding as resolved.
func Resolve(f dera.Finding, now time.Time) dera.Finding {
	f.State, f.LastSeen, f.ResolvedAt = dera.FindingResolved, now, &now
	f.LastFailure, f.WaitsFor = nil, ""
	return f
}

func (a Assessment) finding(c control.Control, fail control.Failure, now time.Time) dera.Finding {
	r := a.Resource
	f := dera.Finding{
		ID: dera.FindingID(r.Key(), c.ID, fail.Key), Control: c.ID,
		Partition: r.Partition, Account: r.Account, Region: r.Region,
		Resource: r.ARN, ResourceType: r.Type, ResourceName: r.Name,
		Key: fail.Key, Sources: fail.Sources, Permissions: fail.Permissions, Granted: fail.Granted, Used: fail.Used, Severity: fail.Severity, Title: fail.Title, Why: fail.Why,
		Start: fail.Start, Disposition: fail.Start, State: dera.FindingOpen, FirstSeen: now, LastSeen: now,
	}
	if fail.Key == control.UnknownKey {
		f.State = dera.FindingUnknown
	}
	return f
}

func carryOver(f, old dera.Finding) dera.Finding {
	f.FirstSeen, f.RolledBack, f.Remediation, f.Actor = old.FirstSeen, old.RolledBack, old.Remediation, old.Actor
	if old.State != dera.FindingResolved {
		f.LastFailure = old.LastFailure
	}
	f.LastActor, f.LastAgent, f.LastChange, f.Returns = old.LastActor, old.LastAgent, old.LastChange, old.Returns
	if f.Reopened = old.Reopened; old.State == dera.FindingResolved {
		f.Reopened = f.LastSeen
	}
	if f.Widened = old.Widened; widened(f, old) {
		f.Widened = f.LastSeen
	}
	return f
}

// widened reports whether a finding has permissions that the look before did not find:
// none were there while it was resolved.
func widened(f, old dera.Finding) bool {
	return slices.ContainsFunc(f.Permissions, func(p string) bool {
		return old.State == dera.FindingResolved || !slices.Contains(old.Permissions, p)
	})
}
