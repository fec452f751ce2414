package cloudtrail

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"dera.example/dera"
)

// complianceChange is a compliance change in the form of the AWS Config developer
// guide, "Monitoring AWS Config with Amazon EventBridge".
func complianceChange(result, typ, id string) string {
	return fmt.Sprintf(`{"version":"0","id":"00000000-0000-0000-0000-000000000001","detail-type":"Config Rules Compliance Change","source":"aws.config",
"account":"111122223333","time":"2026-11-20T20:00:00Z","region":"eu-west-1","resources":[],"detail":{"resourceId":%q,"awsRegion":"eu-west-1",
"awsAccountId":"111122223333","configRuleName":"my-own-name","recordVersion":"1.0","configRuleARN":"arn:aws:config:eu-west-1:111122223333:config-rule/config-rule-x",
"messageType":"ComplianceChangeNotification","newEvaluationResult":{"evaluationResultIdentifier":{"evaluationResultQualifier":{"configRuleName":"my-own-name",
"resourceType":%q,"resourceId":%q},"orderingTimestamp":"2026-11-20T19:59:00.000Z"},"complianceType":%q,"resultRecordedTime":"2026-11-20T20:00:00.000Z"},
"notificationCreationTime":"2026-11-20T20:00:01.000Z","resourceType":%q}}`, id, typ, id, result, typ)
}

func TestDecodeCompliance_refuses(t *testing.T) {
	t.Parallel()
	good := complianceChange("NON_COMPLIANT", "AWS::EC2::SecurityGroup", "sg-1")
	for name, tc := range map[string]struct {
		old, new string
		field    string // of a FieldError
		is       error
	}{
		"another_account_in_the_envelope": {`"account":"111122223333"`, `"account":"444455556666"`, "account", nil},
		"no_account_in_the_envelope":      {`"account":"111122223333",`, ``, "account", nil},
		"another_account_in_the_detail":   {`"awsAccountId":"111122223333"`, `"awsAccountId":"444455556666"`, "account", nil},
		"no_account_in_the_detail":        {`"awsAccountId":"111122223333",`, ``, "awsAccountId", nil},
		"another_region_in_the_envelope":  {`"region":"eu-west-1"`, `"region":"us-east-1"`, "region", nil},
		"no_region_in_the_detail":         {`"awsRegion":"eu-west-1",`, ``, "awsRegion", nil},
		"another_source":                  {`"source":"aws.config"`, `"source":"my.config"`, "source", nil},
		"no_resource_type":                {`,"resourceType":"AWS::EC2::SecurityGroup"}}`, `}}`, "resourceType", nil},
		"no_result":                       {`"complianceType":"NON_COMPLIANT"`, `"complianceType":null`, "complianceType", nil},
		"account_twice":                   {`"awsAccountId":"111122223333"`, `"awsAccountId":"111122223333","awsAccountId":"444455556666"`, "", ErrDuplicateName},
		"no_detail":                       {`"detail":{`, `"other":{`, "", ErrNotJSON},
		"another_kind":                    {`Config Rules Compliance Change`, `Config Configuration Item Change`, "", ErrNotCloudTrail},
		"not_json":                        {`{"version"`, `"version"`, "", ErrNotJSON},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(good, tc.old) {
				t.Fatalf("the good event has no %q: the case tests nothing", tc.old)
			}
			_, err := DecodeCompliance([]byte(strings.Replace(good, tc.old, tc.new, 1)))
			var field *FieldError
			switch {
			case err == nil:
				t.Error("got no error")
			case tc.is != nil && !errors.Is(err, tc.is):
				t.Errorf("got %q, want %q", err, tc.is)
			case tc.field != "" && (!errors.As(err, &field) || field.Field != tc.field):
				t.Errorf("got %q, want an error about %s", err, tc.field)
			}
		})
	}
	if !testWatch().Triage([]byte(good)) {
		t.Error("triage throws it away")
	}
	notification := fmt.Sprintf(`{"Type":"Notification","Message":%q}`, strings.ReplaceAll(good, "\n", ""))
	if c, err := DecodeCompliance([]byte(notification)); err != nil || c.ResourceID != "sg-1" || !c.Trusted || c.Time.IsZero() || c.ID == "" {
		t.Errorf("in a notification of SNS: got %+v, %v, want sg-1, trusted, with its time and ID", c, err)
	}
	if _, err := Decode([]byte(good)); !errors.Is(err, ErrNotCloudTrail) {
		t.Errorf("as a CloudTrail record: got %v, want that it is none", err)
	}
}

// FuzzDecodeCompliance: what is read of a change is safe to keep, and names only
// places of its own account.
func FuzzDecodeCompliance(f *testing.F) {
	f.Add([]byte(complianceChange("COMPLIANT", "AWS::S3::Bucket", "files")))
	f.Add([]byte(complianceChange("NON_COMPLIANT", "AWS::::Account", "111122223333")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := DecodeCompliance(raw)
		if err != nil {
			return
		}
		for _, s := range testWatch().HintsOf(c) {
			if s.Account != c.Account || s.Region != c.Region && s.Region != dera.GlobalRegion {
				t.Errorf("got a hint at %+v of a change in %s %s", s, c.Account, c.Region)
			}
		}
		for _, text := range []string{c.ID, c.ResourceID, c.ResourceType, c.Result} {
			if clean(text, 1024) != text {
				t.Errorf("got the text %q, which is not safe to keep", text)
			}
		}
	})
}
