package cloud_test

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
)

func TestFixers(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	for _, r := range []awssim.ConfigRule{
		{Name: "scoped", ResourceTypes: []string{"AWS::EC2::SecurityGroup"}, Remediation: &awssim.ConfigRemediation{Automatic: true}},
		{Name: "managed", Identifier: "S3_BUCKET_PUBLIC_READ_PROHIBITED", Remediation: &awssim.ConfigRemediation{Automatic: true}},
		{Name: "by-hand", Identifier: "INCOMING_SSH_DISABLED", Remediation: &awssim.ConfigRemediation{}},
		{Name: "looks-only", Identifier: "INCOMING_SSH_DISABLED"},
		{Name: "OrgConfigRule-ssh-1a2b3c4d", Identifier: "INCOMING_SSH_DISABLED", Remediation: &awssim.ConfigRemediation{Automatic: true, Document: "AWS-DisablePublicAccessForSecurityGroup"}},
		{Name: "restricted-ssh-conformance-pack-x7yz", Identifier: "INCOMING_SSH_DISABLED", Remediation: &awssim.ConfigRemediation{Automatic: true}},
		{Name: "custodian-keys", ResourceTypes: []string{"AWS::KMS::Key"}, Function: "arn:aws:lambda:us-east-1:111122223333:function:custodian-keys"},
		{Name: "own-judge", ResourceTypes: []string{"AWS::KMS::Key"}, Function: "arn:aws:lambda:us-east-1:111122223333:function:judge"},
		{Name: "strange", Identifier: "SOMETHING_NEW", Remediation: &awssim.ConfigRemediation{Automatic: true}},
	} {
		f.Home.AddConfigRule(r)
	}
	list, err := f.Fixers(t.Context(), cloudtest.Hub, cloudtest.East)
	var got []string
	for _, x := range list {
		got = append(got, strings.TrimSpace(x.Rule+" "+strings.Join(x.Types, ",")+" "+x.Document+x.Function))
	}
	slices.Sort(got)
	if want := []string{
		"OrgConfigRule-ssh-1a2b3c4d AWS::EC2::SecurityGroup AWS-DisablePublicAccessForSecurityGroup", "custodian-keys AWS::KMS::Key custodian-keys", "managed AWS::S3::Bucket",
		"restricted-ssh-conformance-pack-x7yz AWS::EC2::SecurityGroup", "scoped AWS::EC2::SecurityGroup", "strange",
	}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	calls := len(f.Calls)
	if _, err := f.Fixers(t.Context(), cloudtest.Hub, cloudtest.East); err != nil || len(f.Calls) != calls {
		t.Errorf("asked again: got %d calls, %v, want none", len(f.Calls)-calls, err)
	}
	f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "config"}, Kind: awssim.Denied})
	if _, err := f.Fixers(t.Context(), cloudtest.Hub, "eu-west-1"); !cloud.Is(err, cloud.Denied) {
		t.Errorf("denied: got %v, want the error", err)
	}
}
