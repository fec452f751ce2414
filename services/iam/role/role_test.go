package role

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
)

const (
	wide   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	narrow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	own    = "arn:aws:iam::111122223333:policy/own"
	aws    = "arn:aws:iam::aws:policy/ReadOnlyAccess"
)

func sample() *Role {
	return &Role{
		Account: "111122223333", Name: "app", Path: "/team/", Trust: wide, Inline: map[string]string{"files": wide},
		Attached: []Policy{{own, "v1", wide}, {aws, "v9", wide}}, Tags: map[string]string{"team": "web"},
	}
}

// TestOperations: each shows after it was applied and not before, and its undo brings
// back what there was.
func TestOperations(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Role) (dera.Change, error){
		"trust":           func(r *Role) (dera.Change, error) { return r.SetTrust(narrow) },
		"inline_put":      func(r *Role) (dera.Change, error) { return r.SetInline("files", narrow) },
		"inline_new":      func(r *Role) (dera.Change, error) { return r.SetInline("more", narrow) },
		"inline_deleted":  func(r *Role) (dera.Change, error) { return r.SetInline("files", "") },
		"policy_attached": func(r *Role) (dera.Change, error) { return r.SetAttached(own, narrow) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			typ, before := Type(), sample()
			c, err := change(before)
			if err != nil {
				t.Fatal(err)
			}
			if done, _, err := typ.Effect(before, resource.Of(c)); done || err != nil {
				t.Errorf("effect before: got %t, %v, want false", done, err)
			}
			after, err := typ.Apply(before, resource.Of(c))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(sample(), before); d != "" {
				t.Errorf("apply changed what it was given (-want +got):\n%s", d)
			}
			if done, _, err := typ.Effect(after, resource.Of(c)); !done || err != nil {
				t.Errorf("effect after: got %t, %v, want true", done, err)
			}
			undo, err := resource.OfUndo(*c.Undo, nil)
			if err != nil {
				t.Fatal(err)
			}
			back, err := typ.Apply(after, undo)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(before.Canon(), back.(*Role).Canon()); d != "" {
				t.Errorf("undo (-before +back):\n%s", d)
			}
			if op, _ := typ.Operation(c.Operation); !op.Whole || len(typ.Rivals(c.Operation)) == 0 {
				t.Errorf("%s: got %+v, want a whole document with rivals", c.Operation, op)
			}
		})
	}
}

// TestOutput: the version is what IAM gave, once the document shows.
func TestOutput(t *testing.T) {
	t.Parallel()
	r := sample()
	c, err := r.SetAttached(own, narrow)
	if err != nil {
		t.Fatal(err)
	}
	r.Attached[0] = Policy{own, "v2", narrow}
	done, out, err := Type().Effect(r, resource.Of(c))
	if d := cmp.Diff(map[string]string{OutputVersion: "v2"}, out); d != "" || !done || err != nil {
		t.Errorf("effect: %t, %v, output (-want +got):\n%s", done, err, d)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	unread := sample()
	unread.Unread = []string{PartInline}
	unknown := sample()
	unknown.Attached[0].Document = ""
	for name, tc := range map[string]struct {
		r  *Role
		op string
		in string
	}{
		"policy_of_aws":      {sample(), CreateVersion, `{"role":"app","policy":"` + aws + `","document":"{}"}`},
		"policy_of_others":   {sample(), CreateVersion, `{"role":"app","policy":"arn:aws:iam::111122223333:policy/x","document":"{}"}`},
		"document_not_known": {unknown, CreateVersion, `{"role":"app","policy":"` + own + `","document":"{}"}`},
		"no_document":        {sample(), UpdateTrust, `{"role":"app","document":"no"}`},
		"inline_is_not":      {sample(), DeleteInline, `{"role":"app","policy":"x"}`},
		"inline_not_known":   {unread, DeleteInline, `{"role":"app","policy":"files"}`},
		"another_role":       {sample(), DeleteInline, `{"role":"other","policy":"files"}`},
		"no_role":            {sample(), DeleteInline, `{"policy":"files"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := Type().Apply(tc.r, resource.Operation{Name: tc.op, Version: 1, Input: []byte(tc.in)}); err == nil {
				t.Errorf("got %+v, want an error", got)
			}
		})
	}
}

// TestUnreadIsNotEmpty: a role of which a part is unread is not one without it.
func TestUnreadIsNotEmpty(t *testing.T) {
	t.Parallel()
	none, unread := sample(), sample()
	none.Inline, unread.Inline, unread.Unread = nil, nil, []string{PartInline}
	if none.Canon() == unread.Canon() {
		t.Error("the canonical forms are equal")
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(Events())
	scope := func(ids ...string) []dera.Scope {
		return []dera.Scope{{Partition: "aws", Account: "111122223333", Region: dera.GlobalRegion, Type: Name, IDs: ids}}
	}
	for name, tc := range map[string]struct {
		call, request string
		want          []dera.Scope
	}{
		"trust":         {"UpdateAssumeRolePolicy", `{"roleName":"app","policyDocument":"{}"}`, scope("app")},
		"attached":      {"AttachRolePolicy", `{"roleName":"app","policyArn":"` + own + `"}`, scope("app")},
		"name_elided":   {"PutRolePolicy", `{"roleName":"a/b"}`, scope()},
		"version":       {"CreatePolicyVersion", `{"policyArn":"` + own + `"}`, scope()},
		"default":       {"SetDefaultPolicyVersion", `{"policyArn":"` + own + `","versionId":"v1"}`, scope()},
		"of_user":       {"PutUserPolicy", `{"userName":"app"}`, nil},
		"only_a_read":   {"GetRole", `{"roleName":"app"}`, nil},
		"version_ended": {"DeletePolicyVersion", `{"policyArn":"` + own + `"}`, scope()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := cloudtrail.Record{Source: source, Name: tc.call, Account: "111122223333", Region: "us-east-1", Partition: "aws", Request: []byte(tc.request)}
			if d := cmp.Diff(tc.want, watch.Hints(r)); d != "" {
				t.Errorf("hints (-want +got):\n%s", d)
			}
		})
	}
	for _, c := range watch.Calls() {
		if c.Region != home {
			t.Errorf("%s arrives in %q, want %s", c.Name, c.Region, home)
		}
	}
}
