package app

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/scope"
)

// NarrowedReport is the part of dera replay that is about unused permissions.
type NarrowedReport struct {
	// Narrowed is what dera would have taken away automatically, in the order of the days.
	Narrowed []NarrowedPolicy `json:"narrowed"`
	// Waiting is what waited for a person after the last day.
	Waiting []WaitingNarrowing `json:"waiting"`
	// Unknown are principals of which not all policies are known, after the last day: at most MostListed.
	Unknown    []string         `json:"unknown,omitempty"`
	Unfollowed []Unfollowed     `json:"unfollowed,omitempty"`
	Summary    NarrowingSummary `json:"summary"`
}

// NarrowedPolicy is one plan that dera would have carried out.
type NarrowedPolicy struct {
	Day        time.Time        `json:"day"` // the end of it: when the sweep was
	Account    string           `json:"account"`
	Resource   dera.ARN         `json:"resource"`
	Control    string           `json:"control"`
	Principals []string         `json:"principals"`
	Actions    []string         `json:"actions"` // that were removed
	Decision   dera.Disposition `json:"decision"`
	Diff       []string         `json:"diff"`
	// Broken are later calls that it would have denied, and Undecided how many calls the
	// record does not tell enough of.
	Broken    []BrokenCall `json:"broken"`
	Undecided uint64       `json:"undecided,omitempty"`
}

// BrokenCall is what a principal called alike on one day.
type BrokenCall struct {
	Day       time.Time `json:"day"` // its begin
	After     int       `json:"days_after"`
	Principal string    `json:"principal"`
	Source    string    `json:"source"`
	Event     string    `json:"event"`
	Action    string    `json:"action"`
	Calls     uint64    `json:"calls"`
}

// WaitingNarrowing is a finding that waits for a person.
type WaitingNarrowing struct {
	Since    time.Time `json:"since"`
	Account  string    `json:"account"`
	Resource dera.ARN  `json:"resource"`
	Control  string    `json:"control"`
	Key      string    `json:"key"`
	Actions  []string  `json:"actions"`
	InTheWay []string  `json:"in_the_way"` // guardrails; control is the control itself
	Why      string    `json:"why"`
}

// NarrowingSummary counts.
type NarrowingSummary struct {
	From       time.Time `json:"from,omitzero"`
	To         time.Time `json:"to,omitzero"`
	Days       int       `json:"days"`
	Silent     int       `json:"days_without"` // without any event of an account: gaps
	Principals int       `json:"principals"`   // after the last day
	Unknown    int       `json:"principals_unknown"`
	Plans      int       `json:"plans"`
	Removed    int       `json:"actions_removed"` // by all plans together
	Waiting    int       `json:"waiting"`
	// Held are the later calls of principals that were narrowed, Broken those of them that would have
	// been denied, and Undecided those of which the record does not tell enough.
	Held       uint64 `json:"calls_held"`
	Broken     uint64 `json:"calls_broken"`
	Undecided  uint64 `json:"calls_undecided"`
	Unfollowed int    `json:"unfollowed"`
}

// held is a principal that was narrowed.
type held struct {
	was, is string
	known   bool               // all policies, in both
	calls   *proof.CallsBeside // nil where its policies cannot be compared
}

// hold holds the calls of a day against what stood when it began: as recorded, and as it would
// have been.
func (p *narrowing) hold(used []CalledBy, start time.Time) {
	for _, who := range used {
		account := slices.IndexFunc(p.Accounts, func(a NarrowedAccount) bool { return a.ID == dera.ARN(who.Principal).Account() })
		if account < 0 {
			continue
		}
		h := p.heldOf(p.Accounts[account], who.Principal, start)
		if h == nil {
			continue
		}
		for _, c := range who.Calls {
			if c.Count == 0 {
				continue // denied each time: it is no use
			}
			p.report.Summary.Held += c.Count
			call := proof.Call{Principal: who.Principal, Source: c.Source, Name: c.Name, Resources: c.Resources}
			if c.More {
				call.Resources = nil
			}
			fate, action := proof.Undecided, ""
			if h.calls != nil {
				fate, action = h.calls.Decide(call)
				if lost, is := h.calls.Lost(call); fate == proof.Undecided && is {
					fate, action = proof.WouldBeDenied, lost
				}
			}
			if fate != proof.AllowedStill {
				p.broken(who.Principal, c.Source, c.Name, action, c.Count, fate, start)
			}
		}
	}
}

// heldOf is a principal whose policies differ from those that are recorded; nil for one of which nothing
// was taken.
func (p *narrowing) heldOf(a NarrowedAccount, principal string, at time.Time) *held {
	is, known := a.Is.Texts(principal, at)
	was, wasKnown := a.Was.Texts(principal, at)
	if slices.Equal(was, is) && known == wasKnown {
		return nil
	}
	w, i := strings.Join(was, "\x00"), strings.Join(is, "\x00")
	h := p.holding[principal]
	if h != nil && h.was == w && h.is == i && h.known == (known && wasKnown) {
		return h
	}
	h = &held{was: w, is: i, known: known && wasKnown}
	p.holding[principal] = h
	if old, fresh := parse(was), parse(is); h.known && old != nil && fresh != nil {
		h.calls = proof.NewCalls(old, fresh).Beside(nil)
	}
	return h
}

// parse reads policies; nil where one cannot be read.
func parse(texts []string) []*policy.Document {
	out := []*policy.Document{}
	for _, t := range texts {
		doc, err := policy.Parse(t)
		if err != nil {
			return nil
		}
		out = append(out, doc)
	}
	return out
}

// broken notes calls at the last plan that took the action from the principal, or, where none
// names it, at the last one that took anything from it.
func (p *narrowing) broken(principal, source, event, action string, calls uint64, fate proof.Fate, start time.Time) {
	s := &p.report.Summary
	if fate == proof.Undecided {
		s.Undecided += calls
	} else {
		s.Broken += calls
	}
	best := -1
	for i := range p.report.Narrowed {
		row := &p.report.Narrowed[i]
		same := func(arn string) bool { return samePrincipal(arn, principal) }
		if row.Day.After(start) || !slices.ContainsFunc(row.Principals, same) {
			continue
		}
		took := slices.ContainsFunc(row.Actions, func(entry string) bool { return action != "" && scope.Meets(entry, action) })
		if best < 0 || took {
			best = i
		}
	}
	if best < 0 {
		return
	}
	row := &p.report.Narrowed[best]
	if fate == proof.Undecided {
		row.Undecided += calls
		return
	}
	day := start.Truncate(24 * time.Hour)
	row.Broken = append(row.Broken, BrokenCall{
		Day: day, After: max(int(day.Sub(row.Day)/(24*time.Hour)), 0), Principal: principal, Source: source, Event: event, Action: action, Calls: calls,
	})
}

// samePrincipal: the names of an account's roles differ, and those of its users, whatever
// their paths.
func samePrincipal(a, b string) bool {
	kind := func(arn string) string { k, _, _ := strings.Cut(dera.ARN(arn).Resource(), "/"); return k }
	return dera.ARN(a).Account() == dera.ARN(b).Account() && kind(a) == kind(b) && strings.EqualFold(dera.ARN(a).Name(), dera.ARN(b).Name())
}

// end gathers what there is after the last day.
func (p *narrowing) end(to time.Time) {
	s := &p.report.Summary
	for _, a := range p.Accounts {
		unknown := a.Was.Unknown(to)
		s.Principals += len(a.Was.Principals(to))
		s.Unknown += len(unknown)
		p.report.Unknown = append(p.report.Unknown, unknown[:min(len(unknown), MostListed-len(p.report.Unknown))]...)
	}
	for _, w := range p.waiting {
		p.report.Waiting = append(p.report.Waiting, *w)
	}
	slices.SortFunc(p.report.Waiting, func(a, b WaitingNarrowing) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(string(a.Resource)+a.Key, string(b.Resource)+b.Key))
	})
	s.Plans, s.Waiting, s.Unfollowed = len(p.report.Narrowed), len(p.report.Waiting), p.lost
	for _, row := range p.report.Narrowed {
		s.Removed += len(row.Actions)
	}
}
