package main

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/control"
)

// TestDoctorTriesEveryRead: a read that the reading role has is tried where there is
// something to try it on, and is reported as untested where there is nothing.
func TestDoctorTriesEveryRead(t *testing.T) {
	t.Parallel()
	const account = "111122223333"
	sim := awssim.New(awssim.Config{Seed: 8})
	creds := sim.Account(account).Credentials()
	client, err := cloud.New(t.Context(), cloud.Config{
		Region: "us-east-1", Wires: wires(), HTTPClient: sim.HTTPClient(), Endpoint: "https://127.0.0.1",
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	policy, err := control.ReaderPolicy(fileConfig{Controls: simulated()}.controls(), "aws", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range policy.Statement {
		actions = append(actions, st.Action...)
	}
	tried := func() map[string]cloud.Tried {
		out := map[string]cloud.Tried{}
		for _, p := range client.TryReads(t.Context(), account, "us-east-1", actions) {
			out[p.Action] = p.Tried
		}
		return out
	}
	if got := tried(); len(got) != len(actions) || got["s3:GetBucketPolicy"] != cloud.NotTested || got["ec2:DescribeManagedPrefixLists"] != cloud.NotTested || got["ec2:DescribeSecurityGroupRules"] != cloud.Allowed {
		t.Errorf("an account with a default group alone: got %v, want what is of buckets and prefix lists not tested", got)
	}
	there := sim.Account(account).Region("us-east-1")
	list, err := there.CreatePrefixList(t.Context(), "offices", 10, "203.0.113.0/24")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range sim.Snapshot().Groups {
		if _, err := there.Authorize(t.Context(), g.ID, awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, PrefixList: list}); err != nil {
			t.Fatal(err)
		}
		if _, err := there.AttachInterface("", g.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{there.CreateBucket(t.Context(), "media"), there.CreateAccessPoint(t.Context(), "door", "media", nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	sim.Account(account).AddMultiRegionPoint(awssim.MultiRegionPoint{Name: "everywhere", Buckets: map[string]string{"us-east-1": "media"}})
	there.AddSchedule(awssim.Schedule{Kind: "rule", Name: "mail", Pattern: `{"source":["aws.health"]}`, Target: "arn:aws:sns:us-east-1:" + account + ":alerts"})
	there.AddConfigRule(awssim.ConfigRule{Name: "block", Identifier: "S3_BUCKET_PUBLIC_READ_PROHIBITED"})
	for action, got := range tried() {
		if want := cloud.Allowed; got != want {
			t.Errorf("%s: got %s, want %s", action, got, want)
		}
	}
	sim.Inject(awssim.Fault{Match: awssim.Match{Operation: "DescribeSecurityGroupRules"}, Kind: awssim.Denied})
	sim.Inject(awssim.Fault{Match: awssim.Match{Operation: "GetBucketPolicy"}, Kind: awssim.Denied})
	for action, got := range tried() {
		want := cloud.Allowed
		switch action {
		case "ec2:DescribeSecurityGroupRules", "s3:GetBucketPolicy":
			want = cloud.Refused
		}
		if got != want {
			t.Errorf("two are denied: %s: got %s, want %s", action, got, want)
		}
	}
}
