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
	"dera.example/dera/services/iam"
)

// HoldCases holds the automatic plan of each case of a control on permissions that nobody used. own are
// the policies of a configuration, and others those of its principals besides.
func (p *Peer) HoldCases(t *testing.T, l controltest.Laws, c control.Control, file string, own func(config any) []iam.Text, others func(config any) []string) {
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

// HoldResources holds the plans that narrow the resources of a configuration: what was done
// on a resource is allowed there as before, and on another one it is not allowed any more.
func (p *Peer) HoldResources(t *testing.T, name string, l controltest.Laws, c control.Control, s control.Settings, config any, own func(config any) []string) {
	t.Helper()
	for _, after := range Located(t, l, c, s, config) {
		p.plans++
		for _, who := range l.Type.Principals(config) {
			for _, call := range who.Use.Calls {
				p.seen(name, call, own(config), own(after))
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

// PlanOf tells the policies that a plan changes from those that it does not, by their
// names. A policy of AWS has the name of its copy, so that a copy that was there already
// is one of those that change.
func PlanOf(name string, before, after []iam.Text, others, used []string, failures []control.Failure) Plan {
	out := Plan{Name: name, Before: others, After: others, Used: used}
	var done []string
	for _, t := range slices.Concat(before, after) {
		if slices.Contains(done, t.Name) {
			continue
		}
		done = append(done, t.Name)
		old, fresh := named(before, t.Name), named(after, t.Name)
		out.Before, out.After = slices.Concat(out.Before, old), slices.Concat(out.After, fresh)
		if !slices.Equal(old, fresh) {
			out.Old, out.New = append(out.Old, old...), append(out.New, fresh...)
		}
	}
	for _, f := range failures {
		out.Removed = append(out.Removed, f.Permissions...)
	}
	return out
}

func named(list []iam.Text, name string) (out []string) {
	for _, t := range list {
		if t.Name == name {
			out = append(out, t.Document)
		}
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
