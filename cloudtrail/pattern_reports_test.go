package cloudtrail

import (
	"strings"
	"testing"

	"dera.example/dera"
)

// TestRules_of_reports: they are small enough, named apart from the rules for calls, and there
// only for types whose resources can be told.
func TestRules_of_reports(t *testing.T) {
	t.Parallel()
	w := NewWatch(Events{Type: "AWS::EC2::SecurityGroup", Located: Located{Type: "AWS::EC2::SecurityGroup", ID: func(dera.ARN) (string, bool) { return "", false }}})
	rules := w.Rules([]string{"AWS::EC2::SecurityGroup"})
	want := []string{
		`{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Imported"],"detail":{"findings":{"Resources":{"Type":[{"prefix":{"equals-ignore-case":"AwsEC2"}},{"prefix":{"equals-ignore-case":"AwsAccount"}}]}}}}`,
		`{"source":["aws.securityhub"],"detail-type":["Findings Imported V2"],"detail":{"findings":{"class_uid":[2003,2004]}}}`,
		`{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Custom Action"]}`,
		`{"source":["aws.guardduty"],"detail-type":["GuardDuty Finding"]}`,
	}
	if len(rules) != len(want)+1 {
		t.Fatalf("got %d rules, want those and the ledger's", len(rules))
	}
	for i, text := range want {
		if got := rules[i].Pattern.Text(); got != text || len(got) > MaxPattern || !strings.HasPrefix(rules[i].Name, "dera-") {
			t.Errorf("%s: got %s, want %s", rules[i].Name, got, text)
		}
	}
	if got := w.Rules([]string{"AWS::S3::Bucket"}); len(got) != 0 {
		t.Errorf("got %+v for a type that does not listen", got)
	}
}
