package main

import (
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	sgwire "dera.example/dera/services/ec2/securitygroup/wire"
)

// TestCanaryFaults: each fault of canary is found with its field.
func TestCanaryFaults(t *testing.T) {
	t.Parallel()
	const good = "account: '111122223333', region: eu-west-1, role_arn: 'arn:aws:iam::111122223333:role/canary'"
	for name, tc := range map[string]struct{ text, want, says string }{
		"good":             {"canary: {" + good + "}", "", ""},
		"account":          {strings.Replace("canary: {"+good+"}", "account: '111122223333'", "account: '1'", 1), "canary.account", ""},
		"not_covered":      {"accounts: [{id: '444455556666'}]\ncanary: {" + good + "}", "canary.account", "not in accounts"},
		"no_region":        {strings.Replace("canary: {"+good+"}", "region: eu-west-1, ", "", 1), "canary.region", "eu-west-1"},
		"no_role":          {"canary: {account: '111122223333', region: eu-west-1}", "canary.role_arn", "111122223333"},
		"role_of_another":  {strings.Replace("canary: {"+good+"}", "iam::1111", "iam::2222", 1), "canary.role_arn", "of account"},
		"role_of_dera":     {"accounts: [{id: '111122223333', role_arn: 'arn:aws:iam::111122223333:role/canary'}]\ncanary: {" + good + "}", "canary.role_arn", "another"},
		"vpc_is_not_an_id": {"canary: {" + good + ", vpc: main}", "canary.vpc", "vpc-"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadConfig(fileIn(t, t.TempDir(), "dera.yaml", "version: 1\n"+tc.text+"\n"))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("got %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.says)):
				t.Errorf("got %v, want a fault of %s with %q", err, tc.want, tc.says)
			}
		})
	}
}

// TestCanaryRefuses: without a test account, or without data in which it could record, nothing is opened.
func TestCanaryRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ config, says string }{
		"no_data":         {"canary: {account: '111122223333', region: eu-west-1, role_arn: 'arn:aws:iam::111122223333:role/canary'}", "needs the data"},
		"no_test_account": {"", "names no test account"},
	} {
		dir := t.TempDir()
		data := filepath.Join(dir, "data")
		path := fileIn(t, dir, "dera.yaml", "version: 1\n"+tc.config+"\n")
		if name != "no_data" {
			if _, err := (&cli{out: io.Discard, err: io.Discard, flags: flags{data: data}, now: time.Now}).open(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var out, errOut lockedBuffer
		if code := run(t.Context(), []string{"doctor", "--canary", "--data", data, "--config", path}, strings.NewReader(""), &out, &errOut); code != exitUsage || !strings.Contains(errOut.String(), tc.says) {
			t.Errorf("%s: got exit code %d\n%s%s", name, code, out.String(), errOut.String())
		}
	}
}

// TestCanaryPolicy: the policy of the canary's role has just the actions that a canary calls, and changes
// nothing without its tag.
func TestCanaryPolicy(t *testing.T) {
	t.Parallel()
	sim := awssim.New(awssim.Config{Seed: 1})
	creds := sim.Account("111122223333").Credentials()
	called := map[string]bool{"ec2:CreateTags": true} // what CreateSecurityGroup needs beside it
	writes := map[string]bool{}
	client, err := cloud.New(t.Context(), cloud.Config{
		Wires: wires(), Region: "us-east-1", HTTPClient: sim.HTTPClient(), Endpoint: "https://aws.sim",
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
		Observe: func(c cloud.Call) {
			if c.Service == "ec2" {
				called["ec2:"+c.Operation], writes["ec2:"+c.Operation] = true, c.Write
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := sgwire.NewCanary(client, "111122223333", "us-east-1")
	id, _, err := c.Make(t.Context(), "", "run")
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := c.Attached(t.Context(), id); err != nil || len(ids) > 0 {
		t.Errorf("attached: got %v, %v", ids, err)
	}
	if request, err := c.Open(t.Context(), id); err != nil || request == "" {
		t.Errorf("open: got %q, %v", request, err)
	}
	if open, err := c.Opened(t.Context(), id); err != nil || !open {
		t.Errorf("opened: got %t, %v", open, err)
	}
	if ids, err := c.Left(t.Context()); err != nil || !slices.Equal(ids, []string{id}) {
		t.Errorf("left: got %v, %v", ids, err)
	}
	region := sim.Account("111122223333").Region("us-east-1")
	for _, name := range []string{"web", "dera-canary-web"} { // a tag anybody can put, a name stays
		web, err := region.CreateSecurityGroup(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := region.Tag(t.Context(), web, map[string]string{sgwire.CanaryTag: "run"}); err != nil {
			t.Fatal(err)
		}
	}
	if ids, err := c.Left(t.Context()); err != nil || !slices.Equal(ids, []string{id}) {
		t.Errorf("with groups of others that carry the tag: got %v, %v, want %s alone", ids, err, id)
	}
	for range 2 { // the second finds nothing to do
		if _, err := c.Close(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if open, err := c.Opened(t.Context(), id); err != nil || open {
		t.Errorf("closed: got %t, %v", open, err)
	}
	for range 2 {
		if _, err := c.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	allowed := map[string]bool{}
	for _, s := range canaryKind().Policy("aws", "111122223333").Statement {
		for _, a := range s.Action {
			allowed[a] = true
			if writes[a] && a != "ec2:CreateSecurityGroup" && s.Condition["StringLike"]["aws:ResourceTag/"+sgwire.CanaryTag] != "*" {
				t.Errorf("%s is allowed on what has no tag: %+v", a, s)
			}
		}
	}
	if !maps.Equal(allowed, called) {
		t.Errorf("the policy allows %v, and a canary calls %v", slices.Sorted(maps.Keys(allowed)), slices.Sorted(maps.Keys(called)))
	}
}
