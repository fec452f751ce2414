package proof

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
)

// Fate is what becomes of a recorded call where some policies take the place of others.
type Fate uint8

// The fates of calls, the worst last.
const (
	// AllowedStill: whatever the policies from before allowed of it, those after allow.
	AllowedStill Fate = iota
	// Undecided: the record does not tell enough of it, such as its resources or the keys
	// of conditions, or the event may stand for no use of what is lost.
	Undecided
	// WouldBeDenied: the policies from before allowed it, and those after do not.
	WouldBeDenied
)

// Call is a recorded call that was authorized.
type Call struct {
	Principal    string   // ARN; else conditions on the principal do not count
	Source, Name string   // as CloudTrail names it: ec2.amazonaws.com, RunInstances
	Resources    []string // ARNs; none where not all of them are known
}

// Calls decides recorded calls from these and the policies alone. It is not safe for
// concurrent use.
type Calls struct {
	old, fresh []*policy.Document
	known      map[string]bool // by action: nothing is lost
	grants     map[string]bool // by action: the policies from before allow something of it
}

// NewCalls is about policies that take the place of others.
func NewCalls(old, fresh []*policy.Document) *Calls {
	return &Calls{old: old, fresh: fresh, known: map[string]bool{}, grants: map[string]bool{}}
}

// Beside is the same for a principal that has other policies too, which stay. What is
// proved without them is not proved again. They hold in the place of c's for no other principal.
func (c *Calls) Beside(beside []*policy.Document) *CallsBeside {
	out := &CallsBeside{Calls: c}
	if len(beside) > 0 {
		out.with = NewCalls(slices.Concat(c.old, beside), slices.Concat(c.fresh, beside))
	}
	return out
}

// CallsBeside are Calls of one principal. It is not safe for concurrent use.
type CallsBeside struct {
	*Calls
	with *Calls
}

// all are the calls with the other policies of the principal.
func (c *CallsBeside) all() *Calls {
	if c.with != nil {
		return c.with
	}
	return c.Calls
}

// keeps reports whether nothing is lost of some actions. It is asked without the other
// policies of the principal first, for all principals.
func (c *CallsBeside) keeps(entry string) bool {
	return c.Calls.keeps(entry) || c.with != nil && c.with.keeps(entry)
}

// Decide decides one call: the worst of the fates of the actions that may have authorized
// it, with the action. Of an event that nobody understands every action of its service
// counts.
func (c *CallsBeside) Decide(call Call) (worst Fate, action string) {
	meant, maybe, ok := actionsOf(call)
	for i, a := range slices.Concat(meant, maybe) {
		if c.keeps(a) {
			continue
		}
		f := Undecided
		if ok {
			f = c.all().decide(call, a)
		}
		if f == WouldBeDenied && i >= len(meant) {
			f = Undecided // it may have been no use of this action
		}
		if f > worst {
			worst, action = f, a
		}
	}
	return worst, action
}

// actionsOf are the actions that authorize a call, and those that may; entries as
// ec2:* where nobody understands the event.
func actionsOf(call Call) (meant, maybe []string, ok bool) {
	c := catalog.Embedded()
	if m, ok := c.Event(call.Source, call.Name); ok {
		return m.Actions, m.Maybe, true
	}
	for _, s := range c.Prefixes(call.Source) {
		maybe = append(maybe, s+":*")
	}
	if len(maybe) == 0 {
		maybe = []string{"*"}
	}
	return nil, maybe, false
}

// keeps reports whether nothing is lost of some actions: proved, and for a single one
// confirmed by the independent checker.
func (c *Calls) keeps(entry string) bool {
	kept, ok := c.known[entry]
	if !ok {
		kept = subset(entry, c.old, c.fresh) &&
			(strings.HasSuffix(entry, "*") || check.Keeps(c.old, c.fresh, []string{entry}) == nil)
		c.known[entry] = kept
	}
	return kept
}

// subset reports whether policies allow nothing of some actions that others do not: proved.
func subset(entry string, some, others []*policy.Document) bool {
	return reason.SubsetOf(context.Background(), []string{entry}, some, others, reason.Config{}).Verdict == reason.Proved
}

// decide decides by the resources of the calls, where these are all known.
func (c *Calls) decide(call Call, action string) Fate {
	if len(call.Resources) == 0 {
		return Undecided
	}
	before, after := eval.CompileFor(action, c.old...), eval.CompileFor(action, c.fresh...)
	worst := AllowedStill
	for _, on := range call.Resources {
		if strings.ContainsAny(on, "*?$") {
			return Undecided
		}
		here := &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{{
			Effect: policy.Deny, Actions: []string{"*"}, NotResources: []string{on},
		}}}
		if subset(action, append(slices.Clone(c.old), here), c.fresh) {
			continue
		}
		request := requestOf(call, action, on)
		was, is := before.Decide(request, eval.Reading{}), after.Decide(request, eval.Reading{})
		// What the record does not hold, such as the keys of conditions, must not change it.
		if was == eval.Allowed && is != eval.Allowed && subset(action, append(slices.Clone(c.fresh), here), nil) {
			return WouldBeDenied
		}
		worst = Undecided
	}
	return worst
}

func requestOf(call Call, action, on string) eval.Request {
	request := eval.Request{Action: action, Resource: on}
	if strings.HasPrefix(call.Principal, "arn:") {
		request.Principal.ARN = call.Principal
	}
	return request
}

// Grants reports whether the policies from before may have allowed a call: not that they do
// not is proved.
func (c *CallsBeside) Grants(call Call) bool {
	meant, maybe, _ := actionsOf(call)
	return slices.ContainsFunc(slices.Concat(meant, maybe), c.all().granted)
}

func (c *Calls) granted(entry string) bool {
	may, ok := c.grants[entry]
	if !ok {
		may = !subset(entry, c.old, nil)
		c.grants[entry] = may
	}
	return may
}

// everything is a policy that allows an action, whatever else.
func everything(action string) *policy.Document {
	return &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{{
		Effect: policy.Allow, Actions: []string{action}, Resources: []string{"*"},
	}}}
}

// Lost decides a call that Decide leaves undecided, of which the resources are not known:
// the policies from before allow one of the actions that authorize it whatever the request,
// and those after allow no request of it. Then the call was allowed by those, and would be
// denied.
func (c *CallsBeside) Lost(call Call) (action string, lost bool) {
	meant, _, _ := actionsOf(call)
	all := c.all()
	for _, a := range meant {
		any := []*policy.Document{everything(a)}
		if NewCalls(any, all.old).keeps(a) && NewCalls(all.fresh, nil).keeps(a) {
			return a, true
		}
	}
	return "", false
}

// Why says by what of the policies after a call would be denied, for people.
func (c *CallsBeside) Why(call Call, action string) string {
	set := eval.CompileFor(action, c.all().fresh...)
	for _, on := range call.Resources {
		outcome, by := set.Explain(requestOf(call, action, on), eval.Reading{})
		if outcome != eval.ExplicitDeny {
			continue
		}
		st := c.all().fresh[by[0].Document].Statements[by[0].Statement]
		name := "statement " + strconv.Itoa(by[0].Statement+1)
		if st.Sid != "" {
			name += " " + strconv.Quote(st.Sid)
		}
		return fmt.Sprintf("%s denies %s", name, action)
	}
	return "no statement allows " + action
}
