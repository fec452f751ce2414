package role_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

const (
	lambdas = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	nobody  = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}`
	wide    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}]}`
	narrow  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	app     = "arn:aws:iam::111122223333:policy/app"
	guard   = "arn:aws:iam::111122223333:policy/guard"
)

func sample() *role.Role {
	return &role.Role{Trust: lambdas, MaxSession: 3600, Identity: iam.Identity{
		Name: "app", Path: "/team/", Tags: map[string]string{"team": "web"},
		Inline:   []iam.Inline{{Name: "own", Document: wide}, {Name: "zone", Document: narrow}},
		Attached: []iam.Attached{{ARN: app, Version: "v3", Document: wide}, {ARN: guard, Version: "v1", Document: narrow}},
		Boundary: &iam.Attached{ARN: app, Version: "v3", Document: wide},
	}}
}

func canon(t *testing.T, config any) string {
	t.Helper()
	text, err := role.Type().Canon(config)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestOperations holds each operation against the laws: it shows after it is applied
// and not before, leaves what it was given as it is, changes nothing but its document,
// and its undo, filled with the outputs, brings the same role back.
func TestOperations(t *testing.T) {
	t.Parallel()
	typ := role.Type()
	for name, tc := range map[string]struct {
		change  func(*role.Role) (dera.Change, error)
		touches string // what every line that changes begins with
	}{
		"trust":           {func(r *role.Role) (dera.Change, error) { return r.SetTrust(nobody) }, "trust "},
		"inline_replaced": {func(r *role.Role) (dera.Change, error) { return r.SetInline(iam.RoleKind, "own", narrow) }, `inline "own"`},
		"inline_new":      {func(r *role.Role) (dera.Change, error) { return r.SetInline(iam.RoleKind, "fresh", narrow) }, `inline "fresh"`},
		"inline_removed":  {func(r *role.Role) (dera.Change, error) { return r.SetInline(iam.RoleKind, "own", "") }, `inline "own"`},
		"detached":        {func(r *role.Role) (dera.Change, error) { return r.DetachManaged(iam.RoleKind, guard) }, "attached " + guard},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := sample()
			c, err := tc.change(before)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Diff) == 0 {
				t.Error("the change has no diff")
			}
			op := resource.Of(c)
			if done, _, err := typ.Effect(before, op); err != nil || done {
				t.Errorf("effect before: got %t, %v, want false", done, err)
			}
			after, err := typ.Apply(before, op)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(sample(), before); d != "" {
				t.Errorf("apply wrote to what it was given:\n%s", d)
			}
			done, out, err := typ.Effect(after, op)
			if err != nil || !done || len(out) > 0 {
				t.Errorf("effect after: got %t, %v, %v, want true", done, out, err)
			}
			was, is := strings.Split(canon(t, before), "\n"), strings.Split(canon(t, after), "\n")
			for _, l := range slices.Concat(was, is) {
				if slices.Contains(was, l) != slices.Contains(is, l) && !strings.HasPrefix(l, tc.touches) {
					t.Errorf("something else changed: %s", l)
				}
			}
			undo, err := resource.OfUndo(*c.Undo, out)
			if err != nil {
				t.Fatal(err)
			}
			if done, _, err := typ.Effect(after, undo); err != nil || done {
				t.Errorf("effect of the undo before: got %t, %v, want false", done, err)
			}
			back, err := typ.Apply(after, undo)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(canon(t, sample()), canon(t, back)); d != "" {
				t.Errorf("undone (-before +now):\n%s", d)
			}
			if done, _, err := typ.Effect(back, undo); err != nil || !done {
				t.Errorf("effect of the undo after: got %t, %v, want true", done, err)
			}
			op.Input = []byte(strings.Replace(string(op.Input), `"name":"app"`, `"name":"other"`, 1))
			if _, err := typ.Apply(before, op); err == nil {
				t.Error("applied to another role: got no error")
			}
		})
	}
}

// TestRefused: what IAM would refuse, and an undo of a version in whose place someone
// else has put another.
func TestRefused(t *testing.T) {
	t.Parallel()
	typ := role.Type()
	for name, op := range map[string]resource.Operation{
		"no_such_inline_policy": {Name: "iam:DeleteRolePolicy", Version: 1, Input: []byte(`{"name":"app","policy":"none"}`)},
		"not_attached":          {Name: "iam:DetachRolePolicy", Version: 1, Input: []byte(`{"name":"app","policy":"arn:x"}`)},
		"member_nobody_knows":   {Name: "iam:PutRolePolicy", Version: 1, Input: []byte(`{"name":"app","policy":"a","force":true}`)},
		"later_version":         {Name: "iam:PutRolePolicy", Version: 2, Input: []byte(`{"name":"app","policy":"a"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := typ.Apply(sample(), op); err == nil {
				t.Errorf("%s: got no error", op.Name)
			}
		})
	}
	r := sample()
	r.Attached[0].Document = ""
	if _, err := r.DetachManaged(iam.RoleKind, app); err == nil {
		t.Error("a policy whose document is not known: got no error")
	}
}

// TestCanon: what means the same is the same, and an unread part is never none.
func TestCanon(t *testing.T) {
	t.Parallel()
	want := canon(t, sample())
	for name, tc := range map[string]struct {
		edit func(*role.Role)
		same bool
	}{
		"order":              {func(r *role.Role) { slices.Reverse(r.Inline); slices.Reverse(r.Attached) }, true},
		"versions":           {func(r *role.Role) { r.Attached[0].Version, r.Boundary.Version = "v9", "v9" }, true},
		"spaces":             {func(r *role.Role) { r.Trust = strings.ReplaceAll(lambdas, ":", " :\n") }, false}, // breaks the ARNs and actions
		"indented":           {func(r *role.Role) { r.Trust = strings.ReplaceAll(lambdas, "{", "{\n ") }, true},
		"last_use":           {func(r *role.Role) { r.LastUsed = &role.LastUsed{Region: "eu-west-1"} }, true},
		"tags_of_dera":       {func(r *role.Role) { r.Tags = map[string]string{"team": "web", "dera:by": "x"} }, true},
		"use_not_known":      {func(r *role.Role) { r.Unread = []string{role.PartUse} }, true},
		"document_lost":      {func(r *role.Role) { r.Attached[0].Document = "" }, true}, /* a resource of its own */
		"inline_not_read":    {func(r *role.Role) { r.Unread = []string{role.PartInline} }, false},
		"boundary_removed":   {func(r *role.Role) { r.Boundary = nil }, false},
		"boundary_attached":  {func(r *role.Role) { r.Boundary.ARN = guard }, false},
		"detached":           {func(r *role.Role) { r.Attached = r.Attached[1:] }, false},
		"inline_as_attached": {func(r *role.Role) { r.Inline, r.Attached[0].Document = r.Inline[1:], wide }, false},
		"path":               {func(r *role.Role) { r.Path = "/" }, false},
		"session":            {func(r *role.Role) { r.MaxSession = 43200 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := sample()
			tc.edit(r)
			if got := canon(t, r); (got == want) != tc.same {
				t.Errorf("same: got %t, want %t:\n%s", got == want, tc.same, got)
			}
		})
	}
}

// TestBrief: a quick look tells all but what it leaves out.
func TestBrief(t *testing.T) {
	t.Parallel()
	full, quick := sample(), sample()
	full.Unread, quick.MaxSession = []string{role.PartSession}, 0
	brief, err := role.Type().Brief(full)
	if err != nil || canon(t, brief) != canon(t, quick) {
		t.Errorf("got %+v, %v, want what a quick look reads", brief, err)
	}
}

// TestNeighbours: a role depends on its policies and its boundary, and the other way
// round a call on a policy is a hint at all roles.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Boundary.ARN = "arn:aws:iam::aws:policy/PowerUserAccess"
	var want []resource.Neighbour
	for _, id := range []string{"app", "guard", r.Boundary.ARN} {
		want = append(want, resource.Neighbour{Type: iam.ManagedPolicy, ID: id})
	}
	if d := cmp.Diff(want, role.Type().Neighbours(r)); d != "" {
		t.Errorf("neighbours (-want +got):\n%s", d)
	}
}

// TestHints: IAM's events arrive in one region and are about no region.
func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(role.Events())
	for name, tc := range map[string]struct {
		call, request, answer string
		want                  string // the role, * for all, "" for no hint
	}{
		"trust":                 {"UpdateAssumeRolePolicy", `{"roleName":"app","policyDocument":"{}"}`, `null`, "app"},
		"inline":                {"PutRolePolicy", `{"roleName":"app","policyName":"own","policyDocument":"{}"}`, `null`, "app"},
		"inline_removed":        {"DeleteRolePolicy", `{"roleName":"app","policyName":"own"}`, `null`, "app"},
		"attached":              {"AttachRolePolicy", `{"roleName":"app","policyArn":"` + app + `"}`, `null`, "app"},
		"detached":              {"DetachRolePolicy", `{"roleName":"app","policyArn":"` + app + `"}`, `null`, "app"},
		"boundary":              {"PutRolePermissionsBoundary", `{"roleName":"app","permissionsBoundary":"` + app + `"}`, `null`, "app"},
		"boundary_removed":      {"DeleteRolePermissionsBoundary", `{"roleName":"app"}`, `null`, "app"},
		"tags":                  {"TagRole", `{"roleName":"app","tags":[{"key":"a","value":"b"}]}`, `null`, "app"},
		"created":               {"CreateRole", `{"roleName":"app","path":"/team/"}`, `{"role":{"roleName":"app","path":"/team/"}}`, "app"},
		"deleted":               {"DeleteRole", `{"roleName":"app"}`, `null`, "app"},
		"named_by_iam":          {"CreateServiceLinkedRole", `{"aWSServiceName":"ecs.amazonaws.com"}`, `{"role":{"roleName":"AWSServiceRoleForECS"}}`, "AWSServiceRoleForECS"},
		"new_version":           {"CreatePolicyVersion", `{"policyArn":"` + app + `","policyDocument":"{}","setAsDefault":true}`, `{"policyVersion":{"versionId":"v4"}}`, "*"},
		"other_default_version": {"SetDefaultPolicyVersion", `{"policyArn":"` + app + `","versionId":"v2"}`, `null`, "*"},
		"version_removed":       {"DeletePolicyVersion", `{"policyArn":"` + app + `","versionId":"v2"}`, `null`, "*"},
		"name_elided":           {"TagRole", `{"roleName":"..."}`, `null`, "*"},
		"no_parameters":         {"TagRole", `null`, `null`, "*"},
		"of_a_user":             {"AttachUserPolicy", `{"userName":"app"}`, `null`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := cloudtrail.Record{Source: "iam.amazonaws.com", Name: tc.call, Account: "111122223333", Region: "us-gov-west-1", Partition: "aws-us-gov", Request: []byte(tc.request), Response: []byte(tc.answer)}
			var want []dera.Scope
			if tc.want != "" {
				want = []dera.Scope{{Partition: "aws-us-gov", Account: "111122223333", Region: dera.GlobalRegion, Type: role.Name}}
			}
			if tc.want != "" && tc.want != "*" {
				want[0].IDs = []string{tc.want}
			}
			if d := cmp.Diff(want, watch.Hints(r)); d != "" {
				t.Errorf("hints (-want +got):\n%s", d)
			}
		})
	}
	for _, c := range watch.Calls() {
		if c.Region != dera.GlobalRegion {
			t.Errorf("%s: got the region %q, want the home of the partition", c.Name, c.Region)
		}
	}
	if doc := watch.Document(cloudtrail.Record{Source: "iam.amazonaws.com", Name: "PutRolePolicy", Request: []byte(`{"roleName":"a","policyDocument":"{1}"}`)}); doc != "{1}" {
		t.Errorf("written document: got %q", doc)
	}
}
