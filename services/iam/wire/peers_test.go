package wire_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera/awssim/moto"
	"dera.example/dera/control"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/escalation"
	"dera.example/dera/services/iam/role"
	"dera.example/dera/services/iam/user"
)

// TestPeers: to whom a principal gets is read by one walk of a sweep, and by one for all that
// are looked at alone; where nobody may walk, it is not known and nothing is resolved.
func TestPeers(t *testing.T) {
	t.Parallel()
	const all = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	const passes = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:PassRole","ec2:RunInstances"],"Resource":"*"}]}`
	const keys = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:CreateAccessKey","Resource":"*"}]}`
	a := newAccount(t, moto.Start(t, moto.Config{}), user.Name, nil)
	for name, text := range map[string]string{"boss": all, "me": passes} {
		must(t, func(ctx context.Context) error {
			_, err := a.api.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, Path: aws.String("/team/"), AssumeRolePolicyDocument: aws.String(trust)})
			return err
		})
		must(t, func(ctx context.Context) error {
			_, err := a.api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("own"), PolicyDocument: &text})
			return err
		})
		must(t, func(ctx context.Context) error {
			_, err := a.api.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
			return err
		})
	}
	must(t, func(ctx context.Context) error {
		_, err := a.api.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("me"), PolicyName: aws.String("own"), PolicyDocument: aws.String(passes)})
		return err
	})
	want := a.arn("role/team/boss")
	holds := func(id string, c control.Control, config any, peers []escalation.Peer) {
		t.Helper()
		resource := a.read(t, id)[id]
		resource.Config = config
		res, err := c.Check(resource, control.Settings{})
		if err != nil || len(peers) != 1 || peers[0].ARN != want || len(res.Failures) != 1 || res.Failures[0].Key != escalation.PassKey {
			t.Errorf("%s: got peers %+v, %+v, %v, want that it may pass %s", id, peers, res, err, want)
		}
	}
	for _, ids := range [][]string{{"me"}, nil} {
		a.typ = user.Name
		u := a.read(t, ids...)["me"].Config.(*user.User)
		holds("me", user.Escalation(), u, u.Peers)
		a.typ = role.Name
		r := a.read(t, ids...)["me"].Config.(*role.Role)
		holds("me", role.Escalation(), r, r.Peers)
	}
	boss := a.read(t, "boss")["boss"]
	if res, err := role.Administrator().Check(boss, control.Settings{}); err != nil || len(res.Failures) != 1 || res.Failures[0].Key != own.AdministratorKey {
		t.Errorf("got %+v, %v, want that it is an administrator", res, err)
	}
	if peers := boss.Config.(*role.Role).Peers; slices.ContainsFunc(peers, func(p escalation.Peer) bool { return p.ARN == want }) {
		t.Errorf("got %+v, want that nobody gets to itself", peers)
	}
	if got := a.proxy.count("GetAccountAuthorizationDetails"); got != 3 {
		t.Errorf("got %d walks, want one for each sweep and one for all that were looked at alone", got)
	}

	// What a sweep saw counts for those that are looked at alone after it: an older walk would
	// take back what it found.
	must(t, func(ctx context.Context) error {
		_, err := a.api.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("boss"), PolicyName: aws.String("own"), PolicyDocument: aws.String(all)})
		return err
	})
	must(t, func(ctx context.Context) error {
		_, err := a.api.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("me"), PolicyName: aws.String("keys"), PolicyDocument: aws.String(keys)})
		return err
	})
	a.typ = user.Name
	for _, ids := range [][]string{nil, {"me"}} {
		x := a.read(t, ids...)["me"]
		res, err := user.Escalation().Check(x, control.Settings{})
		if err != nil || len(res.Failures) != 2 || res.Failures[0].Key != escalation.OtherKey {
			t.Errorf("%v: got %+v, %v, want that it may make keys of boss", ids, res, err)
		}
	}

	b := newAccount(t, moto.Start(t, moto.Config{}), user.Name, nil)
	must(t, func(ctx context.Context) error {
		_, err := b.api.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("me")})
		return err
	})
	b.proxy.answer = func(form url.Values) *http.Response {
		if form.Get("Action") == "GetAccountAuthorizationDetails" {
			return failure(http.StatusForbidden, "AccessDenied")
		}
		return nil
	}
	x := b.read(t, "me")["me"]
	if res, err := user.Escalation().Check(x, control.Settings{}); err != nil || x.Unread != "" || res.Outcome != control.UnknownResult {
		t.Errorf("denied: got %+v, %v, %q, want that it is not known", res, err, x.Unread)
	}
}
