package awssim_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera/awssim"
)

const (
	iamAccount = "111122223333"
	iamTrust   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	iamAllow   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a+b/100%25/*"}]}`
)

func iamClient(c *awssim.Cloud) *iam.Client {
	creds := c.Account(iamAccount).Credentials()
	return iam.New(iam.Options{
		Region: "us-east-1", HTTPClient: c.HTTPClient(), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
	})
}

// TestIAM_versions: a policy has five versions at most, the default one cannot be
// deleted, and documents come percent-encoded.
func TestIAM_versions(t *testing.T) {
	t.Parallel()
	c := awssim.New(awssim.Config{Seed: 1})
	api, ctx := iamClient(c), t.Context()
	made, err := api.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("app"), PolicyDocument: aws.String(iamAllow), Path: aws.String("/team/")})
	if err != nil {
		t.Fatal(err)
	}
	arn := made.Policy.Arn
	if want := "arn:aws:iam::" + iamAccount + ":policy/team/app"; *arn != want {
		t.Errorf("ARN: got %s, want %s", *arn, want)
	}
	for n := 2; n <= 6; n++ {
		out, err := api.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(iamAllow), SetAsDefault: n%2 == 0})
		switch {
		case n == 6 && errorCode(t, err) != "LimitExceeded":
			t.Errorf("a sixth version: got %v, want LimitExceeded", err)
		case n < 6 && (err != nil || *out.PolicyVersion.VersionId != fmt.Sprintf("v%d", n)):
			t.Fatalf("version %d: got %+v, %v", n, out, err)
		}
	}
	if _, err := api.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v4")}); errorCode(t, err) != "DeleteConflict" {
		t.Errorf("the default version deleted: got %v, want DeleteConflict", err)
	}
	if _, err := api.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")}); err != nil {
		t.Error(err)
	}
	if _, err := api.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")}); errorCode(t, err) != "NoSuchEntity" {
		t.Errorf("a version that is gone: got %v, want NoSuchEntity", err)
	}
	out, err := api.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := url.PathUnescape(*out.PolicyVersion.Document); err != nil || text != iamAllow || strings.ContainsAny(*out.PolicyVersion.Document, `"{+`) {
		t.Errorf("document: got %s, %v", *out.PolicyVersion.Document, err)
	}
	if _, err := api.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("bad"), PolicyDocument: aws.String(`{"Statement":[]}`)}); errorCode(t, err) != "MalformedPolicyDocument" {
		t.Errorf("a document without a statement: got %v", err)
	}
}

// TestIAM_details: the walk tells what single reads tell, in pages that identities and
// policies share.
func TestIAM_details(t *testing.T) {
	t.Parallel()
	c := awssim.New(awssim.Config{Seed: 1})
	a, ctx := c.Account(iamAccount), t.Context()
	a.IAM(ctx, "CreatePolicy", map[string]string{"PolicyName": "shared", "PolicyDocument": iamAllow})
	shared := "arn:aws:iam::" + iamAccount + ":policy/shared"
	for n := range 3 {
		name := fmt.Sprintf("app-%d", n)
		a.IAM(ctx, "CreateRole", map[string]string{"RoleName": name, "AssumeRolePolicyDocument": iamTrust, "Tags.member.1.Key": "team", "Tags.member.1.Value": "web"})
		a.IAM(ctx, "AttachRolePolicy", map[string]string{"RoleName": name, "PolicyArn": shared})
		a.IAM(ctx, "PutRolePolicy", map[string]string{"RoleName": name, "PolicyName": "own", "PolicyDocument": iamAllow})
	}
	a.IAM(ctx, "CreateUser", map[string]string{"UserName": "eve"})
	a.IAM(ctx, "CreateGroup", map[string]string{"GroupName": "ops"})
	a.IAM(ctx, "AddUserToGroup", map[string]string{"GroupName": "ops", "UserName": "eve"})
	api := iamClient(c)
	var roles []types.RoleDetail
	var users, groups, policies, pages int
	for marker := (*string)(nil); ; {
		out, err := api.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(2), Marker: marker})
		if err != nil {
			t.Fatal(err)
		}
		roles, users, groups, policies, pages = append(roles, out.RoleDetailList...), users+len(out.UserDetailList), groups+len(out.GroupDetailList), policies+len(out.Policies), pages+1
		if !out.IsTruncated {
			break
		}
		marker = out.Marker
	}
	if len(roles) != 3 || users != 1 || groups != 1 || policies != 1 || pages != 3 {
		t.Errorf("got %d roles, %d users, %d groups, %d policies in %d pages", len(roles), users, groups, policies, pages)
	}
	if r := roles[0]; *r.RoleName != "app-0" || len(r.RolePolicyList) != 1 || len(r.AttachedManagedPolicies) != 1 || len(r.Tags) != 1 {
		t.Errorf("role: got %+v", r)
	}
	held, err := api.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: aws.String(shared)})
	if err != nil || len(held.PolicyRoles) != 3 {
		t.Errorf("entities: got %+v, %v", held, err)
	}
	if err := a.Region("us-east-1").CallIAM(ctx, "DeletePolicy", map[string]string{"PolicyArn": shared}); err == nil {
		t.Error("a policy that is attached was deleted")
	}
}

// TestIAM_events: a change is an event of us-east-1 that names the identity or policy.
func TestIAM_events(t *testing.T) {
	t.Parallel()
	c := awssim.New(awssim.Config{Seed: 1})
	a, ctx := c.Account(iamAccount), context.Background()
	a.IAM(ctx, "CreateRole", map[string]string{"RoleName": "app", "AssumeRolePolicyDocument": iamTrust})
	a.IAM(ctx, "UpdateAssumeRolePolicy", map[string]string{"RoleName": "app", "PolicyDocument": iamTrust})
	var names []string
	for _, e := range c.Events() {
		if e.Source == "iam.amazonaws.com" && e.Region == "us-east-1" && strings.Contains(string(e.Record), `"roleName":"app"`) {
			names = append(names, e.Name)
		}
	}
	if !slices.Equal(names, []string{"CreateRole", "UpdateAssumeRolePolicy"}) {
		t.Errorf("events: got %v", names)
	}
}

func errorCode(t *testing.T, err error) string {
	t.Helper()
	code, _ := codeOf(t, err)
	return code
}
