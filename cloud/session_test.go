package cloud_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3/bucket"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
)

// whoami answers GetCallerIdentity as another STS would.
func whoami(account, arn string) func(url.Values) *http.Response {
	return func(form url.Values) *http.Response {
		if form.Get("Action") != "GetCallerIdentity" {
			return nil
		}
		return cloudtest.Answer(200, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>`+account+`</Account><Arn>`+arn+`</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}
}

// TestRightAccountOrNothing: nothing is read or written through credentials of
// another account than the one that is configured, and the error names both.
func TestRightAccountOrNothing(t *testing.T) {
	t.Parallel()
	const foreignRole = "arn:aws:iam::" + cloudtest.Hub + ":role/fixer"
	tests := []struct {
		name    string
		account cloud.Account
		sts     func(url.Values) *http.Response
		want    []string
		reads   bool // the reading session is right
	}{
		{"own_credentials_of_another_account", cloud.Account{ID: cloudtest.Member}, nil, []string{cloudtest.Hub, cloudtest.Member, "role_arn"}, false},
		{"account_that_is_not_configured", cloud.Account{ID: "999988887777"}, nil, []string{cloudtest.Hub, cloudtest.Member}, false},
		{"role_of_another_account", cloud.Account{ID: cloudtest.Member, RoleARN: foreignRole}, nil, []string{foreignRole, cloudtest.Hub, cloudtest.Member}, false},
		{"write_role_of_another_account", cloud.Account{ID: cloudtest.Member, RoleARN: "arn:aws:iam::" + cloudtest.Member + ":role/reader", WriteRoleARN: foreignRole}, nil, []string{foreignRole, cloudtest.Hub, cloudtest.Member}, true},
		{"session_of_another_account", cloud.Account{ID: cloudtest.Member, RoleARN: "arn:aws:iam::" + cloudtest.Member + ":role/reader"}, whoami(cloudtest.Hub, "arn:aws:sts::"+cloudtest.Hub+":assumed-role/reader/dera"), []string{cloudtest.Hub, cloudtest.Member}, false},
		{"session_of_another_partition", cloud.Account{ID: cloudtest.Member, RoleARN: "arn:aws:iam::" + cloudtest.Member + ":role/reader"}, whoami(cloudtest.Member, "arn:aws-cn:sts::"+cloudtest.Member+":assumed-role/reader/dera"), []string{"aws-cn", cloudtest.Member}, false},
		{"role_of_another_partition", cloud.Account{ID: cloudtest.Member, RoleARN: "arn:aws-us-gov:iam::" + cloudtest.Member + ":role/reader"}, nil, []string{"aws-us-gov", cloudtest.Member, cloudtest.East}, false},
		{"sts_that_does_not_say", cloud.Account{ID: cloudtest.Member, RoleARN: "arn:aws:iam::" + cloudtest.Member + ":role/reader"}, whoami("", ""), []string{cloudtest.Member}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(c *cloud.Config) { c.Accounts = []cloud.Account{tt.account} })
			f.Cloud.Account(cloudtest.Hub).AddRole("fixer", cloudtest.Hub, "", "*")
			theirs := f.Cloud.Account(cloudtest.Member)
			theirs.AddRole("reader", cloudtest.Hub, "", "*")
			id, err := theirs.Region(cloudtest.East).CreateSecurityGroup(t.Context(), "web", ssh())
			if err != nil {
				t.Fatal(err)
			}
			f.Wire.Answer = tt.sts
			scope := scopeOf(id)
			scope.Account = cloudtest.Member
			if _, err := f.Read(t.Context(), scope, true); (err == nil) != tt.reads || err != nil && !cloud.Is(err, cloud.WrongAccount) {
				t.Errorf("read: got %v, want it refused: %t", err, !tt.reads)
			}
			scope.Type, scope.IDs = bucket.Name, []string{"media"}
			if page, err := f.Read(t.Context(), scope, true); !tt.reads && !cloud.Is(err, cloud.WrongAccount) {
				t.Errorf("read of a bucket that is nowhere: got %+v, %v, want no answer about it", page, err)
			}
			g, _ := f.Cloud.Snapshot().Group(id)
			p, op := revoking(cloudtest.Member, id, g)
			_, err = f.Do(t.Context(), p, op, func(context.Context) error { return nil })
			var own *cloud.Error
			if !errors.As(err, &own) || own.Problem != cloud.WrongAccount || !own.Refused() || own.Passing() {
				t.Fatalf("write: got %v, want a refusal", err)
			}
			for _, text := range tt.want {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("write: got %v, want it to name %s", err, text)
				}
			}
			if n := len(f.Wire.Sent("RevokeSecurityGroupIngress")); n != 0 {
				t.Errorf("got %d writes on the wire, want none", n)
			}
			for _, form := range f.Wire.Sent("AssumeRole") {
				if form.Get("RoleArn") == foreignRole {
					t.Error("the role of another account was assumed")
				}
			}
		})
	}
}

// revoking is the plan that revokes the first inbound rule of a group.
func revoking(account, id string, g awssim.Group) (dera.Plan, resource.Operation) {
	rule := ""
	for _, r := range g.Rules {
		if !r.Egress {
			rule = r.ID
		}
	}
	op := resource.Operation{Name: securitygroup.RevokeIngress, Version: 1, Input: []byte(`{"group_id":"` + id + `","rule_id":"` + rule + `"}`)}
	return dera.Plan{
		Partition: "aws", Account: account, Region: cloudtest.East, Type: securitygroup.Name,
		Resource: dera.NewARN("aws", "ec2", cloudtest.East, account, "security-group/"+id), Changes: []dera.Change{{Operation: op.Name}},
	}, op
}

// TestSessionsAreCheckedOnce: STS is asked once for each set of credentials,
// right or wrong, and one that is wrong does not stop the others.
func TestSessionsAreCheckedOnce(t *testing.T) {
	t.Parallel()
	role := "arn:aws:iam::" + cloudtest.Member + ":role/reader"
	f := newFixture(t, func(c *cloud.Config) {
		c.Accounts = []cloud.Account{{ID: cloudtest.Hub}, {ID: cloudtest.Member, RoleARN: role}, {ID: "999988887777"}}
	})
	f.Cloud.Account(cloudtest.Member).AddRole("reader", cloudtest.Hub, "", "*")
	for range 3 {
		for account, want := range map[string]bool{cloudtest.Hub: true, cloudtest.Member: true, "999988887777": false} {
			scope := scopeOf()
			scope.Account = account
			for _, region := range []string{cloudtest.East, "eu-west-1"} {
				scope.Region = region
				if _, err := f.Read(t.Context(), scope, false); (err == nil) != want || err != nil && !cloud.Is(err, cloud.WrongAccount) {
					t.Errorf("account %s: got %v, want it read: %t", account, err, want)
				}
			}
		}
	}
	if n := len(f.Wire.Sent("GetCallerIdentity")); n != 3 {
		t.Errorf("STS was asked %d times, want once for each of 3 sets of credentials", n)
	}
	if id, err := f.Session(t.Context(), cloudtest.Member, false); err != nil || id.Account != cloudtest.Member {
		t.Errorf("session: got %+v, %v", id, err)
	}
}

// TestAnswersOfAnotherAccount: what an answer says belongs to someone else is
// neither judged nor taken for gone.
func TestAnswersOfAnotherAccount(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	id := f.group(t, "web", ssh())
	shared := func(what string) func(url.Values) *http.Response {
		return func(form url.Values) *http.Response {
			if form.Get("Action") != what {
				return nil
			}
			if what == "DescribeSecurityGroupRules" {
				return cloudtest.Answer(200, `<DescribeSecurityGroupRulesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><securityGroupRuleSet><item><groupId>`+id+`</groupId><groupOwnerId>`+cloudtest.Member+`</groupOwnerId><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><cidrIpv4>0.0.0.0/0</cidrIpv4></item></securityGroupRuleSet></DescribeSecurityGroupRulesResponse>`)
			}
			return cloudtest.Answer(200, `<DescribeSecurityGroupsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><securityGroupInfo><item><groupId>`+id+`</groupId><groupName>web</groupName><ownerId>`+cloudtest.Member+`</ownerId></item></securityGroupInfo></DescribeSecurityGroupsResponse>`)
		}
	}
	f.Wire.Answer = shared("DescribeSecurityGroups")
	if page, err := f.Read(t.Context(), scopeOf(), false); err != nil || len(page.Resources) != 0 {
		t.Errorf("sweep: got %+v, %v, want the shared group left out", page, err)
	}
	for _, call := range []string{"DescribeSecurityGroups", "DescribeSecurityGroupRules"} {
		f.Wire.Answer = shared(call)
		if page, err := f.Read(t.Context(), scopeOf(id), true); !cloud.Is(err, cloud.WrongAccount) || !strings.Contains(err.Error(), cloudtest.Member) {
			t.Errorf("%s: got %+v, %v, want a failed read that names the owner", call, page, err)
		}
	}
	// A bucket whose name someone else has taken since is not gone from here.
	b := newBuckets(t)
	if err := b.Cloud.Account(cloudtest.Member).Region(cloudtest.East).CreateBucket(t.Context(), "taken"); err != nil {
		t.Fatal(err)
	}
	scope := scopeOf("taken")
	scope.Type = bucket.Name
	page, err := b.Read(t.Context(), scope, true)
	if err == nil && (len(page.Missing) != 0 || len(page.Resources) != 1 || len(page.Resources[0].Config.(*bucket.Bucket).Unread) < 6) {
		t.Errorf("bucket of another account: got %+v, want nothing of it read and nothing resolved", page)
	}
}
