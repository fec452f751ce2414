package app

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// LaterCalls are the recorded calls that came after the moment at which dera would have closed
// something, and before it was closed or the record ends. That there are no others is never said: no record has the
// traffic of a network, and few have every call on data.
type LaterCalls struct {
	// From is when dera would have closed it.
	From time.Time `json:"from"`
	// Changes are calls that changed the resource itself. They would have met what dera left: one that
	// takes back what dera had taken back finds nothing.
	Changes []LaterCall `json:"changes,omitempty"`
	// Uses are calls on its data by other accounts and by nobody that is known, which may have needed
	// what was open.
	Uses []LaterCall `json:"uses,omitempty"`
	// More is how many callers are left out of these lists.
	More int `json:"more,omitempty"`
	// NotKnown says what these records do not tell.
	NotKnown string `json:"not_known"`
}

// LaterCall is a call of one principal, with how often it was made.
type LaterCall struct {
	Event string    `json:"event"`
	Actor string    `json:"actor,omitempty"`
	Count int       `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

const (
	noDataKnown   = "Who used it after dera's fix is not known from these records: they have no calls on its data, and no traffic."
	moreDataKnown = "Whether others used it is not known from these records: they may not have every call on its data, and have no traffic."
)

// mostLater bounds the calls that are listed of a finding, and mostUses those that are kept of a resource.
const (
	mostLater = 10
	mostUses  = 10_000
)

// dataUse is what a recording has of calls on the data of one resource.
type dataUse struct {
	calls []LaterCall     // of others, one for each call, event and actor, until there are too many
	lost  bool            // there were more
	seen  map[string]bool // their IDs: files can hold an event twice
}

// use notes a call on data.
func (r *Recording) use(raw []byte) {
	d, ok := cloudtrail.Data(raw)
	if !ok || d.Failed() {
		return
	}
	for _, arn := range d.Resources {
		name := dera.ARN(arn)
		if name.Service() == "s3" && strings.Contains(name.Resource(), "/") {
			continue // an object, whose bucket is named too
		}
		if r.uses == nil {
			r.uses = map[string]*dataUse{}
		}
		u := r.uses[arn]
		if u == nil {
			u = &dataUse{seen: map[string]bool{}}
			r.uses[arn] = u
		}
		switch {
		case !d.ByOthers(), d.ID != "" && u.seen[d.ID]:
		case len(u.calls) >= mostUses:
			u.lost = true
		default:
			actor := d.Actor()
			if actor == cloudtrail.Anonymous {
				actor = "anybody, without credentials"
			}
			u.seen[d.ID] = true
			u.calls = append(u.calls, LaterCall{Event: d.Name, Actor: actor, Count: 1, First: d.Time, Last: d.Time})
		}
	}
}

// later is what the recording has after dera would have closed the finding; nil where it would not
// have, or where it was closed before that.
func (r *Recording) later(v ReplayedFinding, end time.Time) *LaterCalls {
	from := v.AppearedAt.Add(FixedWithin)
	if v.ResolvedAt != nil {
		end = *v.ResolvedAt
	}
	if v.Disposition != dera.Auto || v.ResolvedAt != nil && !end.After(from) {
		return nil
	}
	l := &LaterCalls{From: from, NotKnown: noDataKnown}
	during := func(at time.Time) bool { return at.After(from) && !at.After(end) }
	changes, uses := map[[2]string]LaterCall{}, map[[2]string]LaterCall{}
	for _, ev := range r.events {
		if during(ev.Time) && !ev.Failed() && !ev.ReadOnly && slices.ContainsFunc(ev.hints, func(s dera.Scope) bool {
			return s.Account == v.Account && s.Type == v.ResourceType && slices.Contains(s.IDs, v.Resource.Name())
		}) {
			gather(changes, LaterCall{Event: ev.Name, Actor: ev.Actor(), Count: 1, First: ev.Time, Last: ev.Time})
		}
	}
	if u := r.uses[string(v.Resource)]; u != nil {
		l.NotKnown = moreDataKnown
		if u.lost {
			l.NotKnown += " Of so many calls on its data only the first ones were kept."
		}
		for _, c := range u.calls {
			if during(c.First) {
				gather(uses, c)
			}
		}
	}
	var more int
	l.Changes, more = listed(changes)
	l.Uses, l.More = listed(uses)
	l.More += more
	return l
}

// gather adds a call to those of its event and actor.
func gather(all map[[2]string]LaterCall, c LaterCall) {
	key := [2]string{c.Event, c.Actor}
	if was, ok := all[key]; ok {
		c.Count += was.Count
		if was.First.Before(c.First) {
			c.First = was.First
		}
		if was.Last.After(c.Last) {
			c.Last = was.Last
		}
	}
	all[key] = c
}

// listed are the calls by time, the first ones, and how many are left out.
func listed(all map[[2]string]LaterCall) ([]LaterCall, int) {
	list := slices.SortedFunc(maps.Values(all), func(a, b LaterCall) int {
		return cmp.Or(a.First.Compare(b.First), strings.Compare(a.Event+a.Actor, b.Event+b.Actor))
	})
	n := min(len(list), mostLater)
	return list[:n], len(list) - n
}

// Lines are these calls in words, for people.
func (l *LaterCalls) Lines() (out []string) {
	if l == nil {
		return nil
	}
	for _, c := range l.Changes {
		out = append(out, "after dera's fix "+c.text()+" changed it: that would have met what dera left")
	}
	for _, c := range l.Uses {
		out = append(out, "after dera's fix "+c.text()+" used its data, and may have needed what was open: then dera would have broken it")
	}
	if l.More > 0 {
		out = append(out, "and "+countOf(l.More, "more caller"))
	}
	return append(out, l.NotKnown)
}

// text is the call in words.
func (c LaterCall) text() string {
	s := c.Event + " of " + cmp.Or(c.Actor, "an unknown principal")
	if c.Count > 1 {
		return s + ", " + countOf(c.Count, "time") + " from " + Stamp(c.First) + " to " + Stamp(c.Last) + ","
	}
	return s + " at " + Stamp(c.First)
}
