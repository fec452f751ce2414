package evaluate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"dera.example/dera/services"
)

// TestExemptionsSayWhatIsRead: what a reviewer cannot see, or that says nothing, is
// refused where it stands.
func TestExemptionsSayWhatIsRead(t *testing.T) {
	t.Parallel()
	list := func(owner, reason, more string) string {
		return "version: 1\nexemptions:\n  - id: a\n    match: {keys: [tcp/22]}" + more + "\n    owner: " + owner + "\n    reason: " + reason + "\n    expires: 2027-01-01\n"
	}
	const owner, reason = "net@example.com", "Partner uploads"
	tests := []struct {
		name, text string
		at         string // line:column; "" is valid
		says       string
	}{
		{"plain", list(owner, reason, ""), "", ""},
		{"other_alphabets", list("Зоя", "保守", ""), "", ""},
		{"byte_order_mark_of_an_editor", "\ufeff" + list(owner, reason, ""), "", ""},
		{"byte_order_mark_inside", list(owner, "Partner\ufeff uploads", ""), "6:20", "U+FEFF"},
		{"zero_width_space", list(owner, "Partner\u200buploads", ""), "6:20", "U+200B"},
		{"zero_width_joiner", list("net\u200d@example.com", reason, ""), "5:15", "U+200D"},
		{"soft_hyphen", list(owner, "Part\u00adner uploads", ""), "6:17", "U+00AD"},
		{"right_to_left_override", list(owner, "safe \u202edaolpu", ""), "6:18", "U+202E"},
		{"isolate", list(owner, "safe \u2066daolpu", ""), "6:18", "U+2066"},
		{"line_separator", list(owner, "one\u2028two", ""), "6:16", "U+2028"},
		{"tag_character", list(owner, "one \U000e0041two", ""), "6:17", "U+E0041"},
		{"variation_selector", list(owner, "one\ufe0f two", ""), "6:16", "U+FE0F"},
		{"blank_of_braille", list(owner, "\"\u2800\u2800\"", ""), "6:14", "U+2800"},
		{"filler", list(owner, "one \u3164 two", ""), "6:17", "U+3164"},
		{"override_in_a_comment", list(owner, reason, " # \u202e} :hctam"), "4:31", "U+202E"},
		{"override_in_a_key_of_the_match", strings.Replace(list(owner, reason, ""), "tcp/22", "tcp/22\u202e", 1), "4:26", "U+202E"},
		{"bell", list(owner, "one\atwo", ""), "6:16", "U+0007"},
		{"escaped_override", list(owner, `"safe \u202edaolpu"`, ""), "6:13", "U+202E"},
		{"escaped_zero_width_in_a_tag", strings.Replace(list(owner, reason, ""), "keys: [tcp/22]", `tags: {"a\u200b": b}`, 1), "4:20", "U+200B"},
		{"reason_of_one_character", list(owner, "x", ""), "6:13", "says nothing"},
		{"reason_of_one_sign", list(owner, "'-'", ""), "6:13", "says nothing"},
		{"reason_of_dots", list(owner, "...", ""), "6:13", "says nothing"},
		{"reason_of_one_character_repeated", list(owner, "xxxx", ""), "6:13", "says nothing"},
		{"reason_that_is_none", list(owner, "n/a", ""), "6:13", "says nothing"},
		{"reason_of_no_break_spaces", list(owner, "'\u00a0\u00a0'", ""), "6:13", "blank"},
		{"owner_of_one_character", list("x", reason, ""), "5:12", "says nothing"},
		{"owner_of_a_sign", list("'?'", reason, ""), "5:12", "says nothing"},
		{"owner_to_be_done", list("TBD", reason, ""), "5:12", "says nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ExemptionConfig{Now: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)}.Parse("list.yaml", []byte(tt.text))
			if tt.at == "" {
				if err != nil {
					t.Errorf("got %v, want it valid", err)
				}
				return
			}
			var e *ExemptionError
			if !errors.As(err, &e) || len(e.Problems) != 1 {
				t.Fatalf("got %v, want one fault", err)
			}
			p := e.Problems[0]
			if at := fmt.Sprintf("%d:%d", p.Line, p.Column); at != tt.at || !strings.Contains(p.Message, tt.says) {
				t.Errorf("got %s %s, want %s %s", at, p.Message, tt.at, tt.says)
			}
		})
	}
}

// TestWideExemptionsWarn: where nothing about a type is decided any more, alone or
// together, a person is told.
func TestWideExemptionsWarn(t *testing.T) {
	t.Parallel()
	types := map[string][]string{
		"AWS::EC2::SecurityGroup": {"ec2-securitygroup-admin-ports-open", "ec2-securitygroup-other-ports-open"},
		"AWS::S3::Bucket":         {"s3-bucket-public-acl"},
	}
	tests := []struct {
		name    string
		matches []string
		want    string // type, or ""
	}{
		{"controls_by_glob", []string{`{controls: ["ec2-*"]}`}, "AWS::EC2::SecurityGroup"},
		{"controls_by_name", []string{`{controls: [ec2-securitygroup-admin-ports-open, ec2-securitygroup-other-ports-open], accounts: ["*"]}`}, "AWS::EC2::SecurityGroup"},
		{"resources_of_the_type", []string{`{resources: ["arn:aws:ec2:*:*:security-group/*"]}`}, "AWS::EC2::SecurityGroup"},
		{"resources_of_the_type_in_any_partition", []string{`{resources: ["arn:*:ec2:*:*:security-group/sg-*"]}`}, "AWS::EC2::SecurityGroup"},
		{"all_buckets", []string{`{resources: ["arn:aws:s3:::*"]}`}, "AWS::S3::Bucket"},
		{"two_entries_together", []string{`{controls: [ec2-securitygroup-admin-ports-open]}`, `{controls: [ec2-securitygroup-other-ports-open], keys: ["*"]}`}, "AWS::EC2::SecurityGroup"},
		{"one_control", []string{`{controls: [ec2-securitygroup-admin-ports-open]}`}, ""},
		{"one_account", []string{`{controls: ["ec2-*"], accounts: ["111122223333"]}`}, ""},
		{"one_region", []string{`{resources: ["arn:aws:ec2:us-east-1:*:security-group/*"]}`}, ""},
		{"some_keys", []string{`{controls: ["ec2-*"], keys: [tcp/22]}`}, ""},
		{"by_tag_it_only_asks", []string{`{controls: ["ec2-*"], tags: {a: "*"}}`}, ""},
		{"all_traffic_of_every_group", []string{`{keys: [all]}`}, "AWS::EC2::SecurityGroup"},
		{"sources_of_everything", []string{`{controls: ["ec2-*"], sources: ["0.0.0.0/0", "::/0"]}`}, "AWS::EC2::SecurityGroup"},
		{"some_sources", []string{`{controls: ["ec2-*"], sources: ["203.0.113.0/24"]}`}, ""},
		{"some_permissions", []string{`{controls: ["s3-*"], permissions: ["s3:GetObject"]}`}, ""},
		{"some_buckets", []string{`{resources: ["arn:aws:s3:::logs*"]}`}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := "version: 1\nexemptions:\n"
			for i, m := range tt.matches {
				text += fmt.Sprintf("  - {id: e%d, match: %s, owner: ann, reason: a test, expires: 2027-03-01}\n", i, m)
			}
			list, err := ExemptionConfig{Now: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), Types: services.Types(), On: types}.Parse("list.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case tt.want == "" && len(list.Warnings) > 0:
				t.Errorf("got %v, want no warning", list.Warnings)
			case tt.want != "" && (len(list.Warnings) != 1 || !strings.Contains(list.Warnings[0].Message, "every "+tt.want+" ") || list.Warnings[0].Line != 2+len(tt.matches)):
				t.Errorf("got %v, want a warning about %s at the last entry", list.Warnings, tt.want)
			}
		})
	}
}
