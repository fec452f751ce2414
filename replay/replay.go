// Package replay rebuilds what resources were set to from the calls that
// CloudTrail recorded, so that the loop can look at a past that is no longer
// there. It reads recorded events and nothing else.
//
// What was there before the first event is not known. A resource that no event
// created is partly known: what the events tell of it is judged, and a check of
// it that finds nothing is unknown, never pass. Room: may import the words,
// cloudtrail, netset, resource, control and detect.
package replay

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/detect"
	"dera.example/dera/services/ec2/securitygroup"
	s3account "dera.example/dera/services/s3/account"
	s3bucket "dera.example/dera/services/s3/bucket"
)

// State is what the events told so far. It is not safe for concurrent use.
type State struct {
	now     func() time.Time
	groups  map[place]*group
	buckets map[place]*bucket
	blocks  map[string]*block // by account
	made    int               // rule IDs that no event told
	coming  map[string]bool   // IDs of rules that a call of this second adds
}

// place names a resource: an ID is unique within an account only.
type place struct{ account, id string }

// New returns an empty state. Resources that are read from it were read at now.
func New(now func() time.Time) *State {
	return &State{now: now, groups: map[place]*group{}, buckets: map[place]*bucket{}, blocks: map[string]*block{}}
}

var _ detect.Reader = (*State)(nil)

// Apply takes in one event; they must come in the order of their times, those of
// one second by Second. A call that failed changed nothing, but its error can tell
// what was there. The error says what could not be followed: the call changed
// something, and the state does not hold what.
func (s *State) Apply(r cloudtrail.Record) error { return s.apply(callOf(r)) }

func callOf(r cloudtrail.Record) call {
	return call{r, parameters(r.Request, r.Name+"Request"), parameters(r.Response, r.Name+"Response")}
}

func (s *State) apply(c call) error {
	switch {
	case c.Failed():
		s.learn(c)
	case c.Source == "ec2.amazonaws.com":
		return s.applyEC2(c)
	case c.Source == "s3.amazonaws.com":
		return s.applyS3(c)
	}
	return nil
}

// call is a record with its parameters taken apart.
type call struct {
	cloudtrail.Record
	request, response tree
}

// lost is the error for a call that could not be followed.
func (c call) lost(why string) error { return fmt.Errorf("%s: %s", c.Name, why) }

// Read implements detect.Reader. It returns all of a scope in one page; an ID of
// which no event told anything is neither there nor missing.
func (s *State) Read(ctx context.Context, scope dera.Scope, _ bool) (detect.Page, error) {
	var page page
	switch scope.Type {
	case securitygroup.Name:
		for at, g := range within(s.groups, scope) {
			if g.region == scope.Region {
				page.add(g.gone, at.id, func() dera.Resource { return g.resource(scope, s.now()) })
			}
		}
	case s3bucket.Name:
		for at, b := range within(s.buckets, scope) {
			if b.config.Region == scope.Region {
				page.add(b.gone, at.id, func() dera.Resource { return b.resource(scope, s.blocks[at.account], s.now()) })
			}
		}
	case s3account.Name:
		if b := s.blocks[scope.Account]; b != nil && (scope.Sweep() || slices.Contains(scope.IDs, scope.Account)) {
			page.Resources = append(page.Resources, s.accountBlock(ctx, scope, b))
		}
	default:
		return detect.Page{}, fmt.Errorf("read %s from recorded events: no event tells of them", scope.Type)
	}
	slices.SortFunc(page.Resources, func(a, b dera.Resource) int { return strings.Compare(a.ID, b.ID) })
	slices.Sort(page.Missing)
	return detect.Page(page), nil
}

// within returns what is known of the scope's account, of its IDs alone where it
// has some.
func within[T any](known map[place]T, scope dera.Scope) iter.Seq2[place, T] {
	return func(yield func(place, T) bool) {
		if scope.Sweep() {
			for at, v := range known {
				if at.account == scope.Account && !yield(at, v) {
					return
				}
			}
			return
		}
		for _, id := range scope.IDs {
			at := place{scope.Account, id}
			if v, ok := known[at]; ok && !yield(at, v) {
				return
			}
		}
	}
}

// page is a detect.Page under construction.
type page detect.Page

// add puts a resource where it belongs.
func (p *page) add(gone bool, id string, read func() dera.Resource) {
	if gone {
		p.Missing = append(p.Missing, id)
		return
	}
	p.Resources = append(p.Resources, read())
}

// Partly says why a configuration that was read from the state is only partly
// known; "" for one that is known since it was made.
func (s *State) Partly(config any) string {
	switch c := config.(type) {
	case *securitygroup.Group:
		if g := s.groups[place{c.Owner, c.ID}]; g != nil {
			return g.partly()
		}
	case *s3bucket.Bucket:
		if b := s.buckets[place{c.Owner, c.Name}]; b != nil {
			return b.partly()
		}
	case *s3account.AccountBlock:
		if b := s.blocks[c.Account]; b != nil {
			return b.doubt // each event tells the whole block
		}
	}
	return "no event tells of it"
}

// origin is what both kinds of resources keep of where they come from.
type origin struct {
	born   bool      // an event created it
	since  time.Time // of the first event that told of it
	doubts []doubt   // events that do not fit what was told before
	gone   bool
}

// doubt is why something is not certain; of a part, until an event says what that
// is.
type doubt struct{ part, why string }

func (o *origin) doubt(why string) { o.doubtOf("", why) }

func (o *origin) doubtOf(part, why string) {
	if d := (doubt{part, why}); !slices.Contains(o.doubts, d) {
		o.doubts = append(o.doubts, d)
	}
}

// settle ends the doubts of a part.
func (o *origin) settle(part string) {
	o.doubts = slices.DeleteFunc(o.doubts, func(d doubt) bool { return d.part == part && part != "" })
}

func (o *origin) partly() string {
	var parts []string
	if !o.born {
		parts = append(parts, "no recorded event created it: what it held before "+o.since.UTC().Format("2006-01-02 15:04:05")+" is not known")
	}
	for _, d := range o.doubts {
		if !slices.Contains(parts, d.why) {
			parts = append(parts, d.why)
		}
	}
	return strings.Join(parts, "; ")
}
