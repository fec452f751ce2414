package services

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/services/events/rule"

	"github.com/google/go-cmp/cmp"
)

// TestHints_every_watched_call keeps the table whole: no call in it may end
// without a hint when its event tells nothing.
func TestHints_every_watched_call(t *testing.T) {
	t.Parallel()
	watch := Watch()
	watched := watch.Calls()
	if len(watched) < 46 {
		t.Fatalf("got %d watched calls, want at least 46", len(watched))
	}
	for _, c := range watched {
		r := cloudtrail.Record{Source: c.Source, Name: c.Name, Account: "111122223333", Region: "cn-north-1", Partition: "aws-cn", Request: []byte("null"), Response: []byte("null")}
		want := len(c.Types) // each is swept
		switch c.Name {
		case "CreateNetworkInterface", "ModifyNetworkInterfaceAttribute", "RunInstances", "ModifyInstanceAttribute":
			want = 0 // hints only of what they name
		case "PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock":
			want = 2 // the block itself, and a sweep
		}
		hints := watch.Hints(r)
		if len(hints) != want || want > 0 && !hints[want-1].Sweep() {
			t.Errorf("%s %s: got hints %v, want %d, the last of them a sweep", c.Source, c.Name, hints, want)
		}
	}
}

// TestWatch_of_types_with_controls: nobody looks for what no control judges.
func TestWatch_of_types_with_controls(t *testing.T) {
	t.Parallel()
	judged := map[string]bool{}
	for _, c := range Controls() {
		judged[c.Type] = true
	}
	heard := map[string]bool{}
	for _, c := range Watch().Calls() {
		for _, typ := range c.Types {
			heard[typ] = true
		}
	}
	for _, typ := range Types().Types() {
		if heard[typ.Name] != judged[typ.Name] {
			t.Errorf("%s is listened for: %t, judged: %t", typ.Name, heard[typ.Name], judged[typ.Name])
		}
	}
}

func TestCompliance_hints(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		result, typ, id string
		region          string
		want            string // type and ID; "*" for a sweep
	}{
		"group_not_compliant":    {"NON_COMPLIANT", "AWS::EC2::SecurityGroup", "sg-1", "eu-west-1", "AWS::EC2::SecurityGroup sg-1"},
		"group_compliant_again":  {"COMPLIANT", "AWS::EC2::SecurityGroup", "sg-1", "eu-west-1", "AWS::EC2::SecurityGroup sg-1"},
		"group_of_strange_id":    {"NON_COMPLIANT", "AWS::EC2::SecurityGroup", "x", "eu-west-1", "AWS::EC2::SecurityGroup *"},
		"group_not_applicable":   {"NOT_APPLICABLE", "AWS::EC2::SecurityGroup", "sg-1", "", ""},
		"group_without_data":     {"INSUFFICIENT_DATA", "AWS::EC2::SecurityGroup", "sg-1", "", ""},
		"result_nobody_knows":    {"PERHAPS", "AWS::EC2::SecurityGroup", "sg-1", "", ""},
		"bucket":                 {"NON_COMPLIANT", "AWS::S3::Bucket", "files", "eu-west-1", "AWS::S3::Bucket files"},
		"bucket_by_arn":          {"NON_COMPLIANT", "AWS::S3::Bucket", "arn:aws:s3:::files", "eu-west-1", "AWS::S3::Bucket files"},
		"account":                {"NON_COMPLIANT", "AWS::::Account", "111122223333", "aws-global", "AWS::S3::AccountPublicAccessBlock 111122223333"},
		"account_of_another_id":  {"NON_COMPLIANT", "AWS::::Account", "444455556666", "aws-global", "AWS::S3::AccountPublicAccessBlock 111122223333"},
		"account_block":          {"NON_COMPLIANT", "AWS::S3::AccountPublicAccessBlock", "111122223333", "aws-global", "AWS::S3::AccountPublicAccessBlock 111122223333"},
		"type_of_others":         {"NON_COMPLIANT", "AWS::Kinesis::Stream", "f", "", ""},
		"type_in_another_case":   {"NON_COMPLIANT", "aws::ec2::securitygroup", "sg-1", "", ""},
		"type_that_is_no_type":   {"NON_COMPLIANT", "; drop table", "sg-1", "", ""},
		"rule_name_is_not_asked": {"NON_COMPLIANT", "AWS::EC2::SecurityGroup", "sg-2", "eu-west-1", "AWS::EC2::SecurityGroup sg-2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := cloudtrail.Compliance{Partition: "aws", Account: "111122223333", Region: "eu-west-1", Result: tc.result, ResourceType: tc.typ, ResourceID: tc.id}
			var want []dera.Scope
			if typ, id, ok := strings.Cut(tc.want, " "); ok {
				s := dera.Scope{Partition: "aws", Account: "111122223333", Region: tc.region, Type: typ}
				if id != "*" {
					s.IDs = []string{id}
				}
				want = append(want, s)
			}
			if tc.typ == "AWS::::Account" { // what an account has in each region is its matter too
				want = append(want, dera.Scope{Partition: "aws", Account: "111122223333", Region: "eu-west-1", Type: "AWS::EC2::EBSEncryptionByDefault", IDs: []string{"eu-west-1"}})
				for _, typ := range []string{"AWS::IAM::AccountPasswordPolicy", "AWS::IAM::RootUser"} { // and so is what it has once
					want = append(want, dera.Scope{Partition: "aws", Account: "111122223333", Region: "aws-global", Type: typ})
				}
			}
			if d := cmp.Diff(want, Watch().HintsOf(c)); d != "" {
				t.Errorf("hints (-want +got):\n%s", d)
			}
		})
	}
}

// TestAnalysis_of_what_is_shared: a finding of Access Analyzer names a snapshot by its ARN.
func TestAnalysis_of_what_is_shared(t *testing.T) {
	t.Parallel()
	for arn, want := range map[dera.ARN]string{
		"arn:aws:ec2:eu-west-1::snapshot/snap-1":                     "AWS::EC2::Snapshot snap-1",
		"arn:aws:rds:eu-west-1:111122223333:snapshot:shop-1":         "AWS::RDS::DBSnapshot shop-1",
		"arn:aws:rds:eu-west-1:111122223333:cluster-snapshot:shop-1": "AWS::RDS::DBClusterSnapshot shop-1",
	} {
		typ, id, _ := strings.Cut(want, " ")
		a := cloudtrail.Analysis{Partition: "aws", Account: "111122223333", Region: "eu-west-1", Resource: arn, ResourceType: typ}
		hints := []dera.Scope{{Partition: "aws", Account: "111122223333", Region: "eu-west-1", Type: typ, IDs: []string{id}}}
		if d := cmp.Diff(hints, Watch().HintsOfAnalysis(a)); d != "" {
			t.Errorf("%s (-want +got):\n%s", arn, d)
		}
	}
}

// TestTraps: shapes that recorded events have and documents do not warn of. Each
// case tells the IDs that the event is a hint at; "*" is a sweep.
func TestTraps(t *testing.T) {
	t.Parallel()
	watch := Watch()
	for name, tc := range map[string]struct {
		source, call, request, code string
		want                        []string
	}{
		"flat_and_empty_list":               {"ec2", "AuthorizeSecurityGroupIngress", `{"groupId":"sg-1","cidrIp":"0.0.0.0/0","fromPort":22,"ipPermissions":{}}`, "", []string{"sg-1"}},
		"nested":                            {"ec2", "AuthorizeSecurityGroupIngress", `{"groupId":"sg-1","ipPermissions":{"items":[{"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]}}`, "", []string{"sg-1"}},
		"wrapped_in_its_own_name":           {"ec2", "ModifySecurityGroupRules", `{"ModifySecurityGroupRulesRequest":{"GroupId":"sg-1","SecurityGroupRule":{"SecurityGroupRuleId":"sgr-1"}}}`, "", []string{"sg-1"}},
		"wrapped_in_another_name":           {"ec2", "ModifySecurityGroupRules", `{"OtherRequest":{"GroupId":"sg-1"}}`, "", []string{"*"}},
		"wrapped_list_of_contents":          {"ec2", "ModifyNetworkInterfaceAttribute", `{"ModifyNetworkInterfaceAttributeRequest":{"SecurityGroupId":[{"content":"sg-1","tag":1},{"content":"sg-2","tag":2}]}}`, "", []string{"sg-1", "sg-2"}},
		"wrapped_list_of_one_content":       {"ec2", "ModifyNetworkInterfaceAttribute", `{"ModifyNetworkInterfaceAttributeRequest":{"SecurityGroupId":{"content":"sg-1","tag":1}}}`, "", []string{"sg-1"}},
		"name_of_cloudtrail_not_of_the_api": {"s3", "PutBucketPublicAccessBlock", `{"bucketName":"files"}`, "", []string{"files"}},
		"deletion_under_its_own_name":       {"s3", "DeleteBucketPublicAccessBlock", `{"bucketName":"files"}`, "", []string{"files"}},
		"name_of_the_api_is_not_written":    {"s3", "PutPublicAccessBlock", `{"bucketName":"files"}`, "", nil},
		"names_with_a_date":                 {"lambda", "AddPermission20150331v2", `{"functionName":"f"}`, "", []string{"f"}},
		"policy_as_object":                  {"s3", "PutBucketPolicy", `{"bucketName":"files","bucketPolicy":{"Statement":[]},"policy":[""]}`, "", []string{"files"}},
		"policy_as_text":                    {"s3", "PutBucketPolicy", `{"bucketName":"files","bucketPolicy":"{\"Statement\":[]}"}`, "", []string{"files"}},
		"policy_url_encoded":                {"s3", "PutBucketPolicy", `{"bucketName":"files","bucketPolicy":"%7B%7D"}`, "", []string{"files"}},
		"policy_empty":                      {"s3", "PutBucketPolicy", `{"bucketName":"files","bucketPolicy":""}`, "", []string{"files"}},
		"bucket_elided":                     {"s3", "PutBucketPolicy", `{"bucketName":"..."}`, "", []string{"*"}},
		"bucket_in_the_policy_is_not_it":    {"s3", "PutBucketPolicy", `{"bucketPolicy":{"bucketName":"other"}}`, "", []string{"*"}},
		"zero_prefix_with_host_bits":        {"ec2", "AuthorizeSecurityGroupIngress", `{"groupId":"sg-1","cidrIp":"208.236.235.254/0"}`, "", []string{"sg-1"}},
		"snapshot_shared":                   {"ec2", "ModifySnapshotAttribute", `{"snapshotId":"snap-1","createVolumePermission":{"add":{"items":[{"group":"all"}]}},"attributeType":"CREATE_VOLUME_PERMISSION"}`, "", []string{"snap-1"}},
		"image_shared":                      {"ec2", "ModifyImageAttribute", `{"imageId":"ami-1","launchPermission":{"add":{"items":[{"userId":"222222222222"}]}},"attributeType":"launchPermission"}`, "", []string{"ami-1"}},
		"database_snapshot_shared":          {"rds", "ModifyDBSnapshotAttribute", `{"dBSnapshotIdentifier":"Shop-1","attributeName":"restore","valuesToAdd":["all"]}`, "", []string{"shop-1"}},
		"cluster_snapshot_shared":           {"rds", "ModifyDBClusterSnapshotAttribute", `{"dBClusterSnapshotIdentifier":"shop-1","attributeName":"restore","valuesToAdd":["all"]}`, "", []string{"shop-1"}},
		"document_shared":                   {"ssm", "ModifyDocumentPermission", `{"name":"patch_all","permissionType":"Share","accountIdsToAdd":["all"]}`, "", []string{"patch_all"}},
		"error_code_with_client_prefix":     {"ec2", "AuthorizeSecurityGroupIngress", `{"groupId":"sg-1"}`, "Client.UnauthorizedOperation", nil},
		"error_code_of_a_dry_run":           {"ec2", "RevokeSecurityGroupIngress", `{"groupId":"sg-1"}`, "Client.DryRunOperation", nil},
		"error_code_without_prefix":         {"s3", "PutBucketPolicy", `{"bucketName":"files"}`, "AccessDenied", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := []byte(fmt.Sprintf(`{"eventSource":"%s.amazonaws.com","eventName":%q,"awsRegion":"eu-west-1","recipientAccountId":"111122223333","errorCode":%q,"requestParameters":%s}`,
				tc.source, tc.call, tc.code, tc.request))
			r, err := cloudtrail.Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range watch.Hints(r) {
				if s.Sweep() {
					got = append(got, "*")
				}
				got = append(got, s.IDs...)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("hints: got %q, want %q", got, tc.want)
			}
			if len(got) > 0 && !watch.Triage(raw) {
				t.Error("triage throws it away")
			}
		})
	}
}

// TestOwnRules: each rule that dera pattern prints is one that dera enables again, but for those
// whose state nothing but the template brings back.
func TestOwnRules(t *testing.T) {
	t.Parallel()
	var types []string
	for _, c := range Controls() {
		types = append(types, c.Type)
	}
	off := false
	for _, r := range Watch().Rules(types) {
		own := rule.Rule{ID: r.Name, Enabled: &off, Pattern: r.Pattern.Text(), Targets: []string{"arn:aws:sqs:eu-west-1:111122223333:dera-events"}}
		got, err := rule.Disabled().Check(dera.Resource{Type: rule.Name, Config: &own}, control.Settings{})
		if err != nil || len(got.Failures) != 1 {
			t.Fatalf("%s: got %+v, %v", r.Name, got, err)
		}
		if want := r.State == cloudtrail.StateEnabled; (got.Failures[0].Start == dera.Auto) != want {
			t.Errorf("%s starts at %s, want automatic %t", r.Name, got.Failures[0].Start, want)
		}
	}
}
