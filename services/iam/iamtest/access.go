package iamtest

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// gives reports whether a plan gives back what somebody asked for.
func gives(p dera.Plan) bool {
	return slices.ContainsFunc(p.Keys, func(k string) bool { return strings.HasPrefix(k, "access/") })
}

// Given: every policy that is new is one by which an access is given, and allows nothing but
// its actions; all others are as they were.
func Given(t controltest.TB, before, after *iam.Identity) {
	t.Helper()
	for _, p := range after.Inline {
		if slices.Contains(before.Inline, p) {
			continue
		}
		i := slices.IndexFunc(before.Access, func(a resource.Asked) bool { return iam.AccessPolicy(a.Access) == p.Name })
		if i < 0 || strings.Contains(p.Document, `"Deny"`) || strings.Contains(p.Document, `"NotAction"`) {
			t.Errorf("inline policy %s does not just give what somebody asked for: %s", p.Name, p.Document)
		}
	}
	for _, p := range before.Inline {
		if !slices.Contains(after.Inline, p) {
			t.Errorf("inline policy %s is not as it was", p.Name)
		}
	}
	if !slices.Equal(before.Attached, after.Attached) {
		t.Errorf("the attached policies are not as they were")
	}
}

// ReturnBodies are forgeries of a proof about what is given back.
func ReturnBodies(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
	t.Helper()
	var r iam.Returned
	if err := controltest.Strict(ev.Body, &r); err != nil {
		t.Fatalf("read body of evidence: %v", err)
	}
	change := func(f func(*iam.Giving)) iam.Returned {
		out := r
		out.Gives = slices.Clone(r.Gives)
		f(&out.Gives[0])
		return out
	}
	aimless := r
	aimless.Goals = nil
	return []controltest.Forgery{
		{How: "no finding is named", Body: aimless},
		{How: "nothing is given", Body: change(func(g *iam.Giving) { g.After = `{"Version":"2012-10-17","Statement":[]}` })},
		{How: "everything is given", Body: change(func(g *iam.Giving) {
			g.After = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
		})},
		{How: "it ends later", Body: change(func(g *iam.Giving) { g.Until = g.Until.AddDate(1, 0, 0) })},
		{How: "another action is given", Body: change(func(g *iam.Giving) { g.Actions = []string{"s3:GetObject"} })},
		{How: "the certificate is another's", Body: change(func(g *iam.Giving) { g.NothingNew = strings.Replace(g.NothingNew, "PutObject", "GetObject", 1) })},
	}
}
