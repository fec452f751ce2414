package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/resource/role"
)

// TestMotoGeneratedRole fixes everything under the role that dera role prints,
// with IAM enforcement on. moto cannot judge resource ARNs and conditions, so
// the policy is widened to the resource * by machine, and to nothing else.
func TestMotoGeneratedRole(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newMotoWorld(t, server)
	var ids []string
	for _, c := range motoFixes {
		ids = append(ids, w.group(strings.ReplaceAll(c.name, "_", "-"), c.before...))
	}
	for _, b := range motoBuckets {
		w.bucket(b.motoBucket)
	}
	out, _, code := w.dera("role", "--kind", "remediator")
	if code != exitGood {
		t.Fatalf("dera role: got exit code %d", code)
	}
	var policy role.Policy
	if err := json.Unmarshal([]byte(out), &policy); err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, s := range policy.Statement {
		for _, a := range s.Action {
			actions = append(actions, motoName(a)...)
		}
	}
	if _, err := server.AddRole(t.Context(), w.creds, "dera", actions...); err != nil {
		t.Fatal(err)
	}
	limited, err := server.AssumeRole(t.Context(), w.creds.Account, "dera")
	if err != nil {
		t.Fatal(err)
	}
	admin := w.inbounds(ids)
	if err := server.Enforce(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	w.use(limited)
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	for i, c := range motoFixes {
		if diff := cmp.Diff(c.findings, findingsOf(r, ids[i])); diff != "" {
			t.Errorf("%s: findings under the generated role (-want +got):\n%s", c.name, diff)
		}
	}
	// moto takes no signature of a CloudFront request, so that under enforcement the
	// distributions cannot be read: everything about a public bucket goes to review.
	for _, f := range r.Findings {
		if !strings.HasPrefix(f.Control, "s3-bucket-public-") || f.Plan == nil {
			continue
		}
		if f.Plan.State != dera.Waiting {
			t.Errorf("%s of %s: got %s, want it to wait while the distributions are unknown", f.Control, f.Resource, f.Plan.State)
			continue
		}
		if out, errOut, code := w.dera("approve", f.Plan.Remediation, "--digest", f.Plan.Digest); code != exitGood {
			t.Errorf("approve %s of %s under the generated role: got exit code %d\n%s%s", f.Control, f.Resource, code, out, errOut)
		}
	}
	w.rollBackAll()
	refuseOthers(t, server, limited)
	if err := server.Enforce(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(admin, w.inbounds(ids)); diff != "" {
		t.Errorf("inbound rules after rolling everything back (-want +got):\n%s", diff)
	}
}

// motoName is the name under which moto asks for an action of S3. Where AWS has a
// name of its own for the action (Service Authorization Reference, "Actions,
// resources, and condition keys for Amazon S3"), moto takes that of the API call,
// and for parts of a bucket that it has no name for, that of the call on the
// bucket itself.
func motoName(action string) []string {
	switch action {
	case "s3:GetAccountPublicAccessBlock":
		return []string{"s3:GetPublicAccessBlock"}
	case "s3:PutAccountPublicAccessBlock":
		return []string{"s3:PutPublicAccessBlock", "s3:DeletePublicAccessBlock"}
	case "s3:GetBucketPublicAccessBlock", "s3:GetBucketOwnershipControls":
		return []string{"s3:ListBucket"}
	case "s3:PutBucketPublicAccessBlock":
		return []string{"s3:CreateBucket", "s3:DeleteBucket"}
	}
	return []string{action}
}

func (w *motoWorld) inbounds(ids []string) [][]string {
	var out [][]string
	for _, id := range ids {
		out = append(out, w.inbound(id))
	}
	return out
}

// refuseOthers makes calls that dera never needs and wants each refused.
func refuseOthers(t *testing.T, server *moto.Server, c moto.Credentials) {
	t.Helper()
	api := ec2.New(ec2.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL()), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	})
	for name, call := range map[string]func(context.Context) error{
		"CreateSecurityGroup": func(ctx context.Context) error {
			_, err := api.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("x"), Description: aws.String("x")})
			return err
		},
		"DeleteSecurityGroup": func(ctx context.Context) error {
			_, err := api.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: aws.String("sg-1")})
			return err
		},
		"AuthorizeSecurityGroupEgress": func(ctx context.Context) error {
			_, err := api.AuthorizeSecurityGroupEgress(ctx, &ec2.AuthorizeSecurityGroupEgressInput{GroupId: aws.String("sg-1"), IpPermissions: []types.IpPermission{perm("tcp", 1, 1, "10.0.0.0/8", "")}})
			return err
		},
		"DescribeVolumes": func(ctx context.Context) error {
			_, err := api.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{})
			return err
		},
		"TerminateInstances": func(ctx context.Context) error {
			_, err := api.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{"i-1"}})
			return err
		},
	} {
		if err := call(t.Context()); err == nil || !strings.Contains(err.Error(), "AccessDenied") && !strings.Contains(err.Error(), "UnauthorizedOperation") {
			t.Errorf("%s under the generated role: got %v, want it refused", name, err)
		}
	}
}
