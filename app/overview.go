package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"dera.example/dera"
)

// Overview is the state of everything: what is open, what waits for a person, what
// was done lately, what ends soon, and what is not known.
type Overview struct {
	At       time.Time   `json:"at"`
	Open     []OpenCount `json:"open"` // by severity, the worst first
	Waiting  []Waiting   `json:"waiting"`
	Done     []DoneCount `json:"done"` // in the last 7 and 30 days
	Expiring []Expiring  `json:"exemptions_expiring"`
	// ExemptionsUnread is why the exemption list cannot be read: Expiring says nothing then, and nothing is
	// automatic.
	ExemptionsUnread string    `json:"exemptions_unread,omitempty"`
	NotRead          []NotRead `json:"not_read"`
	// Unreadable are places that could not be read when it was last tried;
	// NothingRead says that there was no look at anything yet.
	Unreadable  []Unreadable `json:"unreadable"`
	NothingRead bool         `json:"nothing_read"`
	Stops       []dera.Stop  `json:"stops"`
	UnderWay    []UnderWay   `json:"under_way"`
	// Denied are changes in effect that lately denied, or may have denied, what is in use;
	// FalsePositives is how many changes ever did, and MayBe how many may have.
	Denied         []DeniedAfter  `json:"denied_after"`
	FalsePositives int            `json:"false_positives"`
	MayBe          int            `json:"may_be_false_positives"`
	Accounts       []AccountCount `json:"accounts"` // those with the most critical findings, ten at most
	Next           []Way          `json:"next"`
	// Effectiveness is what a period came to; nil where none was asked for.
	Effectiveness *Effectiveness `json:"effectiveness,omitempty"`
}

// OpenCount counts the open findings of a severity by decision. Unknown ones are
// counted apart.
type OpenCount struct {
	Severity dera.Severity `json:"severity"`
	Auto     int           `json:"auto"`
	Review   int           `json:"review"`
	Alert    int           `json:"alert"`
	Exempt   int           `json:"exempt"`
	Unknown  int           `json:"unknown"`
}

// DoneCount is what became of remediations within some days.
type DoneCount struct {
	Days       int `json:"days"`
	Fixed      int `json:"fixed"`
	RolledBack int `json:"rolled_back"`
	Failed     int `json:"failed"`
	// ToFix is the median time from when a finding was first seen, or came back, to
	// when its fix was verified; nil where nothing was fixed.
	ToFix *int64 `json:"median_seconds_to_fix"`
}

// Expiring is an exemption that expires soon or has expired, with how many open
// findings it covers.
type Expiring struct {
	ID       string    `json:"id"`
	Owner    string    `json:"owner"`
	Expires  time.Time `json:"expires"`
	Findings int       `json:"findings"`
}

// NotRead is an account and region with findings that nobody looks at any more.
type NotRead struct {
	Account  string    `json:"account"`
	Region   string    `json:"region"`
	Since    time.Time `json:"since"`
	Findings int       `json:"findings"`
}

// AccountCount counts the open findings of an account.
type AccountCount struct {
	Account  string `json:"account"`
	Critical int    `json:"critical"`
	High     int    `json:"high"`
	Open     int    `json:"open"`
}

// OverviewStore is what an overview reads.
type OverviewStore interface {
	WaitingStore
	DenialStore
	Stops(ctx context.Context) ([]dera.Stop, error)
}

// Overviews makes overviews. Covered reports whether the configuration in force
// covers a finding, Places is what is known of the reads, Exemptions are the entries of the list, UnderWay what is
// half-done, and Flags are added to commands.
type Overviews struct {
	Store      OverviewStore
	Covered    func(dera.Finding) bool
	Exemptions []dera.Exemption
	// ExemptionsUnread is why they cannot be read; empty where they are.
	ExemptionsUnread string
	UnderWay         []UnderWay
	Places           Places
	Flags            string
	Now              func() time.Time
}

// soon is how long before its expiry an exemption is named, and a denial after it was made.
const soon = 30 * 24 * time.Hour

// mostAccounts is how many accounts an overview names.
const mostAccounts = 10

// Make reads the store.
func (o Overviews) Make(ctx context.Context) (Overview, error) {
	v := Overview{At: o.Now().UTC(), UnderWay: append([]UnderWay{}, o.UnderWay...), Stops: []dera.Stop{}}
	findings, err := o.Store.Findings(ctx)
	if err != nil {
		return v, err
	}
	if v.Waiting, err = waitingFor(ctx, o.Store, findings, o.Flags, o.Now()); err != nil {
		return v, err
	}
	stops, err := o.Store.Stops(ctx)
	if err != nil {
		return v, err
	}
	v.Stops = append(v.Stops, stops...)
	if v.Done, err = o.done(ctx, findings); err != nil {
		return v, err
	}
	if v.Denied, v.FalsePositives, v.MayBe, err = Denials(ctx, o.Store, o.Flags, o.Now()); err != nil {
		return v, err
	}
	v.Open, v.Accounts, v.NotRead = openCounts(findings), accountCounts(findings), o.notRead(findings)
	v.Expiring, v.ExemptionsUnread = o.expiring(findings), o.ExemptionsUnread
	v.Unreadable, v.NothingRead = append([]Unreadable{}, o.Places.Unread...), o.Places.Nothing
	v.Next = o.next(v, len(findings) > 0)
	return v, nil
}

func openCounts(findings []dera.Finding) []OpenCount {
	var out []OpenCount
	for s := dera.Critical; s >= dera.Low; s-- {
		c := OpenCount{Severity: s}
		for _, f := range findings {
			switch {
			case f.State == dera.FindingResolved || f.Severity != s:
			case f.State == dera.FindingUnknown:
				c.Unknown++
			case f.Disposition == dera.Auto:
				c.Auto++
			case f.Disposition == dera.Review:
				c.Review++
			case f.Disposition == dera.Alert:
				c.Alert++
			default:
				c.Exempt++
			}
		}
		out = append(out, c)
	}
	return out
}

func accountCounts(findings []dera.Finding) []AccountCount {
	byID := map[string]*AccountCount{}
	for _, f := range findings {
		if !f.LeftOpen() {
			continue
		}
		c := byID[f.Account]
		if c == nil {
			c = &AccountCount{Account: f.Account}
			byID[f.Account] = c
		}
		c.Open++
		switch f.Severity {
		case dera.Critical:
			c.Critical++
		case dera.High:
			c.High++
		case dera.Medium, dera.Low:
		}
	}
	out := []AccountCount{}
	for _, c := range byID {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b AccountCount) int {
		return cmp.Or(cmp.Compare(b.Critical, a.Critical), cmp.Compare(b.High, a.High), cmp.Compare(b.Open, a.Open), cmp.Compare(a.Account, b.Account))
	})
	return out[:min(len(out), mostAccounts)]
}

// notRead are the places of open findings that the configuration does not cover.
func (o Overviews) notRead(findings []dera.Finding) []NotRead {
	out := []NotRead{}
	for _, f := range findings {
		if f.State == dera.FindingResolved || o.Covered(f) {
			continue
		}
		i := slices.IndexFunc(out, func(n NotRead) bool { return n.Account == f.Account && n.Region == f.Region })
		if i < 0 {
			i, out = len(out), append(out, NotRead{Account: f.Account, Region: f.Region, Since: f.LastSeen})
		}
		out[i].Findings++
		if f.LastSeen.Before(out[i].Since) {
			out[i].Since = f.LastSeen
		}
	}
	slices.SortFunc(out, func(a, b NotRead) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region))
	})
	return out
}

// expiring are the exemptions that expire soon, and those that expired as lately.
func (o Overviews) expiring(findings []dera.Finding) []Expiring {
	out := []Expiring{}
	for _, x := range o.Exemptions {
		if left := x.Expires.Sub(o.Now()); left > soon || left < -soon {
			continue
		}
		e := Expiring{ID: x.ID, Owner: x.Owner, Expires: x.Expires}
		for _, f := range findings {
			if f.State != dera.FindingResolved && f.Disposition == dera.Exempt && exemptBy(f) == x.ID {
				e.Findings++
			}
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Expiring) int { return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.ID, b.ID)) })
	return out
}

// done counts what became of remediations in the last 7 and 30 days.
func (o Overviews) done(ctx context.Context, findings []dera.Finding) ([]DoneCount, error) {
	byID := map[string]dera.Finding{}
	for _, f := range findings {
		byID[f.ID] = f
	}
	out := []DoneCount{{Days: 7}, {Days: 30}}
	spans := make([][]time.Duration, len(out))
	for _, state := range []dera.State{dera.Resolved, dera.Collateral, dera.RolledBack, dera.Failed, dera.UndoFailed} {
		list, err := o.Store.RemediationsIn(ctx, state)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			if r.AccessOf() != "" {
				continue // to give something back is no fix, and its end no rollback
			}
			for i := range out {
				spans[i] = append(spans[i], out[i].add(r, byID, o.Now())...)
			}
		}
	}
	for i := range out {
		if n := len(spans[i]); n > 0 {
			slices.Sort(spans[i])
			seconds := int64((spans[i][(n-1)/2] + spans[i][n/2]) / 2 / time.Second)
			out[i].ToFix = &seconds
		}
	}
	return out, nil
}

// add counts what a remediation came to, once, if that was within the days, and
// returns how long each of its findings was open before it was fixed.
func (c *DoneCount) add(r dera.Remediation, findings map[string]dera.Finding, now time.Time) (spans []time.Duration) {
	at := cameTo(r)
	if at.IsZero() || now.Sub(at) > time.Duration(c.Days)*24*time.Hour {
		return nil
	}
	switch r.State {
	case dera.Resolved, dera.Collateral:
		c.Fixed++
		for _, id := range r.Findings {
			if f, ok := findings[id]; ok {
				spans = append(spans, at.Sub(openSince(f, at)))
			}
		}
	case dera.RolledBack:
		c.RolledBack++
	case dera.Failed, dera.UndoFailed:
		c.Failed++
	default: // on the way
	}
	return spans
}

// cameTo is when a remediation came to what it is; of one that was fixed, and is
// known by now to have had a side effect, when it was fixed.
func cameTo(r dera.Remediation) (at time.Time) {
	for i := len(r.Steps) - 1; i >= 0; i-- {
		s := r.Steps[i].State
		if s != r.State && !(r.State == dera.Collateral && s == dera.Resolved) {
			break
		}
		at = r.Steps[i].At
	}
	return at
}

// openSince is when a finding that was fixed at a moment had last come up.
func openSince(f dera.Finding, fixed time.Time) time.Time {
	since := f.FirstSeen
	for _, at := range openings(f) {
		if at.After(since) && !at.After(fixed) {
			since = at
		}
	}
	return since
}

// openings are when a finding was found open again, as far as that is known.
func openings(f dera.Finding) []time.Time {
	if f.Reopened.IsZero() || slices.ContainsFunc(f.Returns, f.Reopened.Equal) {
		return f.Returns
	}
	return append(slices.Clone(f.Returns), f.Reopened)
}

// next are the commands that go on from here.
func (o Overviews) next(v Overview, any bool) []Way {
	var out []Way
	add := func(what, command string) { out = append(out, Way{What: what, Command: command + o.Flags}) }
	if len(v.UnderWay) > 0 {
		out = append(out, Way{What: "finish what is half-done", Command: v.UnderWay[0].Command})
	}
	if len(v.Denied) > 0 {
		add("see what a change denied, and give it back or undo the change if that is in use", "dera show "+v.Denied[0].Remediation)
	}
	if len(v.Waiting) > 0 {
		add("decide about the plans that wait", "dera waiting")
	}
	if !any || v.NothingRead || len(v.Unreadable) > 0 {
		add("look at everything once", "dera scan")
	}
	if any {
		add("see the open findings", "dera findings")
	}
	add("see what dera would fix, and what is meant to stay", "dera report --candidates")
	add("check that dera has what it needs", "dera doctor")
	return out
}
