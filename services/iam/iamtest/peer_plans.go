package iamtest

import (
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
)

// HoldCases holds the automatic plan of each case of a control on permissions that nobody used. own are
// the policies of a configuration, and others those of its principals besides.
func (p *Peer) HoldCases(t *testing.T, l controltest.Laws, c control.Control, file string, own, others func(config any) []string) {
	t.Helper()
	for _, k := range l.Read(t, c, file) {
		res, err := c.Check(k.Resource, k.Settings)
		if err != nil {
			t.Fatalf("%s: %v", k.Name, err)
		}
		auto := Automatic(res.Failures)
		if len(auto) == 0 {
			continue
		}
		plan, refusal, err := c.Plan(k.Resource, auto, k.Settings)
		if err != nil {
			t.Fatalf("%s: %v", k.Name, err)
		}
		if refusal != nil {
			continue
		}
		after, err := l.Type.ApplyPlan(k.Resource.Config, plan)
		if err != nil {
			t.Fatalf("%s: %v", k.Name, err)
		}
		used := UsedBy(l.Type.Principals(k.Resource.Config))
		p.Hold(PlanOf(k.Name, own(k.Resource.Config), own(after), others(k.Resource.Config), used, auto))
	}
}

// HoldResources holds the plans of the cases that narrow resources: what was done on a
// resource is allowed there as before, and on another one it is not allowed any more.
func (p *Peer) HoldResources(t *testing.T, l controltest.Laws, c control.Control, file string, own func(config any) []string) {
	t.Helper()
	for _, k := range l.Read(t, c, file) {
		for _, after := range Located(t, l, c, k.Settings, k.Resource.Config) {
			p.plans++
			for _, who := range l.Type.Principals(k.Resource.Config) {
				for _, call := range who.Use.Calls {
					p.seen(k.Name, call, own(k.Resource.Config), own(after))
				}
			}
		}
	}
}

// seen asks about the resources of a call, and about one more beside each.
func (p *Peer) seen(name string, call resource.Call, before, after []string) {
	meant, _ := catalog.Embedded().Event(call.Source, call.Name)
	for _, action := range meant.Actions {
		for _, on := range call.Resources {
			q := peerRequest{Principal: peerPrincipal, Account: peerAccount, Action: action, Resource: on, Context: map[string][]string{}}
			for _, text := range before {
				if doc, err := policy.Parse(text); err == nil {
					for i := range doc.Statements {
						q.take(&doc.Statements[i])
					}
				}
			}
			other := q
			other.Resource += "-other"
			was, is, wasOther, isOther := p.ask(q, before), p.ask(q, after), p.ask(other, before), p.ask(other, after)
			p.holds = append(p.holds, func(allowed func(int) bool) {
				if allowed(was) != allowed(is) {
					p.t.Errorf("%s: %s on %s: allowed before %t, after %t", name, action, on, allowed(was), allowed(is))
				}
				if allowed(isOther) && !allowed(wasOther) {
					p.t.Errorf("%s: %s on %s-other is allowed, and was not", name, action, on)
				}
				if allowed(was) {
					p.still++
				}
				if allowed(wasOther) && !allowed(isOther) {
					p.gone++
				}
			})
		}
	}
}

// Automatic are the failures that start there.
func Automatic(failures []control.Failure) []control.Failure {
	return slices.DeleteFunc(slices.Clone(failures), func(f control.Failure) bool { return f.Start != dera.Auto })
}

// PlanOf tells the policies that a plan changes from those that it does not.
func PlanOf(name string, before, after, others, used []string, failures []control.Failure) Plan {
	without := func(list, of []string) []string {
		of = slices.Clone(of)
		return slices.DeleteFunc(slices.Clone(list), func(text string) bool {
			i := slices.Index(of, text)
			if i >= 0 {
				of = slices.Delete(of, i, i+1)
			}
			return i >= 0
		})
	}
	out := Plan{
		Name: name, Before: slices.Concat(before, others), After: slices.Concat(after, others), Old: without(before, after), New: without(after, before), Used: used,
	}
	for _, f := range failures {
		out.Removed = append(out.Removed, f.Permissions...)
	}
	return out
}

// UsedBy are the actions that the recorded calls of some principals may have been authorized by.
func UsedBy(principals []resource.Principal) (out []string) {
	c := catalog.Embedded()
	for _, p := range principals {
		if p.Use == nil {
			continue
		}
		for _, call := range p.Use.Calls {
			if meant, ok := c.Event(call.Source, call.Name); ok && call.Count > 0 {
				out = append(append(out, meant.Actions...), meant.Maybe...)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
