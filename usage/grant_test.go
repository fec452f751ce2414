package usage

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGrants: a call that changed what someone may do is noted by its target, the
// newest one of each.
func TestGrants(t *testing.T) {
	t.Parallel()
	const at = "2026-03-02T10:00:00Z"
	with := func(parameters string) string { return `,"requestParameters":` + parameters }
	for name, tt := range map[string]struct {
		call, more string
		want       string // "" for none
	}{
		"policy_version":         {"CreatePolicyVersion", with(`{"policyArn":"arn:aws:iam::111122223333:policy/team/App","setAsDefault":true}`), "arn:aws:iam::111122223333:policy/team/app"},
		"default_policy_version": {"SetDefaultPolicyVersion", with(`{"policyArn":"arn:aws:iam::111122223333:policy/app","versionId":"v1"}`), "arn:aws:iam::111122223333:policy/app"},
		"attach_to_a_role":       {"AttachRolePolicy", with(`{"roleName":"App","policyArn":"arn:aws:iam::aws:policy/ReadOnlyAccess"}`), "role/app"},
		"inline_policy":          {"PutRolePolicy", with(`{"roleName":"app","policyName":"p"}`), "role/app"},
		"new_role":               {"CreateRole", with(`{"roleName":"app","path":"/team/"}`), "role/app"},
		"boundary_goes":          {"DeleteRolePermissionsBoundary", with(`{"roleName":"app"}`), "role/app"},
		"boundary_comes":         {"PutUserPermissionsBoundary", with(`{"userName":"eve"}`), "user/eve"},
		"into_a_group":           {"AddUserToGroup", with(`{"userName":"eve","groupName":"admins"}`), "user/eve"},
		"attach_to_a_user":       {"AttachUserPolicy", with(`{"userName":"eve"}`), "user/eve"},
		"new_user":               {"CreateUser", with(`{"userName":"eve"}`), "user/eve"},
		"attach_to_a_group":      {"AttachGroupPolicy", with(`{"groupName":"admins"}`), "group/admins"},
		"nobody_named":           {"PutRolePolicy", "", AnyTarget},
		"something_else_named":   {"PutRolePolicy", with(`{"roleName":7}`), AnyTarget},
		"failed":                 {"PutRolePolicy", with(`{"roleName":"app"}`) + `,"errorCode":"NoSuchEntityException"`, ""},
		"denied":                 {"PutRolePolicy", with(`{"roleName":"app"}`) + `,"errorCode":"AccessDenied"`, ""},
		"narrowed":               {"DetachRolePolicy", with(`{"roleName":"app"}`), ""},
		"a_read":                 {"GetRolePolicy", with(`{"roleName":"app"}`), ""},
	} {
		for _, trust := range []Trust{Verified, Unverified} {
			t.Run(name+"_"+trust.String(), func(t *testing.T) {
				t.Parallel()
				a := newAggregate()
				addAll(t, a, trust, rec("1", at, "iam", tt.call, tt.more), rec("2", "2026-03-01T10:00:00Z", "iam", tt.call, tt.more))
				want := map[grantKey]Second{}
				if tt.want != "" {
					want[grantKey{"111122223333", tt.want}] = second(t, at)
				}
				if d := cmp.Diff(want, a.grants, cmp.AllowUnexported(grantKey{})); d != "" {
					t.Errorf("grants (-want +got):\n%s", d)
				}
			})
		}
	}
}

// TestGrants_are_bounded: what is beyond the bound may be anybody's.
func TestGrants_are_bounded(t *testing.T) {
	t.Parallel()
	a := newAggregate()
	for i := range maxGrants + 5 {
		addAll(t, a, Verified, rec(fmt.Sprint(i), "2026-03-02T10:00:00Z", "iam", "CreateRole", fmt.Sprintf(`,"requestParameters":{"roleName":"r%d"}`, i)))
	}
	if n := len(a.grants); n != maxGrants+1 || a.grants[grantKey{"111122223333", AnyTarget}] == 0 {
		t.Errorf("got %d grants, one for any target: %t", n, a.grants[grantKey{"111122223333", AnyTarget}] != 0)
	}
	if a.reset(); len(a.grants) > 0 {
		t.Errorf("after a flush: got %d grants", len(a.grants))
	}
}

func TestGrantTarget(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	want := map[string]string{
		"arn:aws:iam::111122223333:role/team/App": "role/app", "arn:aws:iam::111122223333:user/eve": "user/eve", "arn:aws:iam::111122223333:group/x/y/z": "group/z",
		"arn:aws:iam::111122223333:policy/team/App": "arn:aws:iam::111122223333:policy/team/app", "arn:aws:iam::111122223333:root": "arn:aws:iam::111122223333:root",
	}
	for arn := range maps.Keys(want) {
		got[arn] = GrantTarget(arn)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("targets (-want +got):\n%s", d)
	}
}
