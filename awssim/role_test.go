package awssim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		as     func(*awssim.Cloud) awssim.Credentials
		in     sts.AssumeRoleInput
		code   string
		status int
	}{
		{name: "trusted_with_external_id", in: sts.AssumeRoleInput{ExternalId: aws.String("secret")}},
		{name: "wrong_external_id", in: sts.AssumeRoleInput{ExternalId: aws.String("guess")}, code: "AccessDenied", status: 403},
		{name: "no_external_id", code: "AccessDenied", status: 403},
		{name: "absent_role", in: sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + member + ":role/nobody")}, code: "AccessDenied", status: 403},
		{
			name: "account_that_is_not_trusted", in: sts.AssumeRoleInput{ExternalId: aws.String("secret")}, code: "AccessDenied", status: 403,
			as: func(c *awssim.Cloud) awssim.Credentials { return c.Account("333333333333").Credentials() },
		},
		{
			name: "root", in: sts.AssumeRoleInput{ExternalId: aws.String("secret")}, code: "AccessDenied", status: 403,
			as: func(c *awssim.Cloud) awssim.Credentials { return c.Account(hub).RootCredentials() },
		},
		{
			name: "user_who_may_not", in: sts.AssumeRoleInput{ExternalId: aws.String("secret")}, code: "AccessDenied", status: 403,
			as: func(c *awssim.Cloud) awssim.Credentials { return c.Account(hub).AddUser("intern", "ec2:*") },
		},
		{name: "session_too_short", in: sts.AssumeRoleInput{ExternalId: aws.String("secret"), DurationSeconds: aws.Int32(60)}, code: "ValidationError", status: 400},
		{name: "bad_session_policy", in: sts.AssumeRoleInput{ExternalId: aws.String("secret"), Policy: aws.String("{")}, code: "MalformedPolicyDocument", status: 400},
		{
			name: "session_policy_with_a_condition", code: "NotImplemented", status: 501,
			in: sts.AssumeRoleInput{ExternalId: aws.String("secret"), Policy: aws.String(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}}`)},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cloud, now := newCloud(t)
			arn := cloud.Account(member).AddRole("fixer", hub, "secret", "ec2:*")
			as := cloud.Account(hub).Credentials()
			if tt.as != nil {
				as = tt.as(cloud)
			}
			if tt.in.RoleArn == nil {
				tt.in.RoleArn = &arn
			}
			session, err := assume(t, cloud, as, &tt.in)
			if tt.code != "" {
				wantCode(t, err, tt.code, tt.status)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			who := must(sts.NewFromConfig(config(cloud, session)).GetCallerIdentity(t.Context(), nil))(t)
			if got, want := *who.Arn, "arn:aws:sts::"+member+":assumed-role/fixer/dera"; got != want || *who.Account != member {
				t.Errorf("identity: got %s of %s, want %s", got, *who.Account, want)
			}
			if want := now.Now().Add(time.Hour); !session.Expires.Equal(want) {
				t.Errorf("expiry: got %v, want %v", session.Expires, want)
			}
		})
	}
}

func TestSessionPermissions(t *testing.T) {
	t.Parallel()
	const describe, revoke, create, receive = "describe", "revoke", "create", "create_queue"
	tests := []struct {
		name    string
		allowed []string
		policy  string // GROUP stands for the group's ARN
		may     []string
	}{
		{name: "everything", allowed: []string{"*"}, may: []string{describe, revoke, create, receive}},
		{name: "nothing"},
		{name: "one_service", allowed: []string{"ec2:*"}, may: []string{describe, revoke, create}},
		{name: "suffix_glob", allowed: []string{"ec2:Describe*"}, may: []string{describe}},
		{name: "infix_glob", allowed: []string{"ec2:*SecurityGroupIngress"}, may: []string{revoke}},
		{name: "case_does_not_count", allowed: []string{"EC2:describesecuritygroups"}, may: []string{describe}},
		{
			name: "session_policy_narrows", allowed: []string{"ec2:*"}, may: []string{revoke},
			policy: `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":["ec2:RevokeSecurityGroupIngress"],"Resource":["GROUP"]}]}`,
		},
		{
			name: "session_policy_of_another_group", allowed: []string{"ec2:*"},
			policy: `{"Statement":{"Effect":"Allow","Action":"ec2:RevokeSecurityGroupIngress","Resource":"arn:aws:ec2:us-east-1:111111111111:security-group/sg-00000000000000000"}}`,
		},
		{
			name: "session_policy_of_the_same_id_in_another_region", allowed: []string{"ec2:*"},
			policy: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:ec2:eu-west-1:*"}}`,
		},
		{
			name: "session_policy_adds_nothing", allowed: []string{"ec2:Describe*"}, may: []string{describe},
			policy: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`,
		},
		{
			name: "session_policy_denies", allowed: []string{"*"}, may: []string{describe, create, receive},
			policy: `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"ec2:Revoke*","Resource":"*"}]}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cloud, _ := newCloud(t)
			account := cloud.Account(hub)
			group := must(account.Region(east).CreateSecurityGroup(t.Context(), "web", openSSH()))(t)
			arn := account.AddRole("fixer", hub, "", tt.allowed...)
			in := &sts.AssumeRoleInput{RoleArn: &arn}
			if tt.policy != "" {
				in.Policy = aws.String(strings.ReplaceAll(tt.policy, "GROUP", "arn:aws:ec2:"+east+":"+hub+":security-group/"+group))
			}
			session := config(cloud, must(assume(t, cloud, account.Credentials(), in))(t))
			client := ec2.NewFromConfig(session)
			calls := map[string]error{}
			_, calls[describe] = client.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{})
			_, calls[revoke] = client.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: sshPermission()})
			_, calls[create] = client.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: aws.String("new"), Description: aws.String("new")})
			_, calls[receive] = sqs.NewFromConfig(session).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("events")})
			for name, err := range calls {
				switch code, status := codeOf(t, err); {
				case slices.Contains(tt.may, name):
					if err != nil {
						t.Errorf("%s: got error %v, want success", name, err)
					}
				case name == receive:
					if code != "AccessDenied" || status != 403 {
						t.Errorf("%s: got error %v, want AccessDenied", name, err)
					}
				case code != "UnauthorizedOperation" || status != 403:
					t.Errorf("%s: got error %v, want UnauthorizedOperation", name, err)
				}
			}
			if open := len(ingress(t, cloud, group)) > 0; open == slices.Contains(tt.may, revoke) {
				t.Errorf("after the revoke: the rule is there: %t", open)
			}
		})
	}
}

func TestRoleChangesAtOnce(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	account := cloud.Account(hub)
	arn := account.AddRole("fixer", hub, "", "ec2:*")
	session := must(assume(t, cloud, account.Credentials(), &sts.AssumeRoleInput{RoleArn: &arn}))(t)
	client := ec2.NewFromConfig(config(cloud, session))
	must(client.DescribeSecurityGroups(t.Context(), nil))(t)
	account.AddRole("fixer", hub, "", "sqs:*")
	_, err := client.DescribeSecurityGroups(t.Context(), nil)
	wantCode(t, err, "UnauthorizedOperation", 403)
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	cloud, now := newCloud(t)
	account := cloud.Account(hub)
	arn := account.AddRole("reader", hub, "", "*")
	session := must(assume(t, cloud, account.Credentials(), &sts.AssumeRoleInput{RoleArn: &arn, DurationSeconds: aws.Int32(900)}))(t)

	noToken := session
	noToken.SessionToken = ""
	for name, c := range map[string]awssim.Credentials{"unknown key": {AccessKeyID: "AKIAUNKNOWN", SecretAccessKey: "x"}, "no token": noToken} {
		_, err := ec2.NewFromConfig(config(cloud, c)).DescribeSecurityGroups(t.Context(), nil)
		wantCode(t, err, "AuthFailure", 401)
		_, err = sts.NewFromConfig(config(cloud, c)).GetCallerIdentity(t.Context(), nil)
		wantCode(t, err, "InvalidClientTokenId", 403)
		if n := cloud.Count(awssim.Match{Operation: "DescribeSecurityGroups"}); n != 0 {
			t.Errorf("%s: %d calls were recorded, want none", name, n)
		}
	}
	now.Advance(15*time.Minute - time.Second)
	must(ec2.NewFromConfig(config(cloud, session)).DescribeSecurityGroups(t.Context(), nil))(t)
	now.Advance(time.Second)
	_, err := ec2.NewFromConfig(config(cloud, session)).DescribeSecurityGroups(t.Context(), nil)
	wantCode(t, err, "RequestExpired", 400)
	_, err = sts.NewFromConfig(config(cloud, session)).GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "ExpiredToken", 403)
}
