package scope

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
)

func parse(t testing.TB, text string) *policy.Document {
	t.Helper()
	doc, err := policy.Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return doc
}

// statement writes a policy with one statement.
func allow(actions string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"One","Effect":"Allow","Action":` + actions + `,"Resource":"*"}]}`
}

func TestNarrow(t *testing.T) {
	t.Parallel()
	year := 366 * 24 * time.Hour
	all := func(string) bool { return true }
	c := catalog.Embedded()
	for _, test := range []struct {
		name, policy string
		used         string
		in           Input
		outcome      Outcome
		want         string // the document; "" is not looked at
		removed      string
	}{
		{
			name: "drops_an_entry", policy: allow(`["ec2:DescribeInstances","ec2:StopInstances"]`), used: "ec2:DescribeInstances",
			outcome: Narrowed, want: allow(`["ec2:DescribeInstances"]`), removed: "ec2:StopInstances",
		},
		{
			name: "replaces_a_wildcard", policy: allow(`"sqs:*Queue"`), used: "sqs:CreateQueue sqs:tagqueue",
			outcome: Narrowed, want: allow(`["sqs:CreateQueue", "sqs:TagQueue", "sqs:UntagQueue"]`), removed: "sqs:DeleteQueue sqs:PurgeQueue",
		},
		{
			name: "keeps_a_wildcard_of_used_actions", policy: allow(`["ec2:StopInstance?","ec2:RebootInstances"]`), used: "ec2:StopInstances",
			outcome: Narrowed, want: allow(`["ec2:StopInstance?"]`), removed: "ec2:RebootInstances",
		},
		{
			name: "everything_is_used", policy: allow(`["EC2:stopinstances"]`), used: "ec2:StopInstances",
			outcome: Nothing, want: allow(`["EC2:stopinstances"]`),
		},
		{
			name: "nothing_is_used", policy: allow(`["ec2:StopInstances","ecs:*Tagging*"]`),
			outcome: Narrowed, want: allow(`["ecs:*Tagging*"]`),
		},
		{name: "detach", policy: allow(`["ec2:Stop*","ecs:List*"]`), outcome: Detach, removed: "ec2:Stop* ecs:List*"},
		{name: "detach_everything", policy: allow(`"lightsail:*"`), in: Input{Window: year}, outcome: Detach, removed: "lightsail:*"},
		{
			name: "drops_a_statement", outcome: Narrowed, used: "ec2:StopInstances", removed: "ecs:ListTasks",
			policy: `{"Statement":[{"Effect":"Allow","Action":"ecs:ListTasks","Resource":"*"},{"Effect":"Allow","Action":"ec2:StopInstances","Resource":"*"}]}`,
			want:   `{"Statement":[{"Effect":"Allow","Action":"ec2:StopInstances","Resource":"*"}]}`,
		},
		{
			name: "keeps_denials", outcome: Narrowed, removed: "ecs:ListTasks",
			policy: `{"Statement":[{"Effect":"Allow","Action":"ecs:ListTasks","Resource":"*"},{"Effect":"Deny","Action":"ec2:*","Resource":"*"}]}`,
			want:   `{"Statement":[{"Effect":"Deny","Action":"ec2:*","Resource":"*"}]}`,
		},
		{
			name: "not_action_with_allow", outcome: Refused,
			policy: `{"Statement":[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]}`,
		},
		{
			name: "principal", outcome: Refused,
			policy: `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}`,
		},
		{
			name: "unknown_entries_stay", policy: allow(`["s4:*","s3:Nothing","nothing","s*:Get*","ecs:ListTasks"]`), used: "ec2:StopInstances",
			outcome: Narrowed, want: allow(`["s4:*","s3:Nothing","nothing","s*:Get*"]`), removed: "ecs:ListTasks",
		},
		{
			name: "data_events_not_recorded", policy: allow(`["s3:GetObject","s3:PutBucketPolicy"]`), outcome: Narrowed,
			want: allow(`["s3:GetObject"]`), removed: "s3:PutBucketPolicy",
		},
		{name: "data_events_recorded", policy: allow(`["s3:GetObject"]`), in: Input{DataEvents: all}, outcome: Detach, removed: "s3:GetObject"},
		{name: "hidden_alone", policy: allow(`["ssmmessages:*"]`), outcome: Nothing},
		{
			name: "hidden_with_a_companion", policy: allow(`["ec2:CreateTags","ec2:RunInstances","ec2:StopInstances"]`), used: "ec2:RunInstances",
			outcome: Narrowed, want: allow(`["ec2:CreateTags","ec2:RunInstances"]`), removed: "ec2:StopInstances",
		},
		{
			name: "tags_go_beside_reads", policy: allow(`["ec2:CreateTags","ec2:DescribeInstances"]`), used: "ec2:DescribeInstances",
			outcome: Narrowed, want: allow(`["ec2:DescribeInstances"]`), removed: "ec2:CreateTags",
		},
		{
			name: "hidden_by_way_of_data", policy: allow(`["s3:PutObject","s3:PutObjectAcl"]`), outcome: Nothing,
		},
		{
			name: "pass_role_stays_with_run_instances", policy: allow(`["iam:PassRole","ec2:RunInstances","ec2:StopInstances"]`), used: "ec2:RunInstances",
			outcome: Narrowed, want: allow(`["iam:PassRole","ec2:RunInstances"]`),
		},
		{
			name: "pass_role_goes", policy: allow(`["iam:PassRole","ec2:RunInstances","ec2:StopInstances"]`), used: "ec2:StopInstances",
			outcome: Narrowed, want: allow(`["ec2:StopInstances"]`), removed: "ec2:RunInstances iam:PassRole",
		},
		{
			name: "pass_role_stays_beside_the_unknown", policy: allow(`["iam:PassRole","s4:Frob"]`), outcome: Nothing,
		},
		{
			name: "pass_role_stays_for_another_policy", policy: allow(`["iam:PassRole"]`), outcome: Nothing,
			in: Input{Beside: []*policy.Document{parse(t, allow(`"ec2:Run*"`))}},
		},
		{
			name: "pass_role_stays_beside_not_action", policy: allow(`["iam:PassRole"]`), outcome: Nothing,
			in: Input{Beside: []*policy.Document{parse(t, `{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"},{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]}`)}},
		},
		{
			name: "pass_role_stays_beside_a_pattern_of_services", policy: allow(`["iam:PassRole"]`), outcome: Nothing,
			in: Input{Beside: []*policy.Document{parse(t, allow(`"*:**"`))}},
		},
		{
			name: "pass_role_goes_beside_others", policy: allow(`["iam:PassRole"]`), outcome: Detach,
			in: Input{Beside: []*policy.Document{parse(t, allow(`"ec2:Stop*"`))}},
		},
		{name: "identities_stay", policy: allow(`["iam:CreateUser","sts:AssumeRole","organizations:ListAccounts","kms:PutKeyPolicy"]`), outcome: Nothing},
		{name: "identities_go_after_a_year", policy: allow(`["iam:CreateUser"]`), in: Input{Window: year}, outcome: Detach},
		{name: "recovery_stays", policy: allow(`["rds:RestoreDBClusterFromS3","backup:StartRestoreJob","rds:DescribeDBInstances","ec2:CreateSnapshot","ec2:CopySnapshot","rds:FailoverDBCluster"]`), outcome: Nothing},
		{name: "kms_is_not_all_precious", policy: allow(`["kms:ListKeys","rds:DeleteDBInstance"]`), outcome: Detach},
		{name: "keep_list", policy: allow(`["ecs:ListTasks"]`), in: Input{Keep: []string{"ecs:List*"}}, outcome: Nothing},
		{
			name: "event_source_of_another_name", policy: allow(`["appstream:DescribeFleets","mq:DescribeBroker","ec2:StopInstances"]`), used: "ec2:StopInstances",
			in: Input{Usage: []Usage{{Unclear: []string{"appstream2", "amazonmq.amazonaws.com"}}}}, outcome: Nothing,
		},
		{name: "event_source_of_no_service", policy: allow(`["ec2:StopInstances"]`), in: Input{Usage: []Usage{{Unclear: []string{"frob"}}}}, outcome: Nothing},
		{name: "gap_of_data_events", policy: allow(`["s3:GetObject"]`), in: Input{DataEvents: all, Usage: []Usage{{Gaps: []string{"data-events-not-selected"}}}}, outcome: Nothing},
		{name: "gap_of_kms", policy: allow(`["kms:ListKeys","ec2:StopInstances"]`), in: Input{Usage: []Usage{{Gaps: []string{"kms-excluded"}}}}, outcome: Narrowed, want: allow(`["kms:ListKeys"]`)},
		{name: "gap_of_rds_data", policy: allow(`["rds-data:ExecuteSql"]`), in: Input{DataEvents: all, Usage: []Usage{{Gaps: []string{"rds-data-excluded"}}}}, outcome: Nothing},
		{name: "gap_of_hours", policy: allow(`["ec2:StopInstances"]`), in: Input{Usage: []Usage{{Gaps: []string{"hours-missing"}}}}, outcome: Refused},
		{
			name: "companion_that_cannot_be_seen", policy: allow(`["securitylake:CreateDataLake","lambda:CreateFunction","ec2:StopInstances"]`), used: "ec2:StopInstances",
			outcome: Nothing,
		},
		{
			name: "companion_of_another_policy", policy: allow(`["secretsmanager:ListSecrets"]`), outcome: Nothing,
			in: Input{Beside: []*policy.Document{parse(t, allow(`"secretsmanager:Batch*"`))}},
		},
		{name: "companion_that_goes", policy: allow(`["secretsmanager:ListSecrets","secretsmanager:BatchGetSecretValue"]`), outcome: Detach},
		{
			name: "tags_stay_for_another_policy", policy: allow(`["sqs:TagQueue"]`), outcome: Nothing,
			in: Input{Beside: []*policy.Document{parse(t, allow(`["sqs:Get*","sqs:Create*"]`))}},
		},
		{
			name: "tags_go_beside_reads_of_another_policy", policy: allow(`["sqs:TagQueue"]`), outcome: Detach,
			in: Input{Beside: []*policy.Document{parse(t, allow(`["sqs:Get*","sqs:List*","ec2:*"]`))}},
		},
		{
			name: "tags_stay_for_the_tag_editor", policy: allow(`["sqs:TagQueue"]`), outcome: Nothing, used: "tag:TagResources",
		},
		{name: "service_without_a_row", policy: allow(`["directconnect:*"]`), outcome: Nothing},
		{name: "unclear_service", policy: allow(`["ecs:ListTasks"]`), in: Input{Usage: []Usage{{Unclear: []string{"ECS"}}}}, outcome: Nothing},
		{
			name: "union_of_all_principals", policy: allow(`["ec2:StopInstances","ec2:StartInstances","ec2:RebootInstances"]`), used: "ec2:StopInstances",
			in:      Input{Usage: []Usage{{Principal: "other", Actions: []string{"ec2:StartInstances"}}}},
			outcome: Narrowed, want: allow(`["ec2:StopInstances","ec2:StartInstances"]`),
		},
		{
			name: "what_another_entry_keeps_is_not_repeated", policy: allow(`["sqs:CreateQueue","sqs:*Queue","sqs:P*Queue"]`), used: "sqs:CreateQueue sqs:PurgeQueue",
			outcome: Narrowed, want: allow(`["sqs:CreateQueue","sqs:TagQueue","sqs:UntagQueue","sqs:P*Queue"]`),
		},
		{
			name: "what_was_introduced_is_not_repeated", policy: allow(`["sqs:*Queue","sqs:*eQueue"]`), used: "sqs:CreateQueue",
			outcome: Narrowed, want: allow(`["sqs:CreateQueue","sqs:TagQueue","sqs:UntagQueue"]`), removed: "sqs:DeleteQueue sqs:PurgeQueue",
		},
		{
			name: "the_same_entry_twice", policy: allow(`["ecs:ListTasks","ec2:StopInstances","ecs:ListTasks"]`), used: "ec2:StopInstances",
			outcome: Narrowed, want: allow(`["ec2:StopInstances"]`), removed: "ecs:ListTasks",
		},
		{
			name: "removed_patterns_are_free", policy: allow(`["lightsail:*","athena:*"]`), used: "lightsail:GetDisk",
			in: Input{Window: year, Keep: []string{"athena:*"}}, outcome: Narrowed, want: allow(`["lightsail:GetDisk","athena:*"]`),
		},
		{
			name: "wildcard_star", policy: allow(`"*"`), used: "ec2:StopInstances", in: Input{Window: year, DataEvents: all}, outcome: Narrowed,
		},
		{name: "no_action", policy: `{"Statement":[{"Effect":"Allow","Action":[],"Resource":"*"}]}`, outcome: Nothing},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := test.in
			in.Policy, in.Catalogue = parse(t, test.policy), c
			in.Usage = append(in.Usage, Usage{Principal: "me", Actions: strings.Fields(test.used)})
			r, err := Narrow(in)
			if err != nil {
				t.Fatal(err)
			}
			if r.Outcome != test.outcome {
				t.Fatalf("got %v (%s), want %v\n%+v", r.Outcome, r.Why, test.outcome, r.Reasons)
			}
			if test.want != "" && r.Documents[0].Text() != test.want {
				t.Errorf("got  %s\nwant %s", r.Documents[0].Text(), test.want)
			}
			if got := strings.Join(r.Removed, " "); test.removed != "" && got != test.removed {
				t.Errorf("removed %s, want %s", got, test.removed)
			}
			sound(t, in, r)
		})
	}
}

// sound checks what must hold of every result, with nothing but the matching
// of names.
func sound(t testing.TB, in Input, r *Result) {
	t.Helper()
	if r.Outcome == Refused {
		if r.Why == "" {
			t.Error("refused without a reason")
		}
		return
	}
	var entries []string
	for _, doc := range r.Documents {
		for i := range doc.Statements {
			if st := &doc.Statements[i]; st.Effect == policy.Allow {
				entries = append(entries, st.Actions...)
			}
		}
	}
	old := (&narrower{Input: in}).entries
	for _, u := range in.Usage {
		for _, a := range u.Actions {
			if slices.ContainsFunc(old(), func(e string) bool { return overlap(e, a) }) != slices.ContainsFunc(entries, func(e string) bool { return overlap(e, a) }) {
				t.Errorf("%s was used and is lost", a)
			}
		}
	}
	for _, removed := range r.Removed {
		if at := slices.IndexFunc(entries, func(e string) bool { return overlap(e, removed) }); at >= 0 {
			t.Errorf("%s was removed, but %s allows some of it", removed, entries[at])
		}
	}
	for _, reason := range r.Reasons {
		if len(reason.Why) == 0 || (reason.Fate == Replaced) != (len(reason.With) > 0) {
			t.Errorf("reason %+v", reason)
		}
		for _, with := range reason.With {
			if !covers(reason.Entry, with) {
				t.Errorf("%s takes the place of %s, which does not cover it", with, reason.Entry)
			}
		}
	}
}

func TestNarrow_refuses_input(t *testing.T) {
	t.Parallel()
	doc := parse(t, allow(`"s3:*"`))
	for name, in := range map[string]Input{
		"no_policy": {},
		"wildcard":  {Policy: doc, Usage: []Usage{{Actions: []string{"s3:*"}}}},
		"no_colon":  {Policy: doc, Usage: []Usage{{Actions: []string{"s3"}}}},
		"no_name":   {Policy: doc, Usage: []Usage{{Actions: []string{"s3:"}}}},
		"misspelt":  {Policy: doc, Usage: []Usage{{Actions: []string{"s3:GetObjct"}}}},
		"an_event":  {Policy: doc, Usage: []Usage{{Actions: []string{"s3:ListBuckets"}}}},
	} {
		if _, err := Narrow(in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for o, want := range map[Outcome]string{Refused: "refused", Nothing: "nothing to do", Narrowed: "narrowed", Detach: "detach", 9: "invalid outcome"} {
		if got := o.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNarrow_keeps_bytes(t *testing.T) {
	t.Parallel()
	in := "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Sid\": \"A\",\n      \"Effect\": \"Allow\",\n      \"Action\": [\n        \"sqs:*Queue\",\n        \"ecs:ListTasks\"\n      ],\n      \"Resource\": \"*\",\n      \"Condition\": {\"Bool\": {\"aws:SecureTransport\": \"true\"}}\n    }\n  ]\n}\n"
	r, err := Narrow(Input{Policy: parse(t, in), Usage: []Usage{{Actions: []string{"sqs:CreateQueue", "sqs:PurgeQueue"}}}})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(in, "\"sqs:*Queue\",\n        \"ecs:ListTasks\"",
		"\"sqs:CreateQueue\",\n        \"sqs:PurgeQueue\",\n        \"sqs:TagQueue\",\n        \"sqs:UntagQueue\"", 1)
	if got := r.Documents[0].Text(); got != want {
		t.Errorf("got %s", got)
	}
	if len(r.Edits) != 2 || len(r.Reasons) != 2 || r.Reasons[0].Sid != "A" {
		t.Errorf("edits %v, reasons %+v", r.Edits, r.Reasons)
	}
}
