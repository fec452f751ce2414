package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/detect"
	"dera.example/dera/evaluate"
	"dera.example/dera/resource"
	"dera.example/dera/services"
	"dera.example/dera/source"
	ledger "dera.example/dera/usage"
)

// narrowingInput is what the part of a replay that is about unused permissions is made of.
type narrowingInput struct {
	paths, details []string
	gate           evaluate.Gate
	clock          *app.Clock
}

// narrowing replays what dera would have done about unused permissions; nil where no
// identity is known.
func (s *session) narrowing(ctx context.Context, rec app.Recording, in narrowingInput) (*app.NarrowedReport, error) {
	calls := rec.IdentityCalls()
	made := func(c cloudtrail.Call) bool {
		return slices.Contains([]string{"CreateRole", "CreateUser", "CreateGroup", "CreatePolicy"}, c.Name)
	}
	if len(in.details) == 0 && !slices.ContainsFunc(calls, made) {
		return nil, nil
	}
	accounts, err := narrowedAccounts(rec.Accounts(), in.details, calls)
	if err != nil {
		return nil, err
	}
	bar := s.app.newProgress("reading what was used")
	feed, err := s.readUse(ctx, in.paths, bar)
	bar.end()
	if err != nil {
		return nil, err
	}
	bar = s.app.newProgress("replaying permissions")
	defer bar.end()
	report, err := app.Narrowing{
		Accounts: accounts, Feed: feed, Detector: detect.Detector{Controls: unusedPermissions(), Settings: s.settings},
		Types: services.Types(), Gate: in.gate, Clock: in.clock, Progress: bar,
	}.Run(ctx, rec)
	return &report, err
}

// unusedPermissions are the controls of unused permissions.
func unusedPermissions() []control.Control {
	return slices.DeleteFunc(services.Controls(), func(c control.Control) bool { return !strings.HasSuffix(c.ID, "-unused-permissions") })
}

// narrowedAccounts are the accounts of a recording with their IAM as it was before the first event.
func narrowedAccounts(accounts []dera.Account, details []string, calls []cloudtrail.Call) (out []app.NarrowedAccount, err error) {
	known := map[string]*services.RecordedAccount{}
	for _, path := range details {
		text, err := readText(path)
		if err != nil {
			return nil, usage("--authorization-details: %w", err)
		}
		a, err := services.LoadRecorded(bytes.NewReader(text))
		if err != nil {
			return nil, usage("--authorization-details: %s: %w", path, err)
		}
		if known[a.ID()] != nil {
			return nil, usage("--authorization-details: %s: account %s has a file already", path, a.ID())
		}
		known[a.ID()] = a
		if !slices.ContainsFunc(accounts, func(x dera.Account) bool { return x.ID == a.ID() }) {
			accounts = append(accounts, dera.Account{ID: a.ID(), Partition: a.Partition()})
		}
	}
	for _, x := range accounts {
		if i := slices.IndexFunc(calls, func(c cloudtrail.Call) bool { return c.Account == x.ID }); x.Partition == "" && i >= 0 {
			x.Partition = calls[i].Partition
		}
		x.Partition = cmp.Or(x.Partition, dera.Partitions()[0].ID)
		was := known[x.ID]
		if was == nil {
			was = services.NewRecorded(x.Partition, x.ID)
		}
		was.Before(calls)
		out = append(out, app.NarrowedAccount{Account: x, Was: was, Is: was.Copy()})
	}
	return out, nil
}

// readUse reads what was used, for a ledger that is kept in memory and for nobody else.
func (s *session) readUse(ctx context.Context, paths []string, bar *progress) (*useFeed, error) {
	l := ledger.New(ledger.NewMemory(), s.app.now)
	f := &useFeed{usedBy{l, s.app.now, s.config.Permissions.window()}, ledger.NewDays()}
	for raw, err := range source.FilesExcept(func(cloudtrail.Unread) {}, paths...) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil { // the replay has reported it
			if !errors.Is(err, cloudtrail.ErrOtherEvent) {
				f.days.Unread()
			}
			continue
		}
		f.days.Take(raw.Body)
		bar.Step("reading what was used")
	}
	return f, f.days.Declare(ctx, l)
}

// useFeed is the usage ledger as the feed of package app.
type useFeed struct {
	usedBy
	days *ledger.Days
}

var _ app.UseFeed = (*useFeed)(nil)

// Span implements app.UseFeed.
func (f *useFeed) Span(account string) (from, to time.Time, silent int) { return f.days.Span(account) }

// Feed implements app.UseFeed.
func (f *useFeed) Feed(ctx context.Context, until time.Time) (out []app.CalledBy, err error) {
	list, err := f.days.Feed(ctx, f.Ledger, until)
	for _, act := range list {
		c := app.CalledBy{Principal: act.Key}
		for _, u := range act.Uses {
			c.Calls = append(c.Calls, resource.Call{
				Source: u.Action.Source, Name: u.Action.Name, First: u.First.Time(), Last: u.Last.Time(),
				Count: u.Count, Denied: u.Denied, LastDenied: u.LastDenied.Time(), Resources: u.Resources, More: u.More,
			})
		}
		out = append(out, c)
	}
	return out, err
}

// printNarrowed writes what became of unused permissions.
func (a *cli) printNarrowed(p paint, r app.NarrowedReport) {
	if len(r.Narrowed) > 0 {
		t := table{head: []string{"DAY", "POLICIES OF", "REMOVED", "DECISION", "LATER CALLS BROKEN"}}
		for _, n := range r.Narrowed[:min(len(r.Narrowed), app.MostListed)] {
			broken := "none"
			if len(n.Broken) > 0 || n.Undecided > 0 {
				broken = fmt.Sprintf("%d, and %d cannot be decided", brokenCalls(n.Broken), n.Undecided)
			}
			t.row(n.Day.UTC().Format(time.DateOnly), n.Resource.Resource(), narrowedActions(n.Actions), n.Decision.String(), broken)
		}
		t.print(a.out)
		a.more(len(r.Narrowed), "plans")
	}
	lines := 0
	for _, n := range r.Narrowed {
		for _, b := range n.Broken {
			if lines++; lines > app.MostListed {
				continue
			}
			a.wrapf("%s %s: %s of %s by %s, %s after %s lost it\n", p.colour("1", "would have broken"), b.Day.UTC().Format(time.DateOnly),
				counted(int(b.Calls), "call"), b.Action, b.Principal, counted(b.After, "day"), n.Resource.Resource())
		}
	}
	a.more(lines, "lines of calls that would have broken")
	if len(r.Waiting) > 0 {
		t := table{head: []string{"WAITS SINCE", "POLICIES OF", "UNUSED", "IN THE WAY"}}
		for _, w := range r.Waiting[:min(len(r.Waiting), app.MostListed)] {
			t.row(w.Since.UTC().Format(time.DateOnly), w.Resource.Resource(), narrowedActions(w.Actions), strings.Join(w.InTheWay, ", "))
		}
		t.print(a.out)
		a.more(len(r.Waiting), "findings that wait")
	}
	for _, u := range r.Unfollowed {
		a.wrapf("%s %s: %s\n", p.colour("3", "not followed"), app.Stamp(u.Time), u.Why)
	}
	s := r.Summary
	if s.Unknown > 0 {
		a.wrapf("%s: the policies of %d of %d principals are not known: give --authorization-details\n", p.colour("3", "partly known"), s.Unknown, s.Principals)
	}
	a.wrapf("%s: %d days to %s, of which %d have no event; %d plans would have removed %d actions automatically, %d findings wait for a person; of %d later calls of their principals %d would have been denied, %d cannot be decided\n",
		p.bold("permissions"), s.Days, app.Stamp(s.To), s.Silent, s.Plans, s.Removed, s.Waiting, s.Held, s.Broken, s.Undecided)
}

// more says how many of a list were not printed.
func (a *cli) more(n int, of string) {
	if n > app.MostListed {
		a.wrapf("%d more %s, which --output json has\n", n-app.MostListed, of)
	}
}

// narrowedActions are a few of many actions.
func narrowedActions(list []string) string {
	const most = 3
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}

func brokenCalls(list []app.BrokenCall) (n uint64) {
	for _, b := range list {
		n += b.Calls
	}
	return n
}
