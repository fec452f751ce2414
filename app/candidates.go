package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
)

// CandidateReport is what dera report --candidates prints: what a control would have
// done in an account, had it been switched on.
type CandidateReport struct {
	Candidates []Candidate `json:"candidates"`
	// Privileges are the principals with unused permissions, those with the most first.
	Privileges []Privilege `json:"least_privilege"`
	// Unrecorded are the accounts in which no permission is judged as unused, since
	// nothing is recorded of use.
	Unrecorded []string  `json:"use_not_recorded,omitempty"`
	Exemptions *Proposal `json:"exemptions,omitempty"`
	// Hidden is how many findings network.allow hid at the last sweep,
	// by account.
	Hidden map[string]int `json:"hidden_by_allow,omitempty"`
	// ExemptBy are the entries that findings are exempt by, with how many.
	ExemptBy []string `json:"exempt_by,omitempty"`
}

// Candidate is one control in one account.
type Candidate struct {
	Control  string     `json:"control"`
	Account  string     `json:"account"`
	Mode     dera.Mode  `json:"mode"`
	Since    *time.Time `json:"observed_since,omitempty"`
	Until    *time.Time `json:"observed_until,omitempty"` // when the period is over
	Over     bool       `json:"over"`
	WouldFix int        `json:"would_fix"`
	WouldAsk int        `json:"would_ask"`
	Reported int        `json:"reported"`
	Exempt   int        `json:"exempt"`
	Unknown  int        `json:"unknown"`
	Fixed    int        `json:"fixed"`
	Open     int        `json:"open"`
	First    time.Time  `json:"first_seen"`
	Last     time.Time  `json:"last_seen"`
	// Refused are the guardrails that were against it, the most frequent first.
	Refused []Refusal `json:"refused"`
	// Passing are those that hold it back only for now.
	Passing  []Refusal          `json:"passing"`
	Findings []CandidateFinding `json:"findings"`
	// SwitchOn is the line for modes of the configuration.
	SwitchOn string `json:"switch_on"`
}

// Refusal is one guardrail with one of its reasons.
type Refusal struct {
	Guardrail string `json:"guardrail"`
	Count     int    `json:"count"`
	Why       string `json:"why"`
}

type CandidateFinding struct {
	ID       string            `json:"id"`
	Resource dera.ARN          `json:"resource"`
	Key      string            `json:"key"`
	Title    string            `json:"title"`
	Owner    string            `json:"owner,omitempty"`
	State    dera.FindingState `json:"state"`
	Would    string            `json:"would"` // fix, ask, report, leave; fixed, unknown
	Why      string            `json:"why,omitempty"`
	// Now is what holds it back for now: a stop, a window, a budget, a breaker.
	Now string `json:"held_back,omitempty"`
	// Meant is the sign that it is meant to stay as it is; see Intent.
	Meant string `json:"meant_to_stay,omitempty"`
}

// passes reports whether a reason ends automatically some day, or when an operator
// says so, whatever the resource is like.
func passes(r dera.Reason) bool {
	names := []string{evaluate.Stopped{}.Name(), evaluate.Windows{}.Name(), evaluate.Breaker{}.Name(), evaluate.Budget{}.Name()}
	return slices.Contains(names, r.Guardrail) && r.Why != evaluate.NoBudget && !r.Error
}

// Would says what dera would have done, were it not for the mode, the observation
// itself and what holds it back for now; against names the guardrails that are
// against it, and now those that are so for now.
func Would(f dera.Finding) (what dera.Disposition, against, now []dera.Reason) {
	what = dera.Auto
	if len(f.Reasons) == 0 {
		what = dera.Review // nothing is known of a decision
	}
	waived := []string{evaluate.Observation{}.Name(), evaluate.Mode{}.Name()}
	for _, r := range f.Reasons {
		switch {
		case r.Disposition == dera.Auto || slices.Contains(waived, r.Guardrail) || strings.HasPrefix(r.Why, evaluate.Unanswered):
		case passes(r):
			now = append(now, r)
		default:
			what = what.Lower(r.Disposition)
			against = append(against, r)
		}
	}
	return what, against, now
}

// CandidateStore is what is read for candidates.
type CandidateStore interface {
	Findings(ctx context.Context) ([]dera.Finding, error)
	RemediationsIn(ctx context.Context, state dera.State) ([]dera.Remediation, error)
	Looked(ctx context.Context) (map[string]time.Time, error)
	Hidden(ctx context.Context) (map[string]int, error)
}

// Candidates says of each control what it would do. Accounts are those of the
// configuration, Mode the modes in force, and Observation how long is observed.
type Candidates struct {
	Store       CandidateStore
	Accounts    []dera.Account
	Mode        func(a dera.Account, control string) dera.Mode
	Observation evaluate.Observation
	Now         func() time.Time

	byID map[string]dera.Account // of Accounts
}

// indexed is the same with its accounts by ID: there can be thousands, and each place asks for one.
func (s Candidates) indexed() Candidates {
	s.byID = make(map[string]dera.Account, len(s.Accounts))
	for _, a := range s.Accounts {
		s.byID[a.ID] = a
	}
	return s
}

// Report groups all findings by control and account, those first that would fix
// the most, and returns the findings too.
func (s Candidates) Report(ctx context.Context) (CandidateReport, []dera.Finding, error) {
	list, findings, err := s.gather(ctx)
	if err != nil {
		return CandidateReport{}, nil, err
	}
	hidden, err := s.Store.Hidden(ctx)
	if err != nil {
		return CandidateReport{}, nil, err
	}
	maps.DeleteFunc(hidden, func(_ string, n int) bool { return n == 0 })
	return CandidateReport{Candidates: list, Privileges: Privileges(findings), Hidden: hidden, ExemptBy: ExemptBy(findings)}, findings, nil
}

// gather groups the findings by control and account.
func (s Candidates) gather(ctx context.Context) ([]Candidate, []dera.Finding, error) {
	findings, err := s.Store.Findings(ctx)
	if err != nil {
		return nil, nil, err
	}
	resolved, err := s.Store.RemediationsIn(ctx, dera.Resolved)
	if err != nil {
		return nil, nil, err
	}
	fixed := map[string]bool{}
	for _, r := range resolved {
		fixed[r.ID] = true
	}
	rejected := map[string]dera.Remediation{}
	list, err := s.Store.RemediationsIn(ctx, dera.Rejected)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range list {
		rejected[r.ID] = r
	}
	looked, err := s.Store.Looked(ctx)
	if err != nil {
		return nil, nil, err
	}
	s = s.indexed()
	byPlace := map[[2]string]*Candidate{}
	for _, f := range findings {
		c := s.in(byPlace, f, looked)
		var no *dera.Remediation
		if r, ok := rejected[f.Remediation]; ok {
			no = &r
		}
		c.add(f, f.State == dera.FindingResolved && fixed[f.Remediation], Intent(f, no, c.Since, c.Until, s.Now()))
	}
	return sorted(byPlace), findings, nil
}

// in is the candidate of a finding's control and account.
func (s Candidates) in(byPlace map[[2]string]*Candidate, f dera.Finding, looked map[string]time.Time) *Candidate {
	place := [2]string{f.Control, f.Account}
	c := byPlace[place]
	if c == nil {
		c = s.candidateAt(f, looked)
		byPlace[place] = c
	}
	return c
}

// sorted are the candidates, those first that would fix the most.
func sorted(byPlace map[[2]string]*Candidate) []Candidate {
	out := []Candidate{}
	for _, c := range byPlace {
		for _, list := range [][]Refusal{c.Refused, c.Passing} {
			slices.SortFunc(list, func(a, b Refusal) int {
				return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Guardrail, b.Guardrail))
			})
		}
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.WouldFix, a.WouldFix), cmp.Compare(a.Control, b.Control), cmp.Compare(a.Account, b.Account))
	})
	return out
}

// candidateAt is the empty candidate of a finding's place.
func (s Candidates) candidateAt(f dera.Finding, looked map[string]time.Time) *Candidate {
	account, known := s.byID[f.Account]
	if !known {
		account.ID = f.Account
	}
	c := &Candidate{
		Control: f.Control, Account: f.Account, Mode: s.Mode(account, f.Control), First: f.FirstSeen, Last: f.LastSeen,
		Refused: []Refusal{}, Passing: []Refusal{}, Findings: []CandidateFinding{},
		SwitchOn: fmt.Sprintf("  - {control: %s, account: %q, mode: enforce}", f.Control, f.Account),
	}
	if since, ok := looked[f.Control+"/"+f.Account]; ok {
		days, _ := s.Observation.Period(evaluate.Case{Finding: f, Account: account})
		until := since.AddDate(0, 0, days)
		c.Since, c.Until, c.Over = &since, &until, !s.Now().Before(until)
	}
	return c
}

// Choose takes the findings that only names by their IDs, or without names those
// for which there is a sign that they are meant to stay as they are. An ID that no
// finding has is returned too.
func (r CandidateReport) Choose(findings []dera.Finding, only []string) (chosen []dera.Finding, missing []string) {
	for _, f := range findings {
		if slices.Contains(only, f.ID) || len(only) == 0 && r.Meant(f.ID) != "" {
			chosen = append(chosen, f)
		}
	}
	for _, id := range only {
		if !slices.ContainsFunc(chosen, func(f dera.Finding) bool { return f.ID == id }) {
			missing = append(missing, id)
		}
	}
	return chosen, missing
}

// Meant is the sign that a finding is meant to stay as it is, or "".
func (r CandidateReport) Meant(finding string) string {
	for _, c := range r.Candidates {
		for _, f := range c.Findings {
			if f.ID == finding {
				return f.Meant
			}
		}
	}
	return ""
}

// ToDecide are the open findings that dera would ask a person about and for which
// there is no sign that they are meant to stay.
func (r CandidateReport) ToDecide() []CandidateFinding {
	out := []CandidateFinding{}
	for _, c := range r.Candidates {
		for _, f := range c.Findings {
			if f.State == dera.FindingOpen && f.Would == "ask" && f.Meant == "" {
				out = append(out, f)
			}
		}
	}
	return out
}

// Proposal is a list of exemptions for a pull request: the file that holds it, the
// commands that make the request, and its text.
type Proposal struct {
	File     string   `json:"file"`
	Entries  int      `json:"entries"`
	Commands []string `json:"commands"`
	Title    string   `json:"title"`
	Body     []string `json:"body"`
	// ToDecide are findings without a sign that they are meant to stay: no exemption
	// is proposed for them.
	ToDecide []CandidateFinding `json:"to_decide"`
}

// ExemptBy counts the findings that are left open on purpose by what covers them,
// the most first.
func ExemptBy(findings []dera.Finding) []string {
	counts := map[string]int{}
	for _, f := range findings {
		if f.State == dera.FindingResolved || f.Disposition != dera.Exempt {
			continue
		}
		counts[exemptBy(f)]++
	}
	var out []string
	for _, by := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) }) {
		out = append(out, fmt.Sprintf("%d by %s", counts[by], by))
	}
	return out
}

// exemptBy is what a finding is exempt by: the ID of an entry, or the list of
// break-glass.
func exemptBy(f dera.Finding) string {
	by := "break-glass"
	for _, r := range f.Reasons {
		if r.Guardrail == (*evaluate.Exempted)(nil).Name() && r.Disposition == dera.Exempt {
			by, _, _ = strings.Cut(r.Ref, "@")
		}
	}
	return by
}
