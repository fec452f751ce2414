package iamtest

import (
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// resourceBodies are forgeries of a proof about resources.
func resourceBodies(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
	t.Helper()
	var r iam.Resources
	if err := controltest.Strict(ev.Body, &r); err != nil {
		t.Fatalf("read body of evidence: %v", err)
	}
	after := func(text string) iam.Resources {
		out := r
		out.After = slices.Clone(r.After)
		for i := range out.After {
			if r.After[i] != r.Actions.After[i] {
				out.After[i] = text
			}
		}
		return out
	}
	calls := func(change func(*resource.Call)) iam.Resources {
		out := r
		out.Actions.Before.Principals = slices.Clone(r.Actions.Before.Principals)
		for i := range out.Actions.Before.Principals {
			who := &out.Actions.Before.Principals[i]
			who.Use.Calls = slices.Clone(who.Use.Calls)
			for n := range who.Use.Calls {
				change(&who.Use.Calls[n])
			}
		}
		return out
	}
	same, early, other, gap := r, r, r, r
	same.After = r.Actions.After
	early.Actions.After = r.After
	other.NothingLost = r.NothingNew
	gap.Actions.Before.Principals = slices.Clone(r.Actions.Before.Principals)
	gap.Actions.Before.Principals[0].Use.Gaps = []resource.Gap{{Kind: "hours", Why: "an hour is missing"}}
	return []controltest.Forgery{
		{How: "nothing changes", Body: same},
		{How: "the resources go in the first step", Body: early},
		{How: "the certificate is another's", Body: other},
		{How: "the record has a gap", Body: gap},
		{How: "everything is allowed", Body: after(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)},
		{How: "nothing is allowed", Body: after("")},
		{How: "the calls named nothing", Body: calls(func(c *resource.Call) { c.Resources = nil })},
		{How: "the calls named more", Body: calls(func(c *resource.Call) { c.More = true })},
		{How: "the calls named something else", Body: calls(func(c *resource.Call) {
			for i, on := range c.Resources {
				c.Resources = slices.Clone(c.Resources)
				c.Resources[i] = on + "-x"
			}
		})},
	}
}

// Seen holds a plan that narrows resources against what its principals did, which another
// code than the control's reads of the calls: each call that was allowed stays allowed, on
// each resource that it named. It returns how many actions the policies deny on one more
// resource of the same kind, which they allowed before.
func Seen(t controltest.TB, before, after []string, principals []resource.Principal) (denied int) {
	t.Helper()
	old, fresh := compiled(t, before), compiled(t, after)
	for _, p := range principals {
		for _, call := range p.Use.Calls {
			meant, ok := catalog.Embedded().Event(call.Source, call.Name)
			for _, action := range meant.Actions {
				if !ok || call.Count == 0 {
					continue
				}
				for _, on := range append([]string{"*", "arn:aws:x:eu-west-1:111122223333:anything"}, call.Resources...) {
					named := slices.Contains(call.Resources, on)
					other := on + "-other"
					was, is := decide(old, action, on), decide(fresh, action, on)
					if was && !is && (named || call.More || len(call.Resources) == 0) || is && !was {
						t.Errorf("%s on %s: allowed before %t, after %t", action, on, was, is)
					}
					if named && decide(old, action, other) && !decide(fresh, action, other) {
						denied++
					}
				}
			}
		}
	}
	return denied
}

// HoldSeen holds the plans that narrow resources of each case against what was done. own
// are the policies of a configuration, and least is how many plans there must be, and how
// many actions that are denied on another resource.
func HoldSeen(t *testing.T, l controltest.Laws, c control.Control, file string, own func(config any) []string, least [2]int) {
	t.Helper()
	plans, denied := 0, 0
	for _, k := range l.Read(t, c, file) {
		for _, after := range Located(t, l, c, k.Settings, k.Resource.Config) {
			n := Seen(t, own(k.Resource.Config), own(after), l.Type.Principals(k.Resource.Config))
			if n == 0 {
				t.Errorf("%s: no other resource is denied", k.Name)
			}
			plans, denied = plans+1, denied+n
		}
	}
	if plans < least[0] || denied < least[1] {
		t.Errorf("got %d plans that deny %d actions on another resource, want %v at least", plans, denied, least)
	}
}

// Located is a configuration after the plan for the finding on resources alone, and after
// the plan for all findings; none where there is no such finding, or no plan.
func Located(t controltest.TB, l controltest.Laws, c control.Control, s control.Settings, config any) (out []any) {
	t.Helper()
	r := l.Resource(config)
	res, err := c.Check(r, s)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	all := slices.DeleteFunc(res.Failures, func(f control.Failure) bool { return f.Start == dera.Alert })
	alone := slices.DeleteFunc(slices.Clone(all), func(f control.Failure) bool { return f.Key != iam.ResourcesKey })
	if len(alone) == 0 {
		return nil
	}
	for _, list := range [][]control.Failure{alone, all} {
		plan, refusal, err := c.Plan(r, list, s)
		if err != nil {
			t.Fatalf("plan: %v", err)
		}
		if refusal != nil {
			continue
		}
		ev, err := c.Prove(r, list, plan, s)
		if err != nil {
			t.Fatalf("prove: %v", err)
		}
		for _, claim := range ev.Claims { // what is rarely used is watched for too short a time
			if claim.Verdict != dera.Proved && (claim.Name != "unused" || len(list) == 1) {
				t.Errorf("%s is %s: %s", claim.Name, claim.Verdict, claim.Witness)
			}
		}
		after, err := l.Type.ApplyPlan(config, plan)
		if err != nil {
			t.Fatalf("apply: %v", err)
		}
		out = append(out, after)
	}
	return out
}

func compiled(t controltest.TB, texts []string) *eval.Set {
	t.Helper()
	var docs []*policy.Document
	for _, text := range texts {
		doc, err := policy.Parse(text)
		if err != nil {
			t.Fatalf("read policy: %v", err)
		}
		docs = append(docs, doc)
	}
	return eval.Compile(docs...)
}

// decide asks as someone who fulfils the conditions of the cases.
func decide(set *eval.Set, action, on string) bool {
	q := eval.Request{Action: action, Resource: on, Context: eval.Context{"aws:requestedregion": {"eu-west-1"}, "aws:referer": {"s3cr3t"}}}
	return set.Decide(q, eval.Reading{}) == eval.Allowed
}
