package sink

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"dera.example/dera"
)

// Route sends the messages that it matches to sinks. Empty fields match everything.
type Route struct {
	Severity dera.Severity `yaml:"severity,omitempty" json:"severity,omitempty" jsonschema:"enum=low,enum=medium,enum=high,enum=critical" jsonschema_description:"At least this severe. What has no severity, such as an alarm of dera itself, matches too."`
	What     []string      `yaml:"what,omitempty" json:"what,omitempty" jsonschema_description:"What messages are about: finding, waiting, decided, fixed, failed, rolled_back, expired, rejected, denied, access, stop, alarm, escalation. Default: all."`
	Control  string        `yaml:"control,omitempty" json:"control,omitempty" jsonschema_description:"Control ID or glob."`
	Account  string        `yaml:"account,omitempty" json:"account,omitempty" jsonschema_description:"Account ID or glob."`
	OU       string        `yaml:"ou,omitempty" json:"ou,omitempty" jsonschema_description:"Organizational unit of the account, or glob."`
	Owner    string        `yaml:"owner_is,omitempty" json:"owner_is,omitempty" jsonschema_description:"Owner or glob."`
	Sinks    []string      `yaml:"sinks,omitempty" json:"sinks,omitempty" jsonschema_description:"Names of sinks."`
	ToOwner  bool          `yaml:"owner,omitempty" json:"owner,omitempty" jsonschema_description:"The owner gets them too, and first. Default: false."`
	Digest   Span          `yaml:"digest,omitempty" json:"digest,omitempty" jsonschema:"type=string" jsonschema_description:"Joined to one message an hour (hourly, 1h), a day (daily, 24h) or any other span, in UTC. Critical ones, and what would expire before, are sent at once."`
	Continue bool          `yaml:"continue,omitempty" json:"continue,omitempty" jsonschema_description:"Later routes that match get them too. Default: the first route that matches is the last."`
}

// Escalation is who gets what nobody answered.
type Escalation struct {
	After Span     `yaml:"after" json:"after" jsonschema:"type=string" jsonschema_description:"How long nobody answered, for example 4h."`
	Sinks []string `yaml:"sinks" json:"sinks" jsonschema_description:"Names of sinks."`
}

// RoutesConfig is what decides who gets what. It must be valid (Config.Validate).
type RoutesConfig struct {
	Routes      []Route
	Quiet       []Quiet
	Escalations []Escalation
	OwnersFirst time.Duration       // by how much owners are ahead; 0 is not at all
	Owners      map[string][]string // sinks of owners
	Default     string              // sink of what no route matches; "" for none
	Code        string              // sink that gets what waits for an approval as well, for changes of code; "" for none
	OU          func(account string) string
	People      func(sink string) bool // whether people read it, so that it knows quiet hours
}

// Routes decides by the configuration. Safe for concurrent use.
type Routes struct {
	cfg      RoutesConfig
	unrouted atomic.Int64
}

// NewRoutes returns the router.
func NewRoutes(cfg RoutesConfig) *Routes {
	if cfg.OU == nil {
		cfg.OU = func(string) string { return "" }
	}
	if cfg.People == nil {
		cfg.People = func(string) bool { return true }
	}
	return &Routes{cfg: cfg}
}

var _ Router = (*Routes)(nil)

// Unrouted is how many messages no route matched since the start, whether a default sink
// got them or not.
func (r *Routes) Unrouted() int64 { return r.unrouted.Load() }

// Route implements Router. A sink gets a message once: as early as any of the routes says.
// The result is sorted by time, then by name; it is empty only for a message that no
// route matches while there is no default sink.
func (r *Routes) Route(m Message, now time.Time) []Delivery {
	routes := r.Matching(m)
	var out deliveries
	if len(routes) == 0 {
		r.unrouted.Add(1)
		if r.cfg.Default != "" {
			out.add(r.at(m, Delivery{Sink: r.cfg.Default, Due: now}, now))
		}
	}
	owners := r.owners(m, routes)
	for _, s := range owners {
		out.add(r.at(m, Delivery{Sink: s, Due: now}, now))
	}
	later := now
	if len(owners) > 0 && !urgent(m) {
		later = now.Add(r.cfg.OwnersFirst)
	}
	for _, i := range routes {
		route := r.cfg.Routes[i]
		for _, s := range route.Sinks {
			d := Delivery{Sink: s, Due: later}
			if span := time.Duration(route.Digest); span > 0 && !urgent(m) {
				d.Due = now.UTC().Truncate(span).Add(span)
				d.Digest = fmt.Sprintf("%s/%d/%d", s, i, d.Due.Unix())
			}
			out.add(r.at(m, d, now))
		}
	}
	if r.cfg.Code != "" && m.What == WhatWaiting && m.Remediation != "" {
		out.add(Delivery{Sink: r.cfg.Code, Due: now})
	}
	return out.sorted()
}

// Escalations are the deliveries of a message that nobody answered since a time, each due
// when its span is over. The one who keeps them asks before each whether it is answered
// now. Only a plan that waits, an access that is asked for, and an alarm can be.
func (r *Routes) Escalations(m Message, since time.Time) []Delivery {
	if m.What != WhatWaiting && m.What != WhatAlarm && m.What != WhatAccess {
		return nil
	}
	var out deliveries
	for _, e := range r.cfg.Escalations {
		for _, s := range e.Sinks {
			due := since.Add(time.Duration(e.After))
			if last := m.Until.Add(-answerTime); !m.Until.IsZero() && due.After(last) { // later nobody could answer
				due = last
			}
			out.add(r.at(m, Delivery{Sink: s, Due: due}, due))
		}
	}
	return out.sorted()
}

// Matching are the routes that a message takes, by index.
func (r *Routes) Matching(m Message) (out []int) {
	fits := func(glob, s string) bool { return glob == "" || dera.MatchGlob(glob, s) }
	for i, x := range r.cfg.Routes {
		if m.Severity != 0 && m.Severity < x.Severity || len(x.What) > 0 && !slices.Contains(x.What, m.What) || !fits(x.Control, m.Control) ||
			!fits(x.Account, m.Account) || !fits(x.Owner, m.Owner) || x.OU != "" && !dera.MatchGlob(x.OU, r.cfg.OU(m.Account)) {
			continue
		}
		out = append(out, i)
		if !x.Continue {
			return out
		}
	}
	return out
}

// owners are the sinks of the message's owner, where a route names the owner.
func (r *Routes) owners(m Message, routes []int) []string {
	if m.Owner == "" || !slices.ContainsFunc(routes, func(i int) bool { return r.cfg.Routes[i].ToOwner }) {
		return nil
	}
	return r.cfg.Owners[m.Owner]
}

// urgent reports whether a message waits for nobody: it is critical, or about dera itself.
func urgent(m Message) bool {
	return m.Severity == dera.Critical || m.What == WhatAlarm || m.What == WhatStop || m.What == WhatEscalation || m.What == WhatTest
}

// at moves a delivery out of quiet hours, and to now where it would come too late for an
// answer.
func (r *Routes) at(m Message, d Delivery, now time.Time) Delivery {
	if m.What != WhatTest && r.cfg.People(d.Sink) {
		d.Due = r.loud(m, d.Due)
	}
	if !m.Until.IsZero() && d.Due.After(now) && !d.Due.Before(m.Until.Add(-answerTime)) {
		d.Due, d.Digest = now, ""
	}
	return d
}

// answerTime is what is left at least for an answer.
const answerTime = time.Hour

// loud is the first time from at on that is not in quiet hours of the message. Should
// there be none within nine days, it is at.
func (r *Routes) loud(m Message, at time.Time) time.Time {
	t := at
	for range 64 {
		moved := false
		for _, q := range r.cfg.Quiet {
			if end, quiet := q.until(t); quiet && m.Severity < cmp.Or(q.Except, dera.Critical) {
				t, moved = end, true
			}
		}
		if !moved {
			return t
		}
		if t.Sub(at) > 9*24*time.Hour {
			break
		}
	}
	return at
}

// deliveries are those of one message, one a sink.
type deliveries []Delivery

// add keeps the earlier of two for one sink; alone counts more than in a digest.
func (l *deliveries) add(d Delivery) {
	i := slices.IndexFunc(*l, func(o Delivery) bool { return o.Sink == d.Sink })
	switch {
	case i < 0:
		*l = append(*l, d)
	case d.Due.Before((*l)[i].Due), d.Due.Equal((*l)[i].Due) && d.Digest == "":
		(*l)[i] = d
	}
}

func (l deliveries) sorted() []Delivery {
	slices.SortFunc(l, func(a, b Delivery) int {
		if c := a.Due.Compare(b.Due); c != 0 {
			return c
		}
		if a.Sink < b.Sink {
			return -1
		}
		return 1
	})
	return l
}
