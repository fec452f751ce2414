package wire_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"dera.example/dera/cloud/cloudtest"
	policytype "dera.example/dera/services/iam/policy"
)

// furnish makes managed policies, and roles, users and groups that have them:
//
//	team/app  three versions; role web, user ann, group staff (ann, bob), boundary of web
//	few       role web alone
//	idle      group empty
//	none      nobody
func (a *account) furnish(t *testing.T) {
	t.Helper()
	app, few, idle := a.policy(t, "/team/", "app"), a.policy(t, "/", "few"), a.policy(t, "/", "idle")
	a.policy(t, "/", "none")
	for _, text := range []string{allowOn("two"), allowOn("three")} {
		a.version(t, app, text, true)
	}
	a.boundary = map[string]string{app: "web"}
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}}
	name := aws.String
	for _, do := range []func(context.Context) error{
		func(ctx context.Context) error {
			_, err := a.api.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name("web"), Path: name("/svc/"), AssumeRolePolicyDocument: name(trust), Tags: tags, PermissionsBoundary: &app})
			return err
		},
		func(ctx context.Context) error {
			_, err := a.api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name("web"), PolicyName: name("own"), PolicyDocument: name(allowOn("own"))})
			return err
		},
		func(ctx context.Context) error {
			_, err := a.api.CreateUser(ctx, &iam.CreateUserInput{UserName: name("ann"), Path: name("/staff/"), Tags: tags})
			return err
		},
		func(ctx context.Context) error {
			_, err := a.api.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name("ann"), PolicyName: name("own"), PolicyDocument: name(allowOn("ann"))})
			return err
		},
		func(ctx context.Context) error {
			_, err := a.api.CreateUser(ctx, &iam.CreateUserInput{UserName: name("bob")})
			return err
		},
		func(ctx context.Context) error {
			_, err := a.api.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: name("staff")})
			return err
		},
		func(ctx context.Context) error {
			_, err := a.api.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: name("empty"), Path: name("/old/")})
			return err
		},
		func(ctx context.Context) error {
			_, err := a.api.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: name("staff"), PolicyName: name("own"), PolicyDocument: name(allowOn("staff"))})
			return err
		},
		func(ctx context.Context) error { return a.attach(ctx, "role", "web", app) },
		func(ctx context.Context) error { return a.attach(ctx, "role", "web", few) },
		func(ctx context.Context) error { return a.attach(ctx, "user", "ann", app) },
		func(ctx context.Context) error { return a.attach(ctx, "group", "staff", app) },
		func(ctx context.Context) error { return a.attach(ctx, "group", "empty", idle) },
		func(ctx context.Context) error { return a.join(ctx, "ann", "staff") },
		func(ctx context.Context) error { return a.join(ctx, "bob", "staff") },
	} {
		must(t, do)
	}
}

func (a *account) policy(t *testing.T, path, name string) string {
	t.Helper()
	out, err := a.api.CreatePolicy(t.Context(), &iam.CreatePolicyInput{
		PolicyName: aws.String(name), Path: aws.String(path), PolicyDocument: aws.String(allowOn(name)), Tags: []types.Tag{{Key: aws.String("of"), Value: aws.String(name)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.Policy.Arn)
}

func (a *account) version(t *testing.T, arn, text string, inForce bool) {
	t.Helper()
	must(t, func(ctx context.Context) error {
		_, err := a.api.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: &text, SetAsDefault: inForce})
		return err
	})
}

func (a *account) attach(ctx context.Context, kind, name, arn string) (err error) {
	switch kind {
	case "role":
		_, err = a.api.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: &arn})
	case "user":
		_, err = a.api.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &name, PolicyArn: &arn})
	default:
		_, err = a.api.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: &name, PolicyArn: &arn})
	}
	return err
}

func (a *account) join(ctx context.Context, user, group string) error {
	_, err := a.api.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: &user, GroupName: &group})
	return err
}

// bounded answers whose permissions boundary a policy is, which moto does not tell apart
// from who has it.
func (a *account) bounded(form url.Values) *http.Response {
	if form.Get("Action") != "ListEntitiesForPolicy" || form.Get("PolicyUsageFilter") != "PermissionsBoundary" {
		return nil
	}
	roles := ""
	if name := a.boundary[form.Get("PolicyArn")]; name != "" {
		roles = "<member><RoleName>" + name + "</RoleName><RoleId>AROA</RoleId></member>"
	}
	return cloudtest.Answer(200, `<ListEntitiesForPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListEntitiesForPolicyResult><PolicyRoles>`+roles+
		`</PolicyRoles><PolicyUsers/><PolicyGroups/><IsTruncated>false</IsTruncated></ListEntitiesForPolicyResult></ListEntitiesForPolicyResponse>`)
}

// agree reads everything by a sweep, and each alone, which must say the same. It returns
// what was read.
func (a *account) agree(t *testing.T, ids ...string) map[string]any {
	t.Helper()
	all := a.read(t)
	if got := a.proxy.count("GetAccountAuthorizationDetails"); got != 1 && a.proxy.page == "" {
		t.Errorf("a sweep: got %d walks, want 1", got)
	}
	a.proxy.reset()
	if len(all) != len(ids) {
		t.Fatalf("got %d resources, want %v", len(all), ids)
	}
	out := map[string]any{}
	for _, id := range ids {
		out[id] = all[id].Config
		alone := a.read(t, id)[id]
		if swept, ok := all[id].Config.(*policytype.Policy); ok && swept.ID == "" {
			alone.Config.(*policytype.Policy).ID = "" // moto's walk does not tell it
		}
		if d := cmp.Diff(all[id], alone); d != "" {
			t.Errorf("%s (-swept +alone):\n%s", id, d)
		}
	}
	return out
}

// answering answers calls of an action until the test ends.
func (a *account) answering(t *testing.T, action string, answer func() *http.Response) {
	t.Helper()
	before := a.proxy.answer
	a.proxy.answer = func(form url.Values) *http.Response {
		if form.Get("Action") == action {
			if res := answer(); res != nil {
				return res
			}
		}
		return before(form)
	}
	t.Cleanup(func() { a.proxy.answer = before })
}

func (a *account) arn(rest string) string {
	return fmt.Sprintf("arn:aws:iam::%s:%s", a.id, strings.TrimPrefix(rest, "/"))
}
