package iamtest

import (
	"slices"

	"dera.example/dera"
	"dera.example/dera/control/controltest"
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
