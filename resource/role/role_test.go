package role

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// lines are the statements of a policy, for comparison.
func lines(p Policy) string {
	var out []string
	for _, s := range p.Statement {
		line := strings.TrimSpace(s.Sid + " [" + strings.Join(s.Action, " ") + "] [" + strings.Join(s.Resource, " ") + "]")
		for operator, keys := range s.Condition {
			for key, value := range keys {
				line += fmt.Sprintf(" if %s %s %s", key, operator, value)
			}
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func TestFor(t *testing.T) {
	t.Parallel()
	at := Where{Partition: "aws", Account: "111122223333"}
	tests := []struct {
		name    string
		at      Where
		actions []string
		want    string
	}{
		{"reads_of_all", at, []string{"ec2:DescribeVpcs", "s3:ListAllMyBuckets"}, "Look [ec2:DescribeVpcs s3:ListAllMyBuckets] [*]"},
		{"reads_of_resources_of_any_account", at, []string{"ec2:GetManagedPrefixListEntries", "s3:GetBucketTagging"},
			"LookAtResources [ec2:GetManagedPrefixListEntries s3:GetBucketTagging] [arn:aws:ec2:*:*:prefix-list/* arn:aws:s3:::*]"},
		{"rules", Where{Partition: "aws-cn", Account: "111122223333"}, []string{"ec2:AuthorizeSecurityGroupIngress", "ec2:CreateTags", "ec2:RevokeSecurityGroupIngress"},
			"ChangeSecurityGroupSecurityGroupRule [ec2:AuthorizeSecurityGroupIngress] [arn:aws-cn:ec2:*:111122223333:security-group-rule/* arn:aws-cn:ec2:*:111122223333:security-group/*]\n" +
				"TagSecurityGroupRuleOfAuthorizeSecurityGroupIngress [ec2:CreateTags] [arn:aws-cn:ec2:*:111122223333:security-group-rule/*] if ec2:CreateAction StringEquals AuthorizeSecurityGroupIngress\n" +
				"ChangeSecurityGroup [ec2:RevokeSecurityGroupIngress] [arn:aws-cn:ec2:*:111122223333:security-group/*]"},
		{"arn_without_an_account", at, []string{"s3:DeleteBucketPolicy", "s3:PutBucketAcl"},
			"ChangeBucket [s3:DeleteBucketPolicy s3:PutBucketAcl] [arn:aws:s3:::*] if aws:ResourceAccount StringEquals 111122223333"},
		{"any_account", Where{Partition: "aws"}, []string{"s3:PutBucketAcl"}, "ChangeBucket [s3:PutBucketAcl] [arn:aws:s3:::*]"},
		{"no_resource_to_name", at, []string{"s3:PutAccountPublicAccessBlock"}, "ChangeAccountPublicAccessBlock [s3:PutAccountPublicAccessBlock] [*]"},
		{"another_service", at, []string{"kms:EnableKeyRotation"}, "ChangeKey [kms:EnableKeyRotation] [arn:aws:kms:*:111122223333:key/*]"},
		{"nothing", at, nil, ""},
		{"unknown_action", at, []string{"ec2:DescribeEverything"}, "error"},
		{"unknown_service", at, []string{"nowhere:PutIt"}, "error"},
		{"tags_of_nothing_that_is_made", at, []string{"ec2:CreateTags", "ec2:RevokeSecurityGroupIngress"}, "error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := For(tt.actions, tt.at)
			got := lines(p)
			if err != nil {
				got = "error"
			}
			if got != tt.want {
				t.Errorf("got (%v)\n%s\nwant\n%s", err, got, tt.want)
			}
			var sids []string
			for _, s := range p.Statement {
				sids = append(sids, s.Sid)
			}
			if slices.Sort(sids); len(slices.Compact(slices.Clone(sids))) != len(sids) {
				t.Errorf("got a Sid twice: %q", sids)
			}
		})
	}
}

// TestSession: a session can do the plan and its undos on its resource, and nothing
// else; it has no conditions.
func TestSession(t *testing.T) {
	t.Parallel()
	change := func(operation, undo string) dera.Change {
		c := dera.Change{Operation: operation}
		if undo != "" {
			c.Undo = &dera.Undo{Operation: undo}
		}
		return c
	}
	group := dera.ARN("arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1")
	tests := []struct {
		name     string
		resource dera.ARN
		changes  []dera.Change
		want     string
	}{
		{"revoke", group, []dera.Change{change("ec2:RevokeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupIngress")},
			"[ec2:AuthorizeSecurityGroupIngress] [" + string(group) + " arn:aws:ec2:eu-west-1:111122223333:security-group-rule/*]\n" +
				"[ec2:CreateTags] [arn:aws:ec2:eu-west-1:111122223333:security-group-rule/*]\n" +
				"[ec2:RevokeSecurityGroupIngress] [" + string(group) + "]"},
		{"tags_of_the_group", group, []dera.Change{change("ec2:CreateTags", "ec2:DeleteTags")}, "[ec2:CreateTags ec2:DeleteTags] [" + string(group) + "]"},
		{"bucket", "arn:aws:s3:::media", []dera.Change{change("s3:PutBucketPolicy", "s3:PutBucketPolicy"), change("s3:PutBucketAcl", "")}, "[s3:PutBucketAcl s3:PutBucketPolicy] [arn:aws:s3:::media]"},
		{"account_block", "arn:aws:s3::111122223333:public-access-block/111122223333", []dera.Change{change("s3:PutAccountPublicAccessBlock", "")}, "[s3:PutAccountPublicAccessBlock] [*]"},
		{"path_with_signs_of_policies", "arn:aws:iam::111122223333:role/*/${aws:username}/?/app", []dera.Change{change("iam:UpdateAssumeRolePolicy", "")},
			"[iam:UpdateAssumeRolePolicy] [arn:aws:iam::111122223333:role/${*}/${$}{aws:username}/${?}/app]"},
		{"resource_of_another_kind", "arn:aws:s3:::media", []dera.Change{change("ec2:RevokeSecurityGroupIngress", "")}, "error"},
		{"unknown_action", group, []dera.Change{change("ec2:Nothing", "")}, "error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := Session(dera.Plan{Partition: "aws", Account: "111122223333", Region: "eu-west-1", Resource: tt.resource, Changes: tt.changes})
			got := lines(p)
			if err != nil {
				got = "error"
			}
			if got != tt.want {
				t.Errorf("got (%v)\n%s\nwant\n%s", err, got, tt.want)
			}
		})
	}
}

func TestTagging(t *testing.T) {
	t.Parallel()
	op := func(names ...string) (out []resource.OperationType) {
		for _, n := range names {
			out = append(out, resource.OperationType{Name: n, Version: 1})
		}
		return out
	}
	for name, tc := range map[string]struct {
		operations []resource.OperationType
		want       string
	}{
		"keys_that_aws_tells": {op("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress", "ec2:CreateTags", "ec2:DeleteTags"),
			"TagChangedSecurityGroup [ec2:CreateTags ec2:DeleteTags] [arn:aws:ec2:*:111122223333:security-group/*] if aws:TagKeys ForAllValues:StringLike dera:*"},
		"keys_that_aws_does_not_tell": {op("s3:PutBucketPolicy", "s3:PutBucketTagging"),
			"TagChangedBucket [s3:PutBucketTagging] [arn:aws:s3:::*] if aws:ResourceAccount StringEquals 111122223333"},
		"no_tags": {op("s3:PutAccountPublicAccessBlock"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := Policy{}.Tagging(tc.operations, Where{Partition: "aws", Account: "111122223333"})
			if got := lines(p); err != nil || got != tc.want {
				t.Errorf("got (%v)\n%s\nwant\n%s", err, got, tc.want)
			}
		})
	}
}
