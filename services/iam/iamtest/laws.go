package iamtest

import (
	"encoding/json"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control/controltest"
	"dera.example/dera/resource"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam"
)

// Laws are those on a kind of identity. others are the policies that decide besides what
// it may do.
func Laws[T any](typ resource.Type, k iam.Kind, of func(*T) *iam.Identity, others func(*T) []iam.Attached) controltest.Laws {
	whole := func(config any) *iam.Identity {
		c := config.(*T)
		i := *of(c)
		i.Attached = slices.Concat(i.Attached, others(c))
		return &i
	}
	return controltest.Laws{
		Type: typ, Evidence: []evidence.Kind{iam.PermissionsEvidence(), iam.StageEvidence(), iam.CopyEvidence(), iam.ResourcesEvidence(), iam.ReturnEvidence()},
		Orders: func(config any) []any {
			c := *config.(*T)
			i := of(&c)
			i.Inline, i.Attached = slices.Clone(i.Inline), slices.Clone(i.Attached)
			slices.Reverse(i.Inline)
			slices.Reverse(i.Attached)
			return []any{&c}
		},
		Surgical: func(t controltest.TB, before, after any, p dera.Plan) {
			t.Helper()
			a, b := *before.(*T), *after.(*T)
			if gives(p) {
				Given(t, of(&a), of(&b))
			} else if updates(p) {
				Updated(t, of(&a), of(&b))
			} else {
				Surgical(t, of(&a), of(&b), p)
			}
			of(&a).Inline, of(&b).Inline, of(&a).Attached, of(&b).Attached = nil, nil, nil, nil
			x, errX := json.Marshal(a)
			y, errY := json.Marshal(b)
			if errX != nil || errY != nil || string(x) != string(y) {
				t.Errorf("something beside the policies changed: %v, %v\n%s\n%s", errX, errY, x, y)
			}
			if !gives(p) && !slices.ContainsFunc(p.Diff(), func(l string) bool { return strings.HasPrefix(l, "- ") }) {
				t.Errorf("the diff takes nothing away: %q", p.Diff())
			}
		},
		Same: func(t controltest.TB, a, b any) bool {
			t.Helper()
			return Same(t, whole(a), whole(b))
		},
		Opens: func(p dera.Plan, key string) bool { // what stays in a copy can be narrowed now
			if key == iam.ResourcesKey { // a list takes the place of a wildcard
				return !slices.Contains(p.Keys, key)
			}
			copies := slices.ContainsFunc(p.Keys, func(k string) bool { return strings.HasPrefix(k, iam.UnusedAWSKey) })
			return copies && slices.Contains([]string{iam.UnusedRareKey, iam.UnusedIdentityKey, iam.UnusedPassRoleKey}, key)
		},
		Grants: func(p dera.Plan) bool { return updates(p) || gives(p) },
		Bodies: func(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
			t.Helper()
			if ev.Kind == iam.ReturnKind {
				return ReturnBodies(t, ev)
			}
			if ev.Kind == iam.CopyKind {
				return UpdateBodies(t, ev)
			}
			return Bodies(t, ev)
		},
		Mutants: Mutants(k, func(config any) *iam.Identity { return of(config.(*T)) }),
	}
}

// updates reports whether a plan gives copies what AWS added.
func updates(p dera.Plan) bool {
	return slices.ContainsFunc(p.Keys, func(k string) bool { return strings.HasPrefix(k, iam.CopyKey) })
}

// Updated: every policy that changed is a copy under the name of a later version, with all
// statements of the one before.
func Updated(t controltest.TB, before, after *iam.Identity) {
	t.Helper()
	left := map[string]string{}
	for _, p := range before.Inline {
		left[p.Name] = p.Document
	}
	for _, p := range after.Inline {
		text, ok := left[p.Name]
		delete(left, p.Name)
		for _, c := range before.Copied {
			if p.Name == iam.CopyName(c.ARN, c.Now.Version) && c.Then.Version != c.Now.Version {
				if !ok { // else half of the plan was carried out
					text = left[c.Inline]
				}
				delete(left, c.Inline)
			}
		}
		if text == "" || text != p.Document && !strings.HasPrefix(p.Document, strings.TrimRight(text, "]}")) {
			t.Errorf("inline policy %s is new, or has lost something: %s", p.Name, p.Document)
		}
	}
	if len(left) > 0 || len(before.Attached) != len(after.Attached) {
		t.Errorf("policies are missing: %v", left)
	}
}

// UpdateBodies are forgeries of a proof about copies.
func UpdateBodies(t controltest.TB, ev dera.Evidence) []controltest.Forgery {
	t.Helper()
	var u iam.Updates
	if err := controltest.Strict(ev.Body, &u); err != nil {
		t.Fatalf("read body of evidence: %v", err)
	}
	change := func(f func(*iam.Update)) iam.Updates {
		out := u
		out.Copies = slices.Clone(u.Copies)
		f(&out.Copies[0])
		return out
	}
	aimless := u
	aimless.Goals = nil
	return []controltest.Forgery{
		{How: "no finding is named", Body: aimless},
		{How: "nothing changes", Body: change(func(c *iam.Update) { c.After = c.Before })},
		{How: "AWS added nothing", Body: change(func(c *iam.Update) { c.Then.Document = c.Now.Document })},
		{How: "the copy allows everything", Body: change(func(c *iam.Update) {
			c.After = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
		})},
		{How: "the certificate is another's", Body: change(func(c *iam.Update) { c.NothingMore = c.NothingLost })},
	}
}

// Texts are the documents of an identity's policies.
func Texts(i *iam.Identity) (out []string) {
	for _, p := range Named(i) {
		out = append(out, p.Document)
	}
	return out
}

// Named are the same with their names: a policy of AWS has that of its copy.
func Named(i *iam.Identity) (out []iam.Text) {
	for _, p := range i.Inline {
		out = append(out, iam.Text{Name: p.Name, Document: p.Document})
	}
	for _, p := range i.Attached {
		out = append(out, iam.Text{Name: iam.CopyName(p.ARN, p.Version), Document: p.Document})
	}
	return out
}
