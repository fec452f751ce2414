package bucket

import (
	"fmt"
	"testing"

	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
)

// TestOpenServices: only a fixed account or organisation, or a denial about the
// service, limits on whose behalf it comes.
func TestOpenServices(t *testing.T) {
	t.Parallel()
	const deny = `,{"Effect":"Deny","Principal":%s,"Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceAccount":"111122223333"}}}`
	tests := []struct {
		name, condition, more string
		open                  bool
	}{
		{"no_condition", `{}`, "", true},
		{"account", `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`, "", false},
		{"any_account", `{"StringLike":{"aws:SourceAccount":"*"}}`, "", true},
		{"arn", `{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:*"}}`, "", false},
		{"bucket", `{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::source-*"}}`, "", false},
		{"any_bucket", `{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}}`, "", true},
		{"arn_of_any_account", `{"ArnLike":{"aws:SourceArn":["arn:aws:sns:*:111122223333:*","arn:aws:sns:*:*:*"]}}`, "", true},
		{"any_arn", `{"ArnLike":{"aws:SourceArn":"*"}}`, "", true},
		{"organisation", `{"StringLike":{"aws:SourceOrgPaths":"o-ours/*"}}`, "", false},
		{"denied_to_everyone", `{}`, fmt.Sprintf(deny, `"*"`), false},
		{"denied_to_the_service", `{}`, fmt.Sprintf(deny, `{"Service":"sns.amazonaws.com"}`), false},
		{"denied_to_another_service", `{}`, fmt.Sprintf(deny, `{"Service":"cloudtrail.amazonaws.com"}`), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc, err := policy.Parse(policyText(`{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"s3:PutObject","Resource":"*","Condition":` + tt.condition + `}` + tt.more))
			if err != nil {
				t.Fatal(err)
			}
			if got := len(document.OpenServices(doc, 0)) > 0; got != tt.open {
				t.Errorf("open: got %t, want %t", got, tt.open)
			}
		})
	}
}

// TestOutsiders_by_conditions: a statement for everyone names an account also by
// whom a service acts for, and by the user ID of its root user.
func TestOutsiders_by_conditions(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, condition, want string }{
		{"source_account", `{"StringEquals":{"aws:SourceAccount":"444455556666"}}`, "444455556666"},
		{"own_source_account", `{"StringEquals":{"aws:SourceAccount":"111122223333"}}`, ""},
		{"source_owner", `{"StringEquals":{"aws:SourceOwner":"444455556666"}}`, "444455556666"},
		{"source_arn", `{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:444455556666:*"}}`, "444455556666"},
		{"source_organisation", `{"StringEquals":{"aws:SourceOrgID":"o-theirs"}}`, "o-theirs"},
		{"user_id", `{"StringEquals":{"aws:userid":"444455556666"}}`, "444455556666"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := shop(func(b *Bucket) {
				b.Policy = policyText(`{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::shop/*","Condition":` + tt.condition + `}`)
			})
			doc, err := b.Parsed()
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, o := range b.Outsiders(t.Context(), doc, 0, func(string) bool { return false }) {
				got += o.ID
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestBucketCutPublic_delivery_of_logs: what services write as everyone is for a
// person to decide.
func TestBucketCutPublic_delivery_of_logs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, action, resource, condition string
		delivers                          bool
	}{
		{"below_awslogs", "s3:PutObject", "shop/AWSLogs/111122223333/*", `{}`, true},
		{"full_control_for_the_owner", "s3:PutObject", "shop/*", `{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}`, true},
		{"another_acl", "s3:PutObject", "shop/*", `{"StringEquals":{"s3:x-amz-acl":"private"}}`, false},
		{"read", "s3:GetObject", "shop/AWSLogs/111122223333/*", `{}`, false},
		{"elsewhere", "s3:PutObject", "shop/*", `{}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := shop(func(b *Bucket) {
				b.Policy = policyText(`{"Effect":"Allow","Principal":"*","Action":"` + tt.action + `","Resource":"arn:aws:s3:::` + tt.resource + `","Condition":` + tt.condition + `}`)
			})
			doc, err := b.Parsed()
			if err != nil {
				t.Fatal(err)
			}
			_, doubts, impossible := b.CutPublic(t.Context(), doc, 0, document.House{Account: b.Owner})
			if impossible != "" || (len(doubts) > 0) != tt.delivers {
				t.Errorf("got doubts %q, impossible %q, want doubts: %t", doubts, impossible, tt.delivers)
			}
		})
	}
}
