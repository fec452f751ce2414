package cloudtrail

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
)

// analysisOf is a finding of Access Analyzer in the form of the IAM user guide, "Monitoring IAM
// Access Analyzer with Amazon EventBridge".
func analysisOf(kind, typ, arn string) string {
	return fmt.Sprintf(`{"version":"0","id":"00000000-0000-0000-0000-000000000002","detail-type":%q,"source":"aws.access-analyzer","account":"444455556666",
"time":"2026-11-20T20:00:00Z","region":"us-west-2","resources":["arn:aws:access-analyzer:us-west-2:444455556666:analyzer/org"],"detail":{"findingId":"f-1",
"resource":%q,"resourceType":%q,"accountId":"111122223333","createdAt":"2026-11-20T19:29:18.758Z","updatedAt":"2026-11-20T19:30:18.758Z",
"analyzedAt":"2026-11-20T19:29:18.758Z","previousStatus":"","status":"ACTIVE","version":"1","isDeleted":false}}`, kind, arn, typ)
}

func TestDecodeAnalysis(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:iam::111122223333:role/team/app"
	for _, kind := range AnalysisKinds() {
		raw := []byte(analysisOf(kind, "AWS::IAM::Role", arn))
		a, err := DecodeAnalysis(raw)
		if err != nil || a.Account != "111122223333" || a.Region != "us-west-2" || a.Partition != "aws" || a.Resource != arn || !a.Trusted || a.Time.Minute() != 30 || a.Kind != kind {
			t.Errorf("%s: got %+v, %v", kind, a, err)
		}
		if !IsAnalysis(raw) || IsCompliance(raw) || !testWatch().Triage(raw) {
			t.Errorf("%s: it is not known as one, or thrown away before", kind)
		}
		if _, err := Decode(raw); !errors.Is(err, ErrNotCloudTrail) {
			t.Errorf("%s: as a CloudTrail record: got %v, want that it is none", kind, err)
		}
	}
	good := analysisOf(AnalysisKinds()[0], "AWS::IAM::Role", arn)
	for name, tc := range map[string]struct {
		old, new string
		field    string // of a FieldError
		is       error
	}{
		"another_kind":       {"Access Analyzer Finding", "Access Preview State Change", "", ErrNotCloudTrail},
		"another_source":     {"aws.access-analyzer", "my.analyzer", "source", nil},
		"no_account":         {`"accountId":"111122223333",`, ``, "accountId", nil},
		"no_region":          {`"region":"us-west-2",`, ``, "region", nil},
		"no_type":            {`"resourceType":"AWS::IAM::Role",`, ``, "resourceType", nil},
		"no_arn":             {arn, "app", "resource", nil},
		"of_another_account": {"iam::111122223333", "iam::777788889999", "resource", nil},
		"no_detail":          {`"detail":{`, `"other":{`, "", ErrNotJSON},
		"account_twice":      {`"accountId":"111122223333"`, `"accountId":"111122223333","accountId":"444455556666"`, "", ErrDuplicateName},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(good, tc.old) {
				t.Fatalf("the good event has no %q: the case tests nothing", tc.old)
			}
			_, err := DecodeAnalysis([]byte(strings.Replace(good, tc.old, tc.new, 1)))
			var field *FieldError
			if err == nil || tc.is != nil && !errors.Is(err, tc.is) || tc.field != "" && (!errors.As(err, &field) || field.Field != tc.field) {
				t.Errorf("got %v, want an error about %s %v", err, tc.field, tc.is)
			}
		})
	}
	if a, err := DecodeAnalysis([]byte(strings.Replace(good, `"resource":"`+arn+`",`, "", 1))); err != nil || len(testWatch().HintsOfAnalysis(a)) > 0 {
		t.Errorf("without a resource: got %v, want no hint and no error", err)
	}
}

// TestHintsOfAnalysis: a finding is a hint at the one resource that it is about, of the types
// that listen; the rule lets through what is a hint.
func TestHintsOfAnalysis(t *testing.T) {
	t.Parallel()
	w := NewWatch(Events{Type: "AWS::IAM::Role", Analyzed: func(r Record, id string) []dera.Scope {
		return r.In(dera.GlobalRegion).Scopes("AWS::IAM::Role", []string{id})
	}}, Events{Type: "AWS::S3::Bucket", Analyzed: func(r Record, id string) []dera.Scope { return r.Scopes("AWS::S3::Bucket", []string{id}) }})
	for _, tc := range []struct{ typ, arn, want string }{
		{"AWS::IAM::Role", "arn:aws:iam::111122223333:role/team/app", "aws/111122223333/aws-global/AWS::IAM::Role/app"},
		{"AWS::S3::Bucket", "arn:aws:s3:::logs", "aws/111122223333/us-west-2/AWS::S3::Bucket/logs"},
		{"AWS::SQS::Queue", "arn:aws:sqs:us-west-2:111122223333:jobs", ""},
	} {
		a, err := DecodeAnalysis([]byte(analysisOf(AnalysisKinds()[0], tc.typ, tc.arn)))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, s := range w.HintsOfAnalysis(a) {
			got += strings.Join([]string{s.Partition, s.Account, s.Region, s.Type, strings.Join(s.IDs, ",")}, "/")
		}
		if strings.ReplaceAll(got, dera.GlobalRegion, "aws-global") != tc.want {
			t.Errorf("%s: got %q, want %q", tc.arn, got, tc.want)
		}
		var rule *Rule
		for _, r := range w.Rules([]string{"AWS::IAM::Role", "AWS::S3::Bucket"}) {
			if r.For == ForAnalyzer {
				rule = &r
			}
		}
		if rule == nil || slices.Contains(rule.Pattern.Detail.ResourceType, tc.typ) != (tc.want != "") {
			t.Errorf("%s: the rule lets through what is no hint, or not what is: %+v", tc.typ, rule)
		}
	}
}
