package main

import (
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	s3account "dera.example/dera/services/s3/account"
)

// TestConfigIsAskedInEveryRegion: what an account has once can be fixed by a rule
// of any region, and a region that does not answer means that nothing is known.
func TestConfigIsAskedInEveryRegion(t *testing.T) {
	t.Parallel()
	sim := awssim.New(awssim.Config{Seed: 8})
	account := sim.Account("111122223333")
	creds := account.Credentials()
	client, err := cloud.New(t.Context(), cloud.Config{
		Region: "us-east-1", Wires: wires(), HTTPClient: sim.HTTPClient(), Endpoint: "https://aws.sim",
		Credentials: awssdk.CredentialsProvider(credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, "")),
	})
	if err != nil {
		t.Fatal(err)
	}
	account.Region("eu-west-1").AddConfigRule(awssim.ConfigRule{
		Name: "block", Identifier: "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS", Remediation: &awssim.ConfigRemediation{Automatic: true},
	})
	for _, tt := range []struct {
		region  string
		regions []string
		want    int
	}{
		{dera.GlobalRegion, []string{"us-east-1"}, 0},
		{dera.GlobalRegion, []string{"us-east-1", "eu-west-1"}, 1},
		{"us-east-1", []string{"us-east-1", "eu-west-1"}, 0},
	} {
		list, err := configFixers{client, tt.regions}.Fixers(t.Context(), "111122223333", tt.region, s3account.Name)
		if err != nil || len(list) != tt.want {
			t.Errorf("%s of %q: got %v, %v, want %d", tt.region, tt.regions, list, err, tt.want)
		}
	}
	sim.Inject(awssim.Fault{Match: awssim.Match{Service: "config"}, Kind: awssim.Denied})
	list, err := configFixers{client, []string{"us-east-1", "ap-south-1"}}.Fixers(t.Context(), "111122223333", dera.GlobalRegion, s3account.Name)
	if err == nil || list != nil {
		t.Errorf("one region denies: got %v, %v, want an error", list, err)
	}
}
