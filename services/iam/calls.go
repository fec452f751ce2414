package iam

import (
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
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

// count decides every recorded call.
func (p *Permissions) count() counted {
	out := counted{principals: len(p.Before.Principals), data: true}
	var errs [3]error
	old, err := parsed(p.Before.Policies)
	errs[0] = err
	others, err := parsed(p.Before.Beside)
	errs[1] = err
	var after []Text
	for i, text := range p.After {
		if text != "" {
			after = append(after, Text{Name: p.Before.Policies[i].Name, Document: text})
		}
	}
	fresh, err := parsed(after)
	errs[2] = err
	for _, err := range errs {
		if err != nil {
			out.fault = err.Error()
		}
	}
	if out.fault != "" {
		return out
	}
	all := proof.NewCalls(old, fresh)
	for _, who := range p.Before.Principals {
		var beside []*policy.Document
		for _, b := range who.Beside {
			if b < 0 || b >= len(others) {
				out.fault = "a principal has a policy that is not there"
				return out
			}
			beside = append(beside, others[b])
		}
		if out.since.IsZero() || who.Use.From.Before(out.since) {
			out.since = who.Use.From
		}
		for _, g := range who.Use.Gaps {
			out.data = out.data && g.Kind != resource.GapOfDataEvents
		}
		calls := all.Beside(beside)
		for _, c := range who.Use.Calls {
			f, _ := calls.Decide(proof.Call{Principal: who.Name, Source: c.Source, Name: c.Name, Resources: c.Resources})
			out.add(who.Name, c.Source+" "+c.Name, c.Count, c.First, f)
		}
	}
	return out
}

func (c *counted) add(who, call string, n uint64, first time.Time, f proof.Fate) {
	c.calls += n
	if !first.IsZero() && first.Before(c.since) {
		c.since = first
	}
	switch f {
	case proof.WouldBeDenied:
		c.denied += n
		if c.witness == "" {
			c.witness = fmt.Sprintf("%s of %s would be denied", call, who)
		}
	case proof.Undecided:
		c.undecided += n
		if c.doubt == "" {
			c.doubt = fmt.Sprintf("%s of %s cannot be decided", call, who)
		}
	case proof.AllowedStill:
	}
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
