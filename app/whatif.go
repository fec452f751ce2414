package app

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/source"
)

// RecordedUse is what one recorded event shows of use.
type RecordedUse struct {
	ID string
	At time.Time // zero where nobody can read it
	// Data says that it is a data event; else it is a management event.
	Data bool
	// Calls are those that were authorized: the call itself, with what it needs beside
	// itself, by the ARN or the key of the principal.
	Calls []proof.Call
	// Denied says that the call was denied.
	Denied bool
	// Fault is why the event cannot be read as a call although it may be one; "" else.
	Fault string
}

// UseReader reads events as the usage ledger counts them.
type UseReader interface{ Use(body []byte) RecordedUse }

// WhatIfQuestion is which calls count, of what was recorded.
type WhatIfQuestion struct {
	// Principals are keys as cloudtrail.Key makes them; none means everybody.
	Principals []string
	// Since leaves out what was called before; zero leaves out nothing.
	Since time.Time
}

// WhatIf is what would become of recorded calls where one policy takes the place of another.
type WhatIf struct {
	Over  WhatIfOver  `json:"over"`
	Calls WhatIfCalls `json:"calls"`
	// Rows are the calls that would be denied, and then those that cannot be decided, the
	// most frequent first: at most MostListed. LeftOut are how many more there are.
	Rows    []WhatIfRow `json:"rows"`
	LeftOut int         `json:"rows_left_out,omitempty"`
}

// WhatIfCalls counts calls, each once.
type WhatIfCalls struct {
	Held       uint64 `json:"held"`        // those that count, in one of the four below
	NotGranted uint64 `json:"not_granted"` // the old policy allows nothing of them: others did
	Kept       uint64 `json:"kept"`
	Denied     uint64 `json:"would_be_denied"`
	Undecided  uint64 `json:"undecided"`
}

// The fates of the rows.
const (
	RowDenied    = "denied"
	RowUndecided = "undecided"
)

// WhatIfRow is what a principal called alike.
type WhatIfRow struct {
	Fate      string    `json:"fate"` // denied or undecided
	Principal string    `json:"principal"`
	Source    string    `json:"source"`
	Event     string    `json:"event"`
	Action    string    `json:"action"`
	Why       string    `json:"why"`
	Calls     uint64    `json:"calls"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	// Resources are some that the calls named.
	Resources []string `json:"resources,omitempty"`
}

// WhatIfOver is over which set the answer is.
type WhatIfOver struct {
	From       time.Time `json:"from,omitzero"`
	To         time.Time `json:"to,omitzero"`
	Days       int       `json:"days"`             // from the first to the last event
	Silent     int       `json:"days_without"`     // of which so many have no event at all
	Files      int       `json:"files"`            // with events
	Events     int       `json:"events"`           // that were read
	Management int       `json:"management_calls"` // that were authorized, whoever called
	Data       int       `json:"data_calls"`
	Refused    int       `json:"denied_calls"` // which are no use
	Other      int       `json:"not_calls"`
	Duplicate  int       `json:"duplicate"`
	Unread     int       `json:"unreadable_events"`
	// Unheard are the principals that were asked about, by key, of which no authorized call counts.
	Unheard []string `json:"principals_without_calls,omitempty"`
	// Unreadable and LeftOut are lists of at most MostListed.
	Unreadable []UnreadableLine    `json:"unreadable,omitempty"`
	LeftOut    []cloudtrail.Unread `json:"left_out,omitempty"`
}

// ask is the question under way.
type ask struct {
	WhatIf
	WhatIfQuestion
	calls *proof.CallsBeside
	fates map[string]outcome
	rows  map[string]*WhatIfRow
	seen  map[string]bool // IDs of events
	heard map[string]bool // principals that were asked about
	days  map[int64]bool
	files map[string]bool
}

// outcome is the answer about calls that are alike.
type outcome struct {
	granted     bool
	fate        proof.Fate
	action, why string
}

// AskWhatIf reads the history and decides every authorized call of it, with two policies
// alone: what other policies of the principals allow, such as those of resources, is not known. It
// fails with [ErrNoFile] where a path does not exist.
func AskWhatIf(ctx context.Context, old, fresh *policy.Document, paths []string, q WhatIfQuestion, reader UseReader, bar Progress) (WhatIf, error) {
	a := &ask{
		WhatIfQuestion: q, calls: proof.NewCalls([]*policy.Document{old}, []*policy.Document{fresh}).Beside(nil),
		fates: map[string]outcome{}, rows: map[string]*WhatIfRow{}, seen: map[string]bool{}, heard: map[string]bool{}, days: map[int64]bool{}, files: map[string]bool{},
	}
	leave := func(f cloudtrail.Unread) {
		if len(a.Over.LeftOut) < MostListed {
			a.Over.LeftOut = append(a.Over.LeftOut, f)
		}
	}
	for raw, err := range source.FilesExcept(leave, paths...) {
		switch {
		case ctx.Err() != nil:
			return a.WhatIf, ctx.Err()
		case err == nil:
			bar.Step(filepath.Base(raw.File))
			a.files[raw.File] = true
			a.take(reader.Use(raw.Body), raw.Position())
		case errors.Is(err, fs.ErrNotExist) && slices.Contains(paths, raw.File):
			return a.WhatIf, noFileError{err}
		case errors.Is(err, cloudtrail.ErrOtherEvent):
			a.Over.Events++
			a.Over.Other++
		default:
			a.unread(raw.Position(), err.Error())
		}
	}
	a.end()
	return a.WhatIf, nil
}

func (a *ask) unread(position, why string) {
	a.Over.Events++
	a.Over.Unread++
	if len(a.Over.Unreadable) < MostListed {
		a.Over.Unreadable = append(a.Over.Unreadable, UnreadableLine{position, why})
	}
}

// take counts one event.
func (a *ask) take(u RecordedUse, position string) {
	if u.Fault != "" {
		a.unread(position, u.Fault)
		return
	}
	a.Over.Events++
	if u.ID != "" && a.seen[u.ID] {
		a.Over.Duplicate++
		return
	}
	a.seen[u.ID] = true
	if !u.At.IsZero() {
		a.days[u.At.Unix()/86400] = true
		if a.Over.From.IsZero() || u.At.Before(a.Over.From) {
			a.Over.From = u.At
		}
		if u.At.After(a.Over.To) {
			a.Over.To = u.At
		}
	}
	switch {
	case u.Denied:
		a.Over.Refused++
	case len(u.Calls) == 0:
		a.Over.Other++
	case u.Data:
		a.Over.Data++
	default:
		a.Over.Management++
	}
	for _, c := range u.Calls {
		by := slices.IndexFunc(a.Principals, func(p string) bool { return strings.EqualFold(p, cloudtrail.Key(c.Principal)) })
		if len(a.Principals) > 0 && by < 0 || u.At.Before(a.Since) {
			continue
		}
		if by >= 0 {
			a.heard[a.Principals[by]] = true
		}
		a.hold(c, u.At)
	}
}

// hold decides one call; those that are alike are decided once.
func (a *ask) hold(c proof.Call, at time.Time) {
	key := strings.Join(append([]string{c.Principal, c.Source, c.Name}, c.Resources...), "\x00")
	f, ok := a.fates[key]
	if !ok {
		f = a.tell(c)
		a.fates[key] = f
	}
	a.Calls.Held++
	fate := ""
	switch {
	case !f.granted:
		a.Calls.NotGranted++
	case f.fate == proof.AllowedStill:
		a.Calls.Kept++
	case f.fate == proof.WouldBeDenied:
		a.Calls.Denied++
		fate = RowDenied
	default:
		a.Calls.Undecided++
		fate = RowUndecided
	}
	if fate == "" {
		return
	}
	key = strings.Join([]string{fate, c.Principal, c.Source, c.Name, f.action, f.why}, "\x00")
	r := a.rows[key]
	if r == nil {
		r = &WhatIfRow{Fate: fate, Principal: c.Principal, Source: c.Source, Event: c.Name, Action: f.action, Why: f.why, First: at}
		a.rows[key] = r
	}
	r.Calls++
	if at.Before(r.First) {
		r.First = at
	}
	if at.After(r.Last) {
		r.Last = at
	}
	const most = 3
	for _, on := range c.Resources {
		if len(r.Resources) < most && !slices.Contains(r.Resources, on) {
			r.Resources = append(r.Resources, on)
			slices.Sort(r.Resources)
		}
	}
}

func (a *ask) tell(c proof.Call) (f outcome) {
	if f.granted = a.calls.Grants(c); !f.granted {
		return f
	}
	f.fate, f.action = a.calls.Decide(c)
	if f.fate == proof.Undecided {
		if action, lost := a.calls.Lost(c); lost {
			f.fate, f.action = proof.WouldBeDenied, action
		}
	}
	switch {
	case f.fate == proof.WouldBeDenied:
		f.why = a.calls.Why(c, f.action)
	case f.fate == proof.Undecided && len(c.Resources) == 0:
		f.why = "the record does not name all resources of the call, and the new policy allows less of " + f.action
	case f.fate == proof.Undecided:
		f.why = "it depends on what the record does not hold, such as the keys of conditions, and the new policy allows less of " + f.action
	}
	return f
}

// end puts the rows in order.
func (a *ask) end() {
	a.Over.Files = len(a.files)
	if !a.Over.From.IsZero() {
		a.Over.Days = int(a.Over.To.Unix()/86400-a.Over.From.Unix()/86400) + 1
		a.Over.Silent = a.Over.Days - len(a.days)
	}
	for _, p := range a.Principals {
		if !a.heard[p] {
			a.Over.Unheard = append(a.Over.Unheard, p)
		}
	}
	a.Rows = []WhatIfRow{}
	for _, r := range a.rows {
		a.Rows = append(a.Rows, *r)
	}
	slices.SortFunc(a.Rows, func(x, y WhatIfRow) int {
		return cmp.Or(strings.Compare(x.Fate, y.Fate), cmp.Compare(y.Calls, x.Calls), strings.Compare(x.Principal+x.Source+x.Event+x.Action+x.Why, y.Principal+y.Source+y.Event+y.Action+y.Why))
	})
	if len(a.Rows) > MostListed {
		a.LeftOut, a.Rows = len(a.Rows)-MostListed, a.Rows[:MostListed]
	}
}
