package resource

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

// History is what the resources of one type were set to, rebuilt from recorded
// calls. It is given every call, also those of other types, in the order of their
// times, and is not safe for concurrent use.
//
// CloudTrail reports the second of a call and nothing finer. A history therefore
// says what is possible and package replay finds the order.
type History interface {
	// Apply takes in a call. One that failed changed nothing, but its error can
	// report what was there. The error says what could not be followed: the call
	// changed something, and the history does not hold what.
	Apply(c cloudtrail.Call) error
	// Read returns the resources of a scope as a look reads them, in any order, and
	// the IDs of those that were deleted. Nobody changes what is handed out.
	Read(ctx context.Context, scope dera.Scope, near Near) (found []dera.Resource, missing []string)
	// Origin says where what the history holds of a configuration that Read returned
	// comes from, and lists the parts of it that no call reported; nil for one of
	// which no call reported anything.
	Origin(config any) (o *Origin, unread []string)
	// Turn is the turn of a call among all those of its second; the zero value has
	// no preference.
	Turn(c cloudtrail.Call, all []cloudtrail.Call) Turn
	// Touches lists what a call touches.
	Touches(c cloudtrail.Call) []Mark
	// Possible reports whether a call can have had its recorded outcome now.
	Possible(c cloudtrail.Call) bool
	// Doubt notes why something is not certain, until a later call reports it.
	Doubt(m Mark, why string)
	// Copy is a history of what the marks touch, which can be changed separately.
	Copy(of []Mark) History
	// Text is the same for histories that are judged the same.
	Text() string
	// Exposure says how much is open, to choose between possible ends: what exists
	// before what it allows, and a wide source before a narrow one.
	Exposure() int
}

// Near reads resources of other types from the same records.
type Near func(context.Context, dera.Scope) []dera.Resource

// Turn is when a call is applied that nothing else orders within its second.
type Turn int

// The turns of calls. What removes comes before what adds: where no order is
// possible, more stays than may be there, and not less.
const (
	TurnAny   Turn = iota
	TurnFirst      // nothing happens to the resource before the call
	TurnEarly      // the call removes
	TurnLate       // the call replaces
	TurnLast       // nothing happens to the resource after the call
)

// Place names a resource of a type: an ID is unique within an account only.
type Place struct{ Account, ID string }

// Mark is a part of a resource that a call touches.
type Mark struct {
	Place
	Part string // "" where it may be any
	// Adds says that the call makes the part.
	Adds bool
	// Unless names a part that, where another call of the second adds it, the mark
	// is about; else it may be any. "" is no such mark.
	Unless string
}

// Origin is where what a history holds of a resource comes from. The zero value is
// of a resource that existed before the first call.
type Origin struct {
	Created bool      // a call created it
	Since   time.Time // of the first call that reported it
	Deleted bool
	doubts  []doubt
}

// doubt is why something is not certain; of a part, until a call reports that.
type doubt struct{ part, why string }

// Doubt notes why a part is not certain; "" is the whole resource.
func (o *Origin) Doubt(part, why string) {
	if d := (doubt{part, why}); !slices.Contains(o.doubts, d) {
		o.doubts = append(o.doubts, d)
	}
}

// Settle ends the doubts of a part.
func (o *Origin) Settle(part string) {
	o.doubts = slices.DeleteFunc(o.doubts, func(d doubt) bool { return d.part == part && part != "" })
}

// Copy can be changed separately.
func (o *Origin) Copy() Origin {
	c := *o
	c.doubts = slices.Clone(o.doubts)
	return c
}

// Partly says why the resource is only partly known; "" for one that is known since
// it was created.
func (o *Origin) Partly() string {
	var parts []string
	if !o.Created {
		parts = append(parts, "no recorded event created it: what it held before "+o.Since.UTC().Format("2006-01-02 15:04:05")+" is not known")
	}
	for _, d := range o.doubts {
		if !slices.Contains(parts, d.why) {
			parts = append(parts, d.why)
		}
	}
	return strings.Join(parts, "; ")
}

// Within returns what is known of the scope's account, of its IDs alone where it
// has some.
func Within[T any](known map[Place]T, scope dera.Scope) iter.Seq2[Place, T] {
	return func(yield func(Place, T) bool) {
		if scope.Sweep() {
			for at, v := range known {
				if at.Account == scope.Account && !yield(at, v) {
					return
				}
			}
			return
		}
		for _, id := range scope.IDs {
			at := Place{scope.Account, id}
			if v, ok := known[at]; ok && !yield(at, v) {
				return
			}
		}
	}
}
