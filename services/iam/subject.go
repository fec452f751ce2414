package iam

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/scope"
	"dera.example/dera/resource"
)

// Subject is policies that are narrowed together by what the principals that have them
// used.
type Subject struct {
	Policies []Text `json:"policies"`
	// Beside are the other policies of the principals.
	Beside     []Text     `json:"beside,omitempty"`
	Principals []CalledBy `json:"principals"`
	// Needed are entries, as in an Action list, that stay although nobody used them.
	Needed []string `json:"needed,omitempty"`
	// Limit is how many characters AWS stores of the policies that are narrowed
	// together; 0 is no limit.
	Limit int `json:"limit,omitempty"`
	// LeaveWhole: a policy of which nobody used anything is no finding here; it is one
	// of those who have it.
	LeaveWhole bool `json:"-"`
	// AutoAWS: policies of AWS may go automatically.
	AutoAWS bool `json:"-"`
	// NarrowResources: resources that were not seen are found too.
	NarrowResources bool `json:"-"`
	// Reported is what AWS itself says; nil where it was not asked. Without that, what
	// NeedReported says waits for a person.
	Reported     *Reported `json:"reported,omitempty"`
	NeedReported bool      `json:"-"`
	// Stages are the actions that a stage denies in policies that are narrowed, by the name of
	// the policy, whose text here is without it. Due says that they were denied for long enough,
	// for DueDays; Missed what they denied that is in use. StageDays is how long they are to be
	// denied; 0 is that what goes goes at once.
	Stages    map[string][]string `json:"stages,omitempty"`
	Due       bool                `json:"due,omitempty"`
	DueDays   int                 `json:"-"`
	Missed    string              `json:"-"`
	StageDays int                 `json:"-"`
}

// Text is a policy with its text.
type Text struct {
	Name     string `json:"name"`
	Document string `json:"document"`
	// Whole is the key of the finding about a policy that goes whole or stays as it is;
	// "" is one that is narrowed.
	Whole string `json:"whole,omitempty"`
	// AWS says that it is one of AWS's, and Version which version of that.
	AWS     bool   `json:"aws,omitempty"`
	Version string `json:"version,omitempty"`
}

// CalledBy is a principal with its recorded calls.
type CalledBy struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Calls are those that were authorized at least once; their resources are there only
	// where they are all.
	Use resource.Use `json:"use"`
	// Beside are the places of its other policies in those of the subject.
	Beside []int `json:"beside,omitempty"`
	// Denied are recorded calls that were always denied, which AWS's own data count.
	Denied []Attempt `json:"denied,omitempty"`
}

// Attempt is a call as CloudTrail names it, whatever came of it.
type Attempt struct {
	Source string `json:"source"`
	Name   string `json:"name"`
	// Last is when it was last denied; zero where that is not known.
	Last time.Time `json:"last,omitzero"`
}

// NewSubject is a subject of the policies and of those who have them. The error says
// what is not known.
func NewSubject(policies []Text, holders []Holder, limit int, s control.Settings) (*Subject, error) {
	out := &Subject{Policies: policies, Limit: limit, AutoAWS: s.AutoAWSManaged, NarrowResources: s.NarrowResources, NeedReported: s.RequireReported}
	at := map[Text]int{}
	for _, h := range slices.SortedStableFunc(slices.Values(holders), func(a, b Holder) int { return strings.Compare(a.ARN+" "+a.Via, b.ARN+" "+b.Via) }) {
		if h.Kind == GroupKind {
			continue // it has no members
		}
		if h.Use == nil {
			return nil, fmt.Errorf("nothing is recorded of %s %s", h.Kind, h.Name)
		}
		p := CalledBy{Name: h.ARN, Kind: h.Kind, Use: recorded(h.Use)}
		if h.Created.After(p.Use.From) { // it cannot have used anything before
			why := fmt.Sprintf("the %s %s was made on %s, after the record begins", h.Kind, h.Name, day(h.Created))
			p.Use.Gaps = append(slices.Clone(p.Use.Gaps), resource.Gap{Kind: "window-too-short", Why: why})
		}
		if p.Name == "" {
			p.Name = string(h.Kind) + strings.TrimSuffix(h.Path, "/") + "/" + h.Name
		}
		for _, b := range h.Beside {
			text := Text{Name: b.ARN, Document: b.Document}
			if b.Document == "" {
				return nil, fmt.Errorf("policy %s of %s %s could not be read", b.ARN, h.Kind, h.Name)
			}
			i, ok := at[text]
			if !ok {
				i = len(out.Beside)
				at[text] = i
				out.Beside = append(out.Beside, text)
			}
			if !slices.Contains(p.Beside, i) {
				p.Beside = append(p.Beside, i)
			}
		}
		same := func(o CalledBy) bool { return o.Name == p.Name }
		if i := slices.IndexFunc(out.Principals, same); i >= 0 { // it has the policy by several ways
			for _, b := range p.Beside {
				if !slices.Contains(out.Principals[i].Beside, b) {
					out.Principals[i].Beside = append(out.Principals[i].Beside, b)
				}
			}
			continue
		}
		out.Principals = append(out.Principals, p)
		for _, k := range s.Keep {
			if keptBy(k, h) {
				out.Needed = append(out.Needed, k.Actions...)
			}
		}
	}
	slices.Sort(out.Needed)
	out.Needed = slices.Compact(out.Needed)
	return out, nil
}

// KeepIn are the settings with what is kept in an account alone.
func KeepIn(s control.Settings, account string) control.Settings {
	var keep []control.Keep
	for _, k := range s.Keep {
		here := slices.DeleteFunc(slices.Clone(k.Principals), func(p string) bool { return !catalog.Match(dera.ARN(p).Account(), account) })
		if len(here) > 0 || len(k.Principals) == 0 {
			k.Principals = here
			keep = append(keep, k)
		}
	}
	s.Keep = keep
	return s
}

// keptBy reports whether something is kept by a principal. Of one whose ARN is not known
// the account is not compared: too much stays then, and not too little.
func keptBy(k control.Keep, h Holder) bool {
	if h.ARN != "" || len(k.Principals) == 0 {
		return k.About(h.ARN)
	}
	name := string(h.Kind) + "/" + strings.TrimPrefix(h.Path, "/") + h.Name
	return slices.ContainsFunc(k.Principals, func(p string) bool {
		own := dera.ARN(p).Resource()
		return own == "" || catalog.Match(own, name)
	})
}

// By is the subject with what AWS itself says of the use of its policies, nil for nothing.
func (s *Subject) By(r *Reported, holders []Holder) *Subject {
	if s == nil || r == nil {
		return s
	}
	s.Reported = r
	for _, h := range holders {
		if h.Use == nil {
			continue
		}
		for _, c := range h.Use.Calls {
			i := slices.IndexFunc(s.Principals, func(p CalledBy) bool { return p.Name == h.ARN || h.ARN == "" })
			if a := (Attempt{c.Source, c.Name, c.LastDenied.UTC()}); c.Count == 0 && c.Denied > 0 && i >= 0 && !slices.Contains(s.Principals[i].Denied, a) {
				s.Principals[i].Denied = append(s.Principals[i].Denied, a)
			}
		}
	}
	return s
}

// recorded is the part of what is recorded that counts: calls that were authorized.
func recorded(u *resource.Use) resource.Use {
	out := resource.Use{From: u.From.UTC(), To: u.To.UTC(), Gaps: u.Gaps, Calls: make([]resource.Call, 0, len(u.Calls))}
	for _, c := range u.Calls {
		if c.Count == 0 {
			continue
		}
		c.Denied, c.LastDenied, c.First, c.Last = 0, time.Time{}, c.First.UTC(), c.Last.UTC()
		if c.More {
			c.Resources = nil
		}
		out.Calls = append(out.Calls, c)
	}
	if len(out.Calls) == 0 {
		out.Calls = nil
	}
	return out
}

// used is the record of use that policies are narrowed by.
type used struct {
	from, to time.Time
	calls    uint64
	since    time.Time // of the first of the calls, or from where that is earlier
	data     bool      // data events were recorded
	gaps     []string  // that leave everything in doubt
	whys     []string  // of these
	passing  []string  // gaps that are about some services or calls only
	actions  []string  // of all principals, sorted
	unclear  []string
}

// usage is that of all principals together: what one of them used stays.
func (u *used) usage() scope.Usage {
	return scope.Usage{Principal: "those who have the policies", Actions: u.actions, Unclear: u.unclear, Gaps: u.passing}
}

func (u *used) window() time.Duration { return u.to.Sub(u.from) }

// days are those of the window.
func (u *used) days() int { return int(u.window() / (24 * time.Hour)) }

// record translates the recorded calls into actions. What was used at any time counts.
func (s *Subject) record() *used {
	c, u := catalog.Embedded(), &used{data: true}
	type event struct{ source, name string }
	type meaning struct {
		actions []string
		known   bool
	}
	most := 0
	for i := range s.Principals {
		most = max(most, len(s.Principals[i].Use.Calls))
	}
	known := make(map[event]meaning, most)
	for _, p := range s.Principals {
		for _, call := range p.Use.Calls {
			if call.Count == 0 {
				continue
			}
			u.calls += call.Count
			if u.since.IsZero() || call.First.Before(u.since) {
				u.since = call.First
			}
			e := event{call.Source, call.Name}
			m, ok := known[e]
			if !ok {
				m.actions, m.known = actionsOf(c, call)
				known[e] = m
			}
			u.actions = append(u.actions, m.actions...)
			if !m.known {
				u.unclear = append(u.unclear, call.Source)
			}
		}
		for _, g := range p.Use.Gaps {
			u.gap(g)
		}
		if u.from.Before(p.Use.From) {
			u.from = p.Use.From
		}
		if u.to.IsZero() || p.Use.To.Before(u.to) {
			u.to = p.Use.To
		}
	}
	if u.since.IsZero() || u.from.Before(u.since) {
		u.since = u.from
	}
	for _, list := range []*[]string{&u.actions, &u.unclear, &u.gaps, &u.whys, &u.passing} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return u
}

// gap notes a gap. Those that leave everything in doubt are no part of the usage: what
// looks unused is computed all the same, for a person.
func (u *used) gap(g resource.Gap) {
	switch g.Kind {
	case resource.GapOfDataEvents:
		u.data = false
		fallthrough
	case "kms-excluded", "rds-data-excluded":
		u.passing = append(u.passing, g.Kind)
	default:
		u.gaps = append(u.gaps, g.Kind)
		u.whys = append(u.whys, fmt.Sprintf("%s (%s)", g.Kind, g.Why))
	}
}

// actionsOf are the actions that may have authorized a call; false where the event, or
// one of the actions, is not known.
func actionsOf(c *catalog.Catalog, call resource.Call) ([]string, bool) {
	meant, ok := c.Event(call.Source, call.Name)
	if !ok {
		return nil, false
	}
	return slices.DeleteFunc(append(meant.Actions, meant.Maybe...), func(a string) bool {
		strange := c.KnownAction(a) != nil
		ok = ok && !strange
		return strange
	}), ok
}

// parsed reads the texts.
func parsed(texts []Text) ([]*policy.Document, error) {
	out := make([]*policy.Document, 0, len(texts))
	for _, t := range texts {
		doc, err := policy.Parse(t.Document)
		if err != nil {
			return nil, fmt.Errorf("read policy %s: %w", t.Name, err)
		}
		out = append(out, doc)
	}
	return out, nil
}

// prefixes are those that sources of events stand for.
func prefixes(sources []string) (out []string) {
	for _, s := range sources {
		out = append(out, catalog.Embedded().Prefixes(s)...)
	}
	return out
}
