package usage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// Days collects recorded events by the day, in UTC, on which they happened, so that a ledger can be fed as the
// days passed: what it answers of a day holds nothing of the days after it. All of it is in
// memory. It is not safe for concurrent use.
type Days struct {
	days   map[Second]*aggregate // by the begin of the day
	active map[string]map[Second]bool
	places map[string]map[string]bool // regions by account
	lost   map[Reason]int
	reader Events
	first  Second // the hour of the first event
	last   Second // of the last one
	next   Second // the day that Feed has not fed yet
}

// NewDays returns an empty one.
func NewDays() *Days {
	return &Days{days: map[Second]*aggregate{}, active: map[string]map[Second]bool{}, places: map[string]map[string]bool{}, lost: map[Reason]int{}}
}

const aDay = Second(24 * 3600)

// Take notes one event, in any form in which CloudTrail hands it out.
func (d *Days) Take(body []byte) Reason {
	f, err := d.reader.fieldsOf(body)
	if err != nil {
		why := reasonOf(err)
		if why.Lost() {
			d.lost[why]++
		}
		return why
	}
	at, ok := parseTime(cloudtrail.Text(f.Time))
	if !ok {
		d.lost[NoTime]++
		return NoTime
	}
	day := Second(at) / aDay * aDay
	a := d.days[day]
	if a == nil {
		a = newAggregate()
		d.days[day] = a
	}
	why := a.add(f, Verified)
	account, region := string(cloudtrail.Text(f.Account)), string(cloudtrail.Text(f.Region))
	if account == "" || region == "" {
		return why
	}
	if d.active[account] == nil {
		d.active[account], d.places[account] = map[Second]bool{}, map[string]bool{}
	}
	d.active[account][day], d.places[account][region] = true, true
	if hour := Second(at) / 3600 * 3600; d.first == 0 || hour < d.first {
		d.first = hour
	}
	d.last = max(d.last, Second(at))
	return why
}

// Unread notes an event that could not be read at all.
func (d *Days) Unread() { d.lost[Unreadable]++ }

// Lost are the events that may have been a use of which nobody knows, by why.
func (d *Days) Lost() map[Reason]int { return maps.Clone(d.lost) }

// Span is from the hour of the first event up to the end of the day of the last one, and how
// many of its days have no event of an account; zero times where there is no event.
func (d *Days) Span(account string) (from, to time.Time, silent int) {
	if d.first == 0 {
		return time.Time{}, time.Time{}, 0
	}
	end := d.last/aDay*aDay + aDay
	for day := d.first / aDay * aDay; day < end; day += aDay {
		if !d.active[account][day] {
			silent++
		}
	}
	return d.first.Time(), end.Time(), silent
}

// Declare says to a ledger that the files hold all management events of their accounts and regions, from
// the first event on. Nobody can tell that from files: it is taken on the word of whoever
// named them. Data events are not declared. Where events were lost, which may be a use by
// anybody at any time, that is a gap of all of it.
func (d *Days) Declare(ctx context.Context, l *Ledger) error {
	n := int64(0)
	for _, lost := range d.lost {
		n += int64(lost)
	}
	if n > 0 {
		if err := l.store.CommitUsage(ctx, Batch{Marks: []Mark{{File: "days", Name: "what was replayed", Done: true, Records: n, Lost: n}}}); err != nil {
			return fmt.Errorf("declare what was lost: %w", err)
		}
	}
	for _, account := range slices.Sorted(maps.Keys(d.places)) {
		if err := l.Declare(ctx, Coverage{Accounts: []string{account}, Regions: d.regions(account), Since: d.first, RuleState: RuleWithReads}); err != nil {
			return fmt.Errorf("declare what is recorded of %s: %w", account, err)
		}
	}
	return nil
}

// regions are those of an account, and the one where IAM's events are recorded.
func (d *Days) regions(account string) []string {
	out := slices.Sorted(maps.Keys(d.places[account]))
	if home := dera.PartitionOf(out[0]).Home; !slices.Contains(out, home) {
		out = append(out, home)
	}
	return out
}

// Feed commits the events of the days that ended by a time, once each, and returns what
// was used on them. Each of their hours counts as recorded whole, but those of a day without
// any event of the account: they are a gap.
func (d *Days) Feed(ctx context.Context, l *Ledger, until time.Time) ([]Activity, error) {
	var used [][]Activity
	if d.next == 0 {
		d.next = d.first / aDay * aDay
	}
	for ; d.first != 0 && d.next+aDay <= SecondOf(until); d.next += aDay {
		a := d.days[d.next]
		if a == nil {
			continue
		}
		b, err := a.batch(nil)
		if err != nil {
			return nil, err
		}
		hours := map[place]*Hours{}
		for _, h := range b.Hours {
			hours[place{h.Account, h.Region, h.Month}] = &h
		}
		for account := range d.active {
			if d.active[account][d.next] {
				d.whole(hours, account)
			}
		}
		b.Hours = nil
		for _, h := range hours {
			b.Hours = append(b.Hours, *h)
		}
		a.each(func(_ int, list []Activity) { used = append(used, list) })
		if err := l.store.CommitUsage(ctx, b); err != nil {
			return nil, fmt.Errorf("feed the ledger: %w", err)
		}
		delete(d.days, d.next)
	}
	all := slices.Concat(used...)
	slices.SortStableFunc(all, func(a, b Activity) int { return strings.Compare(a.Key, b.Key) })
	var out []Activity
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].Key == all[0].Key {
			n++
		}
		out, all = append(out, union(all[:n])), all[n:]
	}
	return out, l.store.CompactUsage(ctx, mostRuns, time.Time{})
}

// whole notes the hours of the day as recorded whole.
func (d *Days) whole(hours map[place]*Hours, account string) {
	for _, region := range d.regions(account) {
		h := hoursOf(hours, account, region, d.next.Time(), func() {})
		for at := max(d.next, d.first); at < d.next+aDay; at += 3600 {
			t := at.Time()
			h.set((t.Day()-1)*24+t.Hour(), true)
		}
	}
}
