package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
)

// candidates is what dera report --candidates prints: what a control would have
// done in an account, had it been switched on.
type candidates struct {
	Candidates []candidate `json:"candidates"`
	Exemptions *written    `json:"exemptions,omitempty"`
	// Hidden is how many findings network.allow hid at the last look at everything,
	// by account.
	Hidden map[string]int `json:"hidden_by_allow,omitempty"`
	// ExemptBy are the entries that findings are exempt by, with how many.
	ExemptBy []string `json:"exempt_by,omitempty"`
}

// candidate is one control in one account.
type candidate struct {
	Control  string     `json:"control"`
	Account  string     `json:"account"`
	Mode     dera.Mode  `json:"mode"`
	Since    *time.Time `json:"observed_since,omitempty"`
	Until    *time.Time `json:"observed_until,omitempty"` // when the period is over
	Over     bool       `json:"over"`
	WouldFix int        `json:"would_fix"`
	WouldAsk int        `json:"would_ask"`
	Told     int        `json:"told"`
	Exempt   int        `json:"exempt"`
	Unknown  int        `json:"unknown"`
	Fixed    int        `json:"fixed"`
	Open     int        `json:"open"`
	First    time.Time  `json:"first_seen"`
	Last     time.Time  `json:"last_seen"`
	// Refused are the guardrails that were against it, the most frequent first.
	Refused []refusal `json:"refused"`
	// Passing are those that hold it back only for now.
	Passing  []refusal          `json:"passing"`
	Findings []candidateFinding `json:"findings"`
	// SwitchOn is the line for modes of the configuration.
	SwitchOn string `json:"switch_on"`
}

// refusal is one guardrail with one of its reasons.
type refusal struct {
	Guardrail string `json:"guardrail"`
	Count     int    `json:"count"`
	Why       string `json:"why"`
}

type candidateFinding struct {
	ID       string            `json:"id"`
	Resource dera.ARN          `json:"resource"`
	Key      string            `json:"key"`
	Title    string            `json:"title"`
	Owner    string            `json:"owner,omitempty"`
	State    dera.FindingState `json:"state"`
	Would    string            `json:"would"` // fix, ask, tell, leave; fixed, unknown
	Why      string            `json:"why,omitempty"`
	// Now is what holds it back for now: a stop, a window, a budget, a breaker.
	Now string `json:"held_back,omitempty"`
}

// passes reports whether a reason is over by itself some day, or when an operator
// says so, whatever the resource is like.
func passes(r dera.Reason) bool {
	names := []string{evaluate.Stopped{}.Name(), evaluate.Windows{}.Name(), evaluate.Breaker{}.Name(), evaluate.Budget{}.Name()}
	return slices.Contains(names, r.Guardrail) && r.Why != evaluate.NoBudget && !r.Error
}

// would says what dera would have done, were it not for the mode, the observation
// itself and what holds it back for now; against names the guardrails that are
// against it, and now those that are so for now.
func would(f dera.Finding) (what dera.Disposition, against, now []dera.Reason) {
	what = dera.Auto
	if len(f.Reasons) == 0 {
		what = dera.Review // nothing is known of a decision
	}
	waived := []string{evaluate.Observation{}.Name(), evaluate.Mode{}.Name()}
	for _, r := range f.Reasons {
		switch {
		case r.Disposition == dera.Auto || slices.Contains(waived, r.Guardrail):
		case passes(r):
			now = append(now, r)
		default:
			what = what.Lower(r.Disposition)
			against = append(against, r)
		}
	}
	return what, against, now
}

// gather groups the findings by control and account. fixed are the IDs of those
// that dera has fixed.
func (s *session) gather(ctx context.Context) ([]candidate, []dera.Finding, error) {
	findings, err := s.store.Findings(ctx)
	if err != nil {
		return nil, nil, err
	}
	resolved, err := s.store.RemediationsIn(ctx, dera.Resolved)
	if err != nil {
		return nil, nil, err
	}
	fixed := map[string]bool{}
	for _, r := range resolved {
		fixed[r.ID] = true
	}
	looked, err := s.store.Looked(ctx)
	if err != nil {
		return nil, nil, err
	}
	byPlace := map[[2]string]*candidate{}
	for _, f := range findings {
		place := [2]string{f.Control, f.Account}
		c := byPlace[place]
		if c == nil {
			c = s.candidateAt(f, looked)
			byPlace[place] = c
		}
		c.add(f, f.State == dera.FindingResolved && fixed[f.Remediation])
	}
	out := []candidate{}
	for _, c := range byPlace {
		for _, list := range [][]refusal{c.Refused, c.Passing} {
			slices.SortFunc(list, func(a, b refusal) int {
				return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Guardrail, b.Guardrail))
			})
		}
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.WouldFix, a.WouldFix), cmp.Compare(a.Control, b.Control), cmp.Compare(a.Account, b.Account))
	})
	return out, findings, nil
}

// candidateAt is the empty candidate of a finding's place.
func (s *session) candidateAt(f dera.Finding, looked map[string]time.Time) *candidate {
	account := dera.Account{ID: f.Account}
	for _, a := range s.config.Accounts {
		if a.ID == f.Account {
			account = dera.Account{ID: a.ID, Name: a.Name, OU: a.OU, Tags: a.Tags}
		}
	}
	c := &candidate{
		Control: f.Control, Account: f.Account, Mode: s.mode(account, f.Control), First: f.FirstSeen, Last: f.LastSeen,
		Refused: []refusal{}, Passing: []refusal{}, Findings: []candidateFinding{},
		SwitchOn: fmt.Sprintf("  - {control: %s, account: %q, mode: enforce}", f.Control, f.Account),
	}
	if since, ok := looked[f.Control+"/"+f.Account]; ok {
		days, _ := s.observation().Period(evaluate.Case{Finding: f, Account: account})
		until := since.AddDate(0, 0, days)
		c.Since, c.Until, c.Over = &since, &until, !s.app.now().Before(until)
	}
	return c
}

// add counts a finding.
func (c *candidate) add(f dera.Finding, fixed bool) {
	if f.FirstSeen.Before(c.First) {
		c.First = f.FirstSeen
	}
	if f.LastSeen.After(c.Last) {
		c.Last = f.LastSeen
	}
	if f.State != dera.FindingResolved {
		c.Open++
	}
	row := candidateFinding{ID: f.ID, Resource: f.Resource, Key: f.Key, Title: f.Title, Owner: f.Owner, State: f.State}
	what, against, now := would(f)
	switch {
	case f.State == dera.FindingUnknown:
		c.Unknown++
		row.Would = "unknown"
	case fixed:
		c.Fixed++
		row.Would = "fixed"
	case what == dera.Auto:
		c.WouldFix++
		row.Would = "fix"
	case what == dera.Review:
		c.WouldAsk++
		row.Would = "ask"
	case what == dera.Alert:
		c.Told++
		row.Would = "tell"
	default:
		c.Exempt++
		row.Would = "leave"
	}
	if row.Would == "ask" || row.Would == "tell" || row.Would == "leave" {
		for _, r := range against {
			c.Refused = refuse(c.Refused, r)
		}
		if len(against) > 0 {
			row.Why = against[len(against)-1].Guardrail + ": " + against[len(against)-1].Why
		}
	}
	if row.Would == "fix" || row.Would == "ask" {
		for _, r := range now {
			c.Passing = refuse(c.Passing, r)
			row.Now = r.Guardrail + ": " + r.Why
		}
	}
	c.Findings = append(c.Findings, row)
}

// refuse counts a reason among those of its guardrail.
func refuse(list []refusal, r dera.Reason) []refusal {
	if r.Guardrail == "control" {
		r.Why = "the control leaves it to a person: " + r.Why
	}
	i := slices.IndexFunc(list, func(o refusal) bool { return o.Guardrail == r.Guardrail })
	if i < 0 {
		i, list = len(list), append(list, refusal{Guardrail: r.Guardrail, Why: r.Why})
	}
	list[i].Count++
	return list
}
