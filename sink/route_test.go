package sink

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func routesOf(change func(*RoutesConfig)) *Routes {
	cfg := RoutesConfig{
		Routes: []Route{
			{What: []string{WhatFixed, WhatDecided}, Sinks: []string{"log"}, Digest: Span(24 * time.Hour)},
			{Severity: dera.Critical, Sinks: []string{"pager"}, Continue: true},
			{OU: "prod*", Sinks: []string{"sec"}, ToOwner: true},
			{Severity: dera.High, Account: "1*", Control: "ec2-*", Sinks: []string{"sec", "log"}},
		},
		OwnersFirst: 15 * time.Minute, Owners: map[string][]string{"team-a": {"team-a.slack"}},
		OU:     func(account string) string { return map[string]string{"111122223333": "prod/eu"}[account] },
		People: func(s string) bool { return s != "log" },
	}
	if change != nil {
		change(&cfg)
	}
	return NewRoutes(cfg)
}

func textOfDeliveries(list []Delivery, now time.Time) string {
	var out []string
	for _, d := range list {
		text := d.Sink + "+" + d.Due.Sub(now).String()
		if d.Digest != "" {
			text += "/digest"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

func TestRoute(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-11-30T12:00:00Z")
	night := []Quiet{{From: "22:00", To: "07:00", Zone: "Europe/Berlin", Except: dera.Critical}}
	for name, tt := range map[string]struct {
		change func(*RoutesConfig)
		m      func(*Message)
		now    string
		want   string
	}{
		"owner_first":               {nil, func(m *Message) {}, "", "team-a.slack+0s sec+15m0s"},
		"critical_to_both":          {nil, func(m *Message) { m.Severity = dera.Critical }, "", "pager+0s sec+0s team-a.slack+0s"},
		"unowned":                   {nil, func(m *Message) { m.Owner = "" }, "", "sec+0s"},
		"owner_without_a_sink":      {nil, func(m *Message) { m.Owner = "team-b" }, "", "sec+0s"},
		"digest":                    {nil, func(m *Message) { m.What = WhatFixed }, "", "log+12h0m0s/digest"},
		"critical_is_in_no_digest":  {nil, func(m *Message) { m.What, m.Severity = WhatFixed, dera.Critical }, "", "log+0s"},
		"expires_before_the_digest": {nil, func(m *Message) { m.What, m.Until = WhatDecided, now.Add(12*time.Hour) }, "", "log+0s"},
		"alarm_has_no_severity":     {nil, func(m *Message) { *m = Message{What: WhatAlarm} }, "", "pager+0s"},
		"no_route":                  {nil, func(m *Message) { m.Account, m.Severity = "222233334444", dera.Low }, "", ""},
		"no_route_but_a_default":    {func(c *RoutesConfig) { c.Default = "all" }, func(m *Message) { m.Account = "222233334444" }, "", "all+0s"},
		"last_route":                {nil, func(m *Message) { m.Account = "199922223333" }, "", "log+0s sec+0s"},
		"code":                      {func(c *RoutesConfig) { c.Code = "github" }, func(m *Message) {}, "", "github+0s team-a.slack+0s sec+15m0s"},
		"quiet":                     {func(c *RoutesConfig) { c.Quiet = night }, func(m *Message) {}, "2026-11-30T22:30:00Z", "sec+7h30m0s team-a.slack+7h30m0s"},
		"quiet_before_midnight":     {func(c *RoutesConfig) { c.Quiet = night }, func(m *Message) {}, "2026-11-30T20:50:00Z", "team-a.slack+0s sec+9h10m0s"},
		"quiet_but_critical":        {func(c *RoutesConfig) { c.Quiet = night }, func(m *Message) { m.Severity = dera.Critical }, "2026-11-30T22:30:00Z", "pager+0s sec+0s team-a.slack+0s"},
		"quiet_over_the_spring":     {func(c *RoutesConfig) { c.Quiet = night }, func(m *Message) { m.Owner = "" }, "2026-03-28T23:00:00Z", "sec+6h0m0s"},
		"quiet_over_the_autumn":     {func(c *RoutesConfig) { c.Quiet = night }, func(m *Message) { m.Owner = "" }, "2026-10-24T22:00:00Z", "sec+8h0m0s"},
		"quiet_is_for_people":       {func(c *RoutesConfig) { c.Quiet = night }, func(m *Message) { m.Account = "199922223333" }, "2026-11-30T22:00:00Z", "log+0s sec+8h0m0s"},
		"quiet_and_expires_in_it":   {func(c *RoutesConfig) { c.Quiet = night }, func(m *Message) { m.Owner, m.Until = "", at(t, "2026-12-01T06:30:00Z") }, "2026-11-30T22:00:00Z", "sec+0s"},
		"weekend_follows_the_night": {func(c *RoutesConfig) {
			c.Quiet = append(night, Quiet{From: "00:00", To: "24:00", Zone: "Europe/Berlin", Days: []string{"sat", "sun"}})
		}, func(m *Message) { m.Owner = "" }, "2026-11-27T22:00:00Z", "sec+56h0m0s"},
		"begins_on_no_such_day": {func(c *RoutesConfig) {
			c.Quiet = []Quiet{{From: "22:00", To: "07:00", Zone: "UTC", Days: []string{"fri"}}}
		}, func(m *Message) { m.Owner = "" }, "2026-11-29T23:00:00Z", "sec+0s"},
		"always_quiet_drops_nothing": {func(c *RoutesConfig) {
			c.Quiet = []Quiet{{From: "00:00", To: "12:00", Zone: "UTC"}, {From: "12:00", To: "24:00", Zone: "UTC"}}
		}, func(m *Message) { m.Owner = "" }, "", "sec+0s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, m, now := routesOf(tt.change), sample(), now
			m.Owner, m.Until = "team-a", time.Time{}
			tt.m(&m)
			if tt.now != "" {
				now = at(t, tt.now)
			}
			if got := textOfDeliveries(r.Route(m, now), now); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if want := int64(0); strings.HasPrefix(name, "no_route") {
				if want++; r.Unrouted() != want {
					t.Errorf("unrouted: got %d, want %d", r.Unrouted(), want)
				}
			} else if r.Unrouted() != 0 {
				t.Errorf("unrouted: got %d", r.Unrouted())
			}
		})
	}
}

func TestEscalations(t *testing.T) {
	t.Parallel()
	since := at(t, "2026-11-30T12:00:00Z")
	r := routesOf(func(c *RoutesConfig) {
		c.Escalations = []Escalation{{After: Span(4 * time.Hour), Sinks: []string{"pager"}}, {After: Span(time.Hour), Sinks: []string{"lead", "pager"}}}
	})
	m := sample()
	if got, want := textOfDeliveries(r.Escalations(m, since), since), "lead+1h0m0s pager+1h0m0s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	m.Until = since.Add(90 * time.Minute)
	if got, want := textOfDeliveries(r.Escalations(m, since), since), "lead+30m0s pager+30m0s"; got != want {
		t.Errorf("while somebody can answer: got %q, want %q", got, want)
	}
	m.What = WhatFixed
	if got := r.Escalations(m, since); len(got) > 0 {
		t.Errorf("what is done: got %v", got)
	}
}

// TestRouteLosesNothing: whatever the routes and the hour are, a message that a route
// matches, or that has a default, is sent: once to a sink, not before now, and before the
// answer comes too late; a digest has one time and one sink.
func TestRouteLosesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		one := func(list ...string) string { return list[rnd.IntN(len(list))] }
		cfg := RoutesConfig{OwnersFirst: time.Duration(rnd.IntN(60)) * time.Minute, Default: "default", Owners: map[string][]string{"a": {"oa", "ob"}}, People: func(s string) bool { return s != "x" }}
		for range rnd.IntN(4) {
			r := Route{Severity: dera.Severity(rnd.IntN(5)), Account: one("", "1", "2*"), Owner: one("", "a"), Sinks: []string{one("x", "y", "z"), one("x", "y")}, ToOwner: rnd.IntN(2) == 0, Continue: rnd.IntN(2) == 0}
			if rnd.IntN(2) == 0 {
				r.What = []string{one(Whats()...)}
			}
			if rnd.IntN(2) == 0 {
				r.Digest = Span(time.Duration(1+rnd.IntN(48)) * time.Hour)
			}
			cfg.Routes = append(cfg.Routes, r)
		}
		for range rnd.IntN(4) {
			q := Quiet{From: fmt.Sprintf("%02d:%02d", rnd.IntN(24), rnd.IntN(60)), To: fmt.Sprintf("%02d:%02d", rnd.IntN(24), rnd.IntN(60)), Zone: one("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"), Except: dera.Severity(rnd.IntN(5))}
			if rnd.IntN(2) == 0 {
				q.Days = []string{one(weekdays()...), one(weekdays()...)}
			}
			cfg.Quiet = append(cfg.Quiet, q)
		}
		now := time.Date(2026, time.Month(1+rnd.IntN(12)), 1+rnd.IntN(28), rnd.IntN(24), rnd.IntN(60), 0, 0, time.UTC)
		m := Message{What: one(Whats()...), Severity: dera.Severity(rnd.IntN(5)), Account: one("1", "2", "3"), Owner: one("", "a", "b")}
		if rnd.IntN(2) == 0 {
			m.Until = now.Add(time.Duration(rnd.IntN(200)) * time.Hour)
		}
		r := NewRoutes(cfg)
		got := r.Route(m, now)
		if len(got) == 0 || r.Unrouted() > 0 != (len(r.Matching(m)) == 0) {
			t.Fatalf("seed %d: got %v, unrouted %d: %+v", seed, got, r.Unrouted(), cfg)
		}
		var sinks []string
		for _, d := range got {
			if d.Due.Before(now) || d.Due.Sub(now) > 14*24*time.Hour || slices.Contains(sinks, d.Sink) {
				t.Fatalf("seed %d: got %v, now %s", seed, got, now)
			}
			if !m.Until.IsZero() && d.Due.After(now) && !d.Due.Before(m.Until) {
				t.Fatalf("seed %d: %s gets it at %s, after the answer is due at %s", seed, d.Sink, d.Due, m.Until)
			}
			if m.Severity == dera.Critical && d.Digest != "" {
				t.Fatalf("seed %d: critical in a digest", seed)
			}
			sinks = append(sinks, d.Sink)
		}
		for _, i := range r.Matching(m) {
			for _, s := range cfg.Routes[i].Sinks {
				if !slices.Contains(sinks, s) {
					t.Fatalf("seed %d: %s gets nothing of route %d", seed, s, i)
				}
			}
		}
	}
}
