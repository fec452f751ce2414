package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource"
)

// counted is what would become of the recorded calls: decided from the calls and the
// policies alone, whatever was narrowed and why.
type counted struct {
	calls, denied, undecided uint64
	principals               int
	since                    time.Time
	data                     bool
	fault, witness, doubt    string
}

// fate of a call.
type fate uint8

const (
	allowedStill fate = iota
	undecided
	wouldBeDenied
)

// replay decides the calls of one body.
type replay struct {
	old, fresh, beside []*policy.Document
	alone              map[string]bool // by action: nothing is lost, whatever else is attached
}

// count decides every recorded call.
func (p *Permissions) count() counted {
	out := counted{principals: len(p.Before.Principals), data: true}
	r := replay{alone: map[string]bool{}}
	var errs [3]error
	r.old, errs[0] = parsed(p.Before.Policies)
	r.beside, errs[1] = parsed(p.Before.Beside)
	var after []Text
	for i, text := range p.After {
		if text != "" {
			after = append(after, Text{Name: p.Before.Policies[i].Name, Document: text})
		}
	}
	r.fresh, errs[2] = parsed(after)
	for _, err := range errs {
		if err != nil {
			out.fault = err.Error()
		}
	}
	if out.fault != "" {
		return out
	}
	for _, who := range p.Before.Principals {
		var beside []*policy.Document
		for _, b := range who.Beside {
			if b < 0 || b >= len(r.beside) {
				out.fault = "a principal has a policy that is not there"
				return out
			}
			beside = append(beside, r.beside[b])
		}
		if out.since.IsZero() || who.Use.From.Before(out.since) {
			out.since = who.Use.From
		}
		for _, g := range who.Use.Gaps {
			out.data = out.data && g.Kind != resource.GapOfDataEvents
		}
		known := map[string]bool{}
		for _, c := range who.Use.Calls {
			out.add(who.Name, c.Source+" "+c.Name, c.Count, c.First, r.call(who.Name, c.Source, c.Name, c.Resources, beside, known))
		}
	}
	return out
}

func (c *counted) add(who, call string, n uint64, first time.Time, f fate) {
	c.calls += n
	if !first.IsZero() && first.Before(c.since) {
		c.since = first
	}
	switch f {
	case wouldBeDenied:
		c.denied += n
		if c.witness == "" {
			c.witness = fmt.Sprintf("%s of %s would be denied", call, who)
		}
	case undecided:
		c.undecided += n
		if c.doubt == "" {
			c.doubt = fmt.Sprintf("%s of %s cannot be decided", call, who)
		}
	case allowedStill:
	}
}

// call decides one call: the worst of the fates of the actions that may have authorized
// it. Of an event that nobody understands every action of its service counts.
func (r *replay) call(who, source, name string, resources []string, beside []*policy.Document, known map[string]bool) fate {
	c := catalog.Embedded()
	meant, ok := c.Event(source, name)
	if !ok {
		services := c.Prefixes(source)
		if len(services) == 0 {
			services = []string{"*"}
		}
		for _, s := range services {
			entry := s + ":*"
			if s == "*" {
				entry = "*"
			}
			if !r.keeps(entry, beside, known) {
				return undecided
			}
		}
		return allowedStill
	}
	worst := allowedStill
	for i, a := range slices.Concat(meant.Actions, meant.Maybe) {
		if r.keeps(a, beside, known) {
			continue
		}
		f := r.decide(who, a, resources, beside)
		if f == wouldBeDenied && i >= len(meant.Actions) {
			f = undecided // it may have been no use of this action
		}
		worst = max(worst, f)
	}
	return worst
}

// keeps reports whether nothing is lost of some actions: proved, and for a single one
// confirmed by the independent checker. It is asked without the other policies of the principal first,
// for all principals.
func (r *replay) keeps(entry string, beside []*policy.Document, known map[string]bool) bool {
	alone, ok := r.alone[entry]
	if !ok {
		alone = keeps(entry, r.old, r.fresh)
		r.alone[entry] = alone
	}
	if alone || len(beside) == 0 {
		return alone
	}
	with, ok := known[entry]
	if !ok {
		with = keeps(entry, slices.Concat(r.old, beside), slices.Concat(r.fresh, beside))
		known[entry] = with
	}
	return with
}

func keeps(entry string, old, fresh []*policy.Document) bool {
	if reason.SubsetOf(context.Background(), []string{entry}, old, fresh, reason.Config{}).Verdict != reason.Proved {
		return false
	}
	return strings.HasSuffix(entry, "*") || check.Keeps(old, fresh, []string{entry}) == nil
}

// decide decides by the resources of the calls, where these are all known.
func (r *replay) decide(who, action string, resources []string, beside []*policy.Document) fate {
	old, fresh := slices.Concat(r.old, beside), slices.Concat(r.fresh, beside)
	if len(resources) == 0 {
		return undecided
	}
	before, after := eval.CompileFor(action, old...), eval.CompileFor(action, fresh...)
	worst := allowedStill
	for _, on := range resources {
		if strings.ContainsAny(on, "*?$") {
			return undecided
		}
		here := &policy.Document{Version: policy.Version2012, Statements: []policy.Statement{{
			Effect: policy.Deny, Actions: []string{"*"}, NotResources: []string{on},
		}}}
		if reason.SubsetOf(context.Background(), []string{action}, append(slices.Clone(old), here), fresh, reason.Config{}).Verdict == reason.Proved {
			continue
		}
		request := eval.Request{Action: action, Resource: on}
		if strings.HasPrefix(who, "arn:") {
			request.Principal.ARN = who
		}
		was, is := before.Decide(request, eval.Reading{}), after.Decide(request, eval.Reading{})
		if was == eval.Allowed && is != eval.Allowed {
			return wouldBeDenied
		}
		worst = undecided
	}
	return worst
}

func (c counted) says() string {
	kinds := "management events are recorded"
	if c.data {
		kinds = "management events and data events are recorded"
	}
	whose := "its principal"
	if c.principals != 1 {
		whose = fmt.Sprintf("its %d principals", c.principals)
	}
	return fmt.Sprintf("of %s recorded calls of %s since %s, %s would be denied, %s cannot be decided (%s)",
		Grouped(c.calls), whose, day(c.since), Grouped(c.denied), Grouped(c.undecided), kinds)
}

func (c counted) answer() answer {
	switch {
	case c.fault != "":
		return unproved(c.fault)
	case c.denied > 0:
		return answer{dera.Refuted, c.witness}
	case c.undecided > 0:
		return unproved(c.doubt)
	}
	return proved()
}
