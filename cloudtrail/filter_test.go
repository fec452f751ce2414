package cloudtrail

import (
	"slices"
	"testing"
)

// TestFilter: what the content filters of EventBridge let through of an event of which something
// is known.
func TestFilter(t *testing.T) {
	t.Parallel()
	event := map[string]any{
		"source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail",
		"detail": map[string]any{"eventName": "AuthorizeSecurityGroupIngress", "kind": "Policy:S3/*", "class": float64(2003), "status": []string{"NEW", "NOTIFIED"}, "findings": nil},
	}
	tests := []struct {
		name, pattern string
		want          bool
	}{
		{"nothing", `{}`, true},
		{"literal", `{"source":["aws.s3","aws.ec2"]}`, true},
		{"another_literal", `{"source":["aws.s3"]}`, false},
		{"one_member_fails", `{"source":["aws.ec2"],"detail":{"eventName":["RunInstances"]}}`, false},
		{"what_is_not_known", `{"account":["111122223333"],"detail":{"userIdentity":{"type":["Root"]}}}`, true},
		{"prefix", `{"source":[{"prefix":"aws."}]}`, true},
		{"another_prefix", `{"source":[{"prefix":"my."}]}`, false},
		{"prefix_in_any_case", `{"source":[{"prefix":{"equals-ignore-case":"AWS."}}]}`, true},
		{"suffix", `{"detail-type":[{"suffix":" via CloudTrail"}]}`, true},
		{"another_suffix", `{"detail-type":[{"suffix":" Notification"}]}`, false},
		{"any_case", `{"source":[{"equals-ignore-case":"AWS.EC2"}]}`, true},
		{"wildcard", `{"detail":{"eventName":[{"wildcard":"Authorize*Ingress"}]}}`, true},
		{"another_wildcard", `{"detail":{"eventName":[{"wildcard":"Revoke*"}]}}`, false},
		{"left_out", `{"source":[{"anything-but":"aws.ec2"}]}`, false},
		{"left_out_of_a_list", `{"source":[{"anything-but":["aws.s3","aws.ec2"]}]}`, false},
		{"left_out_by_prefix", `{"source":[{"anything-but":{"prefix":"aws."}}]}`, false},
		{"left_out_by_suffixes", `{"source":[{"anything-but":{"suffix":[".s3",".ec2"]}}]}`, false},
		{"left_out_by_wildcard", `{"detail":{"eventName":[{"anything-but":{"wildcard":"*Ingress"}}]}}`, false},
		{"left_out_in_any_case", `{"source":[{"anything-but":{"equals-ignore-case":"AWS.EC2"}}]}`, false},
		{"another_left_out", `{"source":[{"anything-but":["aws.s3"]}]}`, true},
		{"left_out_in_another_case", `{"source":[{"anything-but":["AWS.EC2"]}]}`, true},
		{"exists", `{"source":[{"exists":true}]}`, true},
		{"exists_not", `{"source":[{"exists":false}]}`, false},
		{"null", `{"source":[null]}`, false},
		{"number", `{"detail":{"class":[2003,2004]}}`, true},
		{"another_number", `{"detail":{"class":[2002]}}`, false},
		{"numeric", `{"detail":{"class":[{"numeric":[">",1]}]}}`, true},
		{"one_of_a_list", `{"detail":{"status":["NOTIFIED"]}}`, true},
		{"none_of_a_list", `{"detail":{"status":["RESOLVED"]}}`, false},
		{"alternatives", `{"$or":[{"source":["aws.s3"]},{"detail":{"eventName":[{"prefix":"Authorize"}]}}]}`, true},
		{"no_alternative", `{"$or":[{"source":["aws.s3"]},{"source":["aws.iam"]}]}`, false},
		{"alternatives_below", `{"detail":{"$or":[{"eventName":["A"]},{"status":["NEW"]}]}}`, true},
		{"begins_as_is_known", `{"detail":{"kind":["Policy:S3/BucketPublicAccessGranted"]}}`, true},
		{"begins_otherwise", `{"detail":{"kind":["Policy:IAMUser/RootCredentialUsage"]}}`, false},
		{"prefix_of_what_is_known", `{"detail":{"kind":[{"prefix":"Policy:"}]}}`, true},
		{"prefix_beyond_what_is_known", `{"detail":{"kind":[{"prefix":"Policy:S3/Bucket"}]}}`, true},
		{"prefix_of_something_else", `{"detail":{"kind":[{"prefix":"Recon:"}]}}`, false},
		{"left_out_of_what_is_not_known", `{"detail":{"kind":[{"anything-but":{"prefix":"Policy:"}}]}}`, true},
		{"what_is_not_there", `{"detail":{"findings":{"Severity":{"Label":["HIGH"]}}}}`, false},
		{"what_need_not_be_there", `{"detail":{"findings":[{"exists":false}]}}`, true},
		{"what_need_not_be_there_below", `{"detail":{"findings":{"Severity":["HIGH",{"exists":false}]}}}`, true},
		{"left_out_of_what_is_not_there", `{"detail":{"findings":[{"anything-but":"x"}]}}`, false},
		{"a_new_filter", `{"source":[{"resembles":"aws"}]}`, true},
		{"an_address", `{"source":[{"cidr":"10.0.0.0/8"}]}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, err := ParseFilter(tt.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Admits(event); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
	for _, bad := range []string{"", "null", "[]", `{"source"`} {
		if f, err := ParseFilter(bad); err == nil {
			t.Errorf("%q: got %v, want an error", bad, f)
		}
	}
}

// TestFilterNamed: a pattern names what it lets through by text, and not what it leaves out.
func TestFilterNamed(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string][]string{
		`{"detail":{"eventName":["A",{"prefix":"B"},{"suffix":{"equals-ignore-case":"c"}},{"wildcard":"*D*"},{"equals-ignore-case":"e"}]}}`: {"*D*", "A", "B", "c", "e"},
		`{"detail":{"eventName":[{"anything-but":["A"]},{"exists":true},{"wildcard":"*"},{"prefix":""}]}}`:                                  nil,
		`{"detail":{"$or":[{"eventName":["A"]},{"eventSource":["x"]}]}}`:                                                                    {"A"},
		`{"$or":[{"detail":{"eventName":["A"]}},{"source":["aws.ec2"]}]}`:                                                                   {"A"},
		`{"detail":["A"],"eventName":["B"]}`:                                                                                                nil,
		`{}`:                                                                                                                                nil,
	} {
		f, err := ParseFilter(pattern)
		if err != nil {
			t.Fatal(err)
		}
		got := f.Named("detail", "eventName")
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
}
