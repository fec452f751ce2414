package role_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

// TestStaged_denialOfSomebody: a statement to which somebody added what the policy does not
// allow is no stage: to take it away would allow what another policy grants.
func TestStaged_denialOfSomebody(t *testing.T) {
	t.Parallel()
	r := stagedRole(stagedStart + `"ec2:DescribeInstances","sqs:DeleteQueue","sns:DeleteTopic"` + stagedEnd +
		`,{"Sid":"DeraStaged","Effect":"Deny","Action":["sns:DeleteTopic","s3:DeleteBucket"],"Resource":"*"}]}`)
	r.Staged = &iam.Staged{Days: 20}
	r.Attached = []iam.Attached{{ARN: "arn:aws:iam::111122223333:policy/storage", Document: stagedStart + `"s3:DeleteBucket","ec2:DescribeInstances"` + stagedEnd + `]}`}}
	res, s := dera.Resource{Type: role.Name, Config: r}, control.Settings{GraduationDays: 14}
	found, err := role.UnusedPermissions().Check(res, s)
	if err != nil || len(found.Failures) == 0 {
		t.Fatalf("got %+v, %v, want it found", found, err)
	}
	if plan, refusal, err := role.UnusedPermissions().Plan(res, found.Failures, s); refusal == nil || err != nil {
		t.Errorf("got %+v, %v, want no plan, since it would take away the denial of s3:DeleteBucket", plan.Diff(), err)
	}
}

// TestStaged_lifted: where somebody took the denial from one of two policies, or made another
// one that allows the action, it is no action that nobody missed: it is found like one that was
// given back.
func TestStaged_lifted(t *testing.T) {
	t.Parallel()
	const text = stagedStart + `"ec2:DescribeInstances","sqs:DeleteQueue","sns:DeleteTopic"` + stagedEnd + `]}`
	before := stagedRole(text)
	before.Inline = append(before.Inline, iam.Inline{Name: "second", Document: text})
	r, _ := step(t, before, 14, dera.Auto, iam.UnusedKey)
	for i, p := range r.Inline {
		if strings.Count(p.Document, dera.StageSid) != 1 {
			t.Fatalf("policy %d: got %s, want it staged", i, p.Document)
		}
	}
	r.Staged = &iam.Staged{Days: 14}
	step(t, r, 14, dera.Auto, iam.UnusedStagedKey)

	lifted := *r
	lifted.Inline = []iam.Inline{r.Inline[0], {Name: "second", Document: text}}
	again, _ := step(t, &lifted, 14, dera.Auto, iam.UnusedKey)
	if strings.Count(again.Inline[0].Document, dera.StageSid) != 1 || strings.Count(again.Inline[1].Document, dera.StageSid) != 1 {
		t.Errorf("got %v, want both staged", again.Inline)
	}
	granted := *r
	granted.Inline = append([]iam.Inline{{Name: "more", Document: stagedStart + `"sns:DeleteTopic"` + stagedEnd + `]}`}}, r.Inline...)
	step(t, &granted, 14, dera.Auto, iam.UnusedKey)
}
