package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/services"
)

// fakeAggregate is an aggregator of pages; it fails where fail is set.
type fakeAggregate struct {
	pages  [][]Failing
	unread int
	fail   error
	asked  []string
}

func (f *fakeAggregate) Page(_ context.Context, token string) ([]Failing, int, string, error) {
	f.asked = append(f.asked, token)
	if f.fail != nil {
		return nil, 0, "", f.fail
	}
	n := 0
	_, _ = fmt.Sscan(token, &n)
	next := ""
	if n+1 < len(f.pages) {
		next = fmt.Sprint(n + 1)
	}
	return f.pages[n], f.unread, next, nil
}

// fakePlace is in memory.
type fakePlace struct {
	seen time.Time
	last Filled
	fail error
}

func (p *fakePlace) Seen(context.Context) (time.Time, error) { return p.seen, p.fail }

func (p *fakePlace) Note(_ context.Context, f Filled) error {
	if p.last = f; f.Err == nil {
		p.seen = f.To
	}
	return nil
}

// TestAggregator: all of it is hints the first time, then what is new, up to a page of which all was seen.
// What is of another account, and what cannot be read, is counted.
func TestAggregator(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	group := func(id string, before time.Duration) Failing {
		return Failing{ours, home, "AWS::EC2::SecurityGroup", id, now.Add(-before)}
	}
	refused := errors.New("refused")
	for name, tc := range map[string]struct {
		aggregate  fakeAggregate
		seen       time.Time
		most       int
		handle     error
		want, asks string
		failing    int64
		cut, fails bool
	}{
		"the_first_time_all": {aggregate: fakeAggregate{pages: [][]Failing{{group("sg-1", time.Minute)}, {group("sg-2", 9000*time.Hour)}}}, want: "sg-1 sg-2", asks: " 1", failing: 2},
		"then_what_is_new": {aggregate: fakeAggregate{pages: [][]Failing{{group("sg-1", time.Minute), group("sg-2", 5*time.Hour)}, {group("sg-3", 6*time.Hour)}, {group("sg-4", 7*time.Hour)}}},
			seen: now.Add(-2 * time.Hour), want: "sg-1", asks: " 1", failing: 1},
		"late_ones_too":         {aggregate: fakeAggregate{pages: [][]Failing{{group("sg-1", 150*time.Minute)}}}, seen: now.Add(-2 * time.Hour), want: "sg-1", asks: "", failing: 1},
		"without_a_time_always": {aggregate: fakeAggregate{pages: [][]Failing{{{Account: ours, Region: home, Type: "AWS::EC2::SecurityGroup", ID: "sg-9"}}}}, seen: now, want: "sg-9", failing: 1},
		"of_another_account":    {aggregate: fakeAggregate{pages: [][]Failing{{{"999988887777", home, "AWS::EC2::SecurityGroup", "sg-1", now}}}}, failing: 1},
		"of_no_type_of_ours":    {aggregate: fakeAggregate{pages: [][]Failing{{{ours, home, "AWS::Kinesis::Stream", "s", now}}}}, failing: 1},
		"unread":                {aggregate: fakeAggregate{pages: [][]Failing{{group("sg-1", 0)}}, unread: 3}, want: "sg-1", failing: 1},
		"cut":                   {aggregate: fakeAggregate{pages: [][]Failing{{group("sg-1", 0)}, {group("sg-2", 0)}, {group("sg-3", 0)}}}, most: 2, want: "sg-1 sg-2", asks: " 1", failing: 2, cut: true},
		"refused":               {aggregate: fakeAggregate{fail: refused}, seen: now.Add(-time.Hour), fails: true},
		"not_committed":         {aggregate: fakeAggregate{pages: [][]Failing{{group("sg-1", 0)}}}, handle: refused, want: "sg-1", fails: true, failing: 1},
		"empty":                 {aggregate: fakeAggregate{pages: [][]Failing{{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := &fakePlace{seen: tc.seen}
			a, err := NewAggregator(AggregatorConfig{Accounts: []string{ours}, Aggregate: &tc.aggregate, Place: place, Watch: services.Watch(), Every: time.Hour, Most: tc.most, Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			var failing, unread int64
			err = a.look(t.Context(), func(_ context.Context, d Delivery) error {
				for _, e := range d.Events {
					got = append(got, e.Scope.IDs...)
					if e.Scope.Account != ours || e.Scope.Type != "AWS::EC2::SecurityGroup" {
						t.Errorf("got %+v", e)
					}
				}
				failing, unread = failing+d.Tallies[AggregatorFailing], unread+d.Tallies[AggregatorUnread]
				if d.Kinds != nil || d.Raw != nil {
					t.Errorf("got kinds %v and %d raw events: it is no sign of the queue", d.Kinds, len(d.Raw))
				}
				return tc.handle
			})
			slices.Sort(got)
			if err != nil || strings.Join(got, " ") != tc.want || strings.Join(tc.aggregate.asked, " ") != tc.asks || failing != tc.failing || unread != int64(tc.aggregate.unread) || place.last.Cut != tc.cut {
				t.Errorf("got %v, %v after asking %q, %d failing, %d unread, %+v", got, err, tc.aggregate.asked, failing, unread, place.last)
			}
			if moved := place.seen.Equal(now); moved == tc.fails && !tc.seen.Equal(now) || (place.last.Err != nil) != tc.fails {
				t.Errorf("got %+v and seen up to %s", place.last, place.seen)
			}
		})
	}
	for name, cfg := range map[string]AggregatorConfig{
		"nothing": {}, "no_accounts": {Aggregate: &fakeAggregate{}, Place: &fakePlace{}, Every: 1}, "no_interval": {Accounts: []string{ours}, Aggregate: &fakeAggregate{}, Place: &fakePlace{}},
	} {
		if _, err := NewAggregator(cfg); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	b, err := NewAggregator(AggregatorConfig{Accounts: []string{ours}, Aggregate: &fakeAggregate{}, Place: &fakePlace{fail: refused}, Watch: services.Watch(), Every: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.look(t.Context(), nil); !errors.Is(err, refused) {
		t.Errorf("the place cannot be read: got %v", err)
	}
}
