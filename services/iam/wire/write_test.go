package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/group"
	"dera.example/dera/services/iam/policy"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/services/iam/user"
)

// TestWrites carries out each operation on moto, and its undo.
func TestWrites(t *testing.T) {
	t.Parallel()
	server := moto.Start(t, moto.Config{})
	for name, in := range map[string]func(*testing.T, string) *account{
		"moto":   func(t *testing.T, typ string) *account { return newAccount(t, server, typ, nil) },
		"awssim": func(t *testing.T, typ string) *account { a, _ := simulated(t, typ); return a },
	} {
		t.Run(name+"_changes", func(t *testing.T) { testChanges(t, in) })
		t.Run(name+"_moved", func(t *testing.T) { testMoved(t, in) })
		t.Run(name+"_versions", func(t *testing.T) { testVersions(t, in) })
		t.Run(name+"_refused", func(t *testing.T) { testRefused(t, in) })
	}
}

// plan is one about a resource of the account.
func (a *account) plan(id string, arn dera.ARN, changes ...dera.Change) dera.Plan {
	return dera.Plan{Partition: "aws", Account: a.id, Region: dera.GlobalRegion, Type: a.typ, Resource: arn, Changes: changes}
}

// do carries out one operation on a resource.
func (a *account) do(t *testing.T, id string, op resource.Operation) error {
	t.Helper()
	x := a.read(t, id)[id]
	_, err := a.Do(t.Context(), a.plan(id, x.ARN), op, cloudtest.Allow)
	return err
}

func one(c dera.Change, err error) ([]dera.Change, error) { return []dera.Change{c}, err }

// testChanges: what a change writes shows afterwards, and its undo brings back what was
// there.
func testChanges(t *testing.T, in func(*testing.T, string) *account) {
	const fresh = "fresh"
	full := func(t *testing.T, a *account) {
		a.version(t, a.arn("policy/few"), allowOn("2"), false)
		a.version(t, a.arn("policy/few"), allowOn("3"), false)
		a.version(t, a.arn("policy/few"), allowOn("4"), false)
		a.version(t, a.arn("policy/few"), allowOn("5"), true)
	}
	for name, tc := range map[string]struct {
		typ    resource.Type
		id     string
		before func(*testing.T, *account)
		change func(a *account, config any) ([]dera.Change, error)
	}{
		"trust": {role.Type(), "web", nil, func(_ *account, c any) ([]dera.Change, error) {
			return one(c.(*role.Role).SetTrust(strings.ReplaceAll(trust, "ec2", "lambda")))
		}},
		"role_inline": {role.Type(), "web", nil, func(_ *account, c any) ([]dera.Change, error) {
			return one(c.(*role.Role).SetInline(own.RoleKind, "own", allowOn(fresh)))
		}},
		"role_inline_new": {role.Type(), "web", nil, func(_ *account, c any) ([]dera.Change, error) {
			return one(c.(*role.Role).SetInline(own.RoleKind, "new", allowOn(fresh)))
		}},
		"role_inline_out": {role.Type(), "web", nil, func(_ *account, c any) ([]dera.Change, error) {
			return one(c.(*role.Role).SetInline(own.RoleKind, "own", ""))
		}},
		"role_detached": {role.Type(), "web", nil, func(a *account, c any) ([]dera.Change, error) {
			return one(c.(*role.Role).DetachManaged(own.RoleKind, a.arn("policy/few")))
		}},
		"user_inline": {user.Type(), "ann", nil, func(_ *account, c any) ([]dera.Change, error) {
			return one(c.(*user.User).SetInline(own.UserKind, "own", allowOn(fresh)))
		}},
		"user_inline_out": {user.Type(), "ann", nil, func(_ *account, c any) ([]dera.Change, error) {
			return one(c.(*user.User).SetInline(own.UserKind, "own", ""))
		}},
		"user_detached": {user.Type(), "ann", nil, func(a *account, c any) ([]dera.Change, error) {
			return one(c.(*user.User).DetachManaged(own.UserKind, a.arn("policy/team/app")))
		}},
		"group_inline": {group.Type(), "staff", nil, func(_ *account, c any) ([]dera.Change, error) {
			return one(c.(*group.Group).SetInline(own.GroupKind, "own", allowOn(fresh)))
		}},
		"group_detached": {group.Type(), "staff", nil, func(a *account, c any) ([]dera.Change, error) {
			return one(c.(*group.Group).DetachManaged(own.GroupKind, a.arn("policy/team/app")))
		}},
		"policy":         {policy.Type(), "few", nil, func(_ *account, c any) ([]dera.Change, error) { return c.(*policy.Policy).SetDocument(allowOn(fresh)) }},
		"policy_again":   {policy.Type(), "team/app", nil, func(_ *account, c any) ([]dera.Change, error) { return c.(*policy.Policy).SetDocument(allowOn("two")) }},
		"policy_no_room": {policy.Type(), "few", full, func(_ *account, c any) ([]dera.Change, error) { return c.(*policy.Policy).SetDocument(allowOn(fresh)) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := in(t, tc.typ.Name)
			a.furnish(t)
			if tc.before != nil {
				tc.before(t, a)
			}
			now := func() (any, string) {
				config := a.read(t, tc.id)[tc.id].Config
				text, err := tc.typ.Canon(config)
				if err != nil {
					t.Fatal(err)
				}
				return config, text
			}
			config, before := now()
			changes, err := tc.change(a, config)
			if err != nil {
				t.Fatal(err)
			}
			outs := make([]map[string]string, len(changes))
			send := func(op resource.Operation) map[string]string {
				if err := a.do(t, tc.id, op); err != nil {
					t.Fatalf("%s: %v", op.Name, err)
				}
				config, _ := now()
				done, out, err := tc.typ.Effect(config, op)
				if err != nil || !done {
					t.Fatalf("%s: shows %t, %v", op.Name, done, err)
				}
				return out
			}
			want := config
			for i, c := range changes {
				if want, err = tc.typ.Apply(want, resource.Of(c)); err != nil {
					t.Fatal(err)
				}
				outs[i] = send(resource.Of(c))
			}
			text, _ := tc.typ.Canon(want)
			if _, after := now(); after != text {
				t.Errorf("after (-want +got):\n%s", cmp.Diff(text, after))
			}
			for i := len(changes) - 1; i >= 0; i-- {
				undo, err := resource.OfUndo(*changes[i].Undo, outs[i])
				if err != nil {
					t.Fatal(err)
				}
				send(undo)
			}
			if _, after := now(); after != before {
				t.Errorf("undone (-before +now):\n%s", cmp.Diff(before, after))
			}
		})
	}
}

// testMoved: a whole document that someone else has changed since, or removed, is left
// alone.
func testMoved(t *testing.T, in func(*testing.T, string) *account) {
	for name, tc := range map[string]struct {
		typ, id string
		op      string
		input   string
	}{
		"trust":                  {role.Name, "web", role.UpdateTrust, fmt.Sprintf(`{"name":"web","document":%q,"expect":%q}`, trust, allowOn("other"))},
		"inline":                 {role.Name, "web", "iam:PutRolePolicy", fmt.Sprintf(`{"name":"web","policy":"own","document":%q,"expect":%q}`, allowOn("x"), allowOn("other"))},
		"inline_there_now":       {role.Name, "web", "iam:PutRolePolicy", fmt.Sprintf(`{"name":"web","policy":"own","document":%q}`, allowOn("x"))},
		"inline_gone":            {role.Name, "web", "iam:PutRolePolicy", fmt.Sprintf(`{"name":"web","policy":"gone","document":%q,"expect":%q}`, allowOn("x"), allowOn("y"))},
		"inline_deleted":         {user.Name, "ann", "iam:DeleteUserPolicy", fmt.Sprintf(`{"name":"ann","policy":"gone","expect":%q}`, allowOn("y"))},
		"inline_of_a_group":      {group.Name, "staff", "iam:DeleteGroupPolicy", fmt.Sprintf(`{"name":"staff","policy":"own","expect":%q}`, allowOn("y"))},
		"detached_of_other_text": {role.Name, "web", "iam:DetachRolePolicy", `{"name":"web","policy":"FEW","document":"{\"Version\":\"2012-10-17\",\"Statement\":[]}"}`},
		"attached_of_other_text": {user.Name, "ann", "iam:AttachUserPolicy", `{"name":"ann","policy":"FEW","document":"{\"Version\":\"2012-10-17\",\"Statement\":[]}"}`},
		"version_in_force":       {policy.Name, "team/app", policy.SetDefault, fmt.Sprintf(`{"policy":"team/app","document":%q,"expect":%q}`, allowOn("app"), allowOn("two"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := in(t, tc.typ)
			a.furnish(t)
			a.proxy.reset()
			input := strings.ReplaceAll(tc.input, "FEW", a.arn("policy/few"))
			err := a.do(t, tc.id, resource.Operation{Name: tc.op, Version: 1, Input: []byte(input)})
			_, call, _ := strings.Cut(tc.op, ":")
			if !errors.Is(err, cloud.ErrMoved) || a.proxy.count(call) != 0 {
				t.Errorf("got %v, want it moved and nothing sent", err)
			}
		})
	}
}

// testVersions: versions are found by what they say.
func testVersions(t *testing.T, in func(*testing.T, string) *account) {
	a := in(t, policy.Name)
	a.furnish(t)
	set := func(id, text, expect string, again bool) error {
		input := fmt.Sprintf(`{"policy":%q,"document":%q,"expect":%q,"make":%t}`, id, text, expect, again)
		return a.do(t, id, resource.Operation{Name: policy.SetDefault, Version: 1, Input: []byte(input)})
	}
	remove := func(id, text, version string) error {
		input := fmt.Sprintf(`{"policy":%q,"document":%q,"version":%q}`, id, text, version)
		return a.do(t, id, resource.Operation{Name: policy.DeleteVersion, Version: 1, Input: []byte(input)})
	}
	config := func(id string) *policy.Policy { return a.read(t, id)[id].Config.(*policy.Policy) }
	// An undo whose version someone has deleted makes it again.
	if err := set("team/app", allowOn("gone"), allowOn("three"), true); err != nil {
		t.Fatal(err)
	}
	if p := config("team/app"); p.Default.Document != allowOn("gone") || len(p.Others) != 3 {
		t.Errorf("made again: got %+v", p)
	}
	a.version(t, a.arn("policy/team/app"), allowOn("five"), false)
	before := config("team/app")
	for name, err := range map[string]error{
		"no room to make it again": set("team/app", allowOn("never"), allowOn("gone"), true),
		"not there, or not yet":    set("none", allowOn("never"), allowOn("none"), false),
		"delete what is in force":  remove("team/app", allowOn("gone"), "v4"),
		"delete what is not there": remove("team/app", allowOn("never"), "v1"),
	} {
		var e *cloud.Error
		if !errors.As(err, &e) || !e.Refused() {
			t.Errorf("%s: got %v, want it refused", name, err)
		}
	}
	if d := cmp.Diff(before, config("team/app")); d != "" {
		t.Errorf("what is refused changes something:\n%s", d)
	}
	// Of two that say the same, the one that was read.
	for _, inForce := range []bool{false, true, false} {
		a.version(t, a.arn("policy/none"), allowOn("same"), inForce)
	}
	if err := remove("none", allowOn("same"), "v4"); err != nil {
		t.Fatal(err)
	}
	if p := config("none"); p.Default.ID != "v3" || len(p.Others) != 2 || p.Others[0].ID != "v2" {
		t.Errorf("got %+v, want v4 gone", p)
	}
}

// testRefused: what IAM refuses is its own error, in full, and nothing was done.
func testRefused(t *testing.T, in func(*testing.T, string) *account) {
	const size = `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>LimitExceeded</Code>` +
		`<Message>Cannot exceed quota for PolicySize: 6144</Message></Error><RequestId>r</RequestId></ErrorResponse>`
	create := resource.Operation{Name: policy.CreateVersion, Version: 1, Input: []byte(fmt.Sprintf(`{"policy":"few","document":%q}`, allowOn("new")))}
	put := resource.Operation{Name: "iam:PutRolePolicy", Version: 1, Input: []byte(fmt.Sprintf(`{"name":"web","policy":"new","document":%q}`, allowOn("new")))}
	for name, tc := range map[string]struct {
		typ, id string
		op      resource.Operation
		before  func(*testing.T, *account)
		want    string
		problem cloud.Problem
	}{
		"sixth_version": {policy.Name, "few", create, func(t *testing.T, a *account) {
			for i := range 4 {
				a.version(t, a.arn("policy/few"), allowOn(fmt.Sprint(i)), false)
			}
		}, "up to 5 versions", cloud.Other},
		"too_long": {policy.Name, "few", create, func(t *testing.T, a *account) {
			a.answering(t, "CreatePolicyVersion", func() *http.Response { return cloudtest.Answer(409, size) })
		}, "PolicySize: 6144", cloud.Other},
		"policy_gone": {policy.Name, "none", resource.Operation{Name: policy.SetDefault, Version: 1, Input: []byte(fmt.Sprintf(`{"policy":"none","document":%q,"expect":%q}`, allowOn("x"), allowOn("none")))}, func(t *testing.T, a *account) {
			a.answering(t, "GetPolicyVersion", missing)
		}, "NoSuchEntity", cloud.NotFound},
		"conflict": {policy.Name, "team/app", resource.Operation{Name: policy.DeleteVersion, Version: 1, Input: []byte(fmt.Sprintf(`{"policy":"team/app","document":%q}`, allowOn("two")))}, func(t *testing.T, a *account) {
			a.answering(t, "DeletePolicyVersion", func() *http.Response { return failure(409, "DeleteConflict") })
		}, "DeleteConflict", cloud.Other},
		"role_gone": {role.Name, "web", put, func(t *testing.T, a *account) {
			a.answering(t, "PutRolePolicy", missing)
		}, "NoSuchEntity", cloud.NotFound},
		"read_denied": {role.Name, "web", put, func(t *testing.T, a *account) {
			a.answering(t, "GetRolePolicy", denied)
		}, "AccessDenied", cloud.Denied},
		"write_denied": {role.Name, "web", put, func(t *testing.T, a *account) { a.answering(t, "PutRolePolicy", denied) }, "AccessDenied", cloud.Denied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := in(t, tc.typ)
			a.furnish(t)
			x := a.read(t, tc.id)[tc.id]
			tc.before(t, a)
			_, err := a.Do(t.Context(), a.plan(tc.id, x.ARN), tc.op, cloudtest.Allow)
			var e *cloud.Error
			if !errors.As(err, &e) || e.Problem != tc.problem || !e.Refused() || !strings.Contains(err.Error(), tc.want) && e.Code != tc.want {
				t.Errorf("got %v, want %q, %s, refused", err, tc.want, tc.problem)
			}
		})
	}
	t.Run("not_allowed", func(t *testing.T) {
		a := in(t, policy.Name)
		a.furnish(t)
		a.proxy.reset()
		stop := errors.New("stopped")
		_, err := a.Do(t.Context(), a.plan("few", dera.ARN(a.arn("policy/few"))), create, func(context.Context) error { return stop })
		if err == nil || a.proxy.count("CreatePolicyVersion") != 0 {
			t.Errorf("got %v, want nothing sent", err)
		}
	})
	t.Run("attached_to_what_is_gone", func(t *testing.T) {
		a := in(t, role.Name)
		a.furnish(t)
		c, err := a.read(t, "web")["web"].Config.(*role.Role).DetachManaged(own.RoleKind, a.arn("policy/few"))
		if err != nil {
			t.Fatal(err)
		}
		must(t, func(ctx context.Context) error {
			_, err := a.api.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String("web"), PolicyArn: aws.String(a.arn("policy/few"))})
			return err
		})
		if err := a.do(t, "web", resource.Of(c)); !cloud.Is(err, cloud.NotFound) {
			t.Errorf("got %v, want it not found", err)
		}
	})
}
