package iamtest

import (
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/iam/catalog"
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
