package role_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

const (
	stagedStart = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[`
	stagedEnd   = `],"Resource":"*"}`
)

// stagedRole is a role that used two actions of its inline policy.
func stagedRole(text string) *role.Role {
	to := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	call := func(source, name string) resource.Call {
		return resource.Call{Source: source, Name: name, First: to.AddDate(0, 0, -60), Last: to.AddDate(0, 0, -3), Count: 9}
	}
	return &role.Role{
		Account: "111122223333", Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
		Identity: iam.Identity{Name: "app", Path: "/", Created: to.AddDate(-2, 0, 0), Inline: []iam.Inline{{Name: "own", Document: text}}},
		Use:      &resource.Use{From: to.AddDate(0, 0, -90), To: to, Calls: []resource.Call{call("ec2.amazonaws.com", "DescribeInstances"), call("sqs.amazonaws.com", "DeleteQueue")}},
	}
}

// step checks a role, wants one plan with some keys at a disposition, and carries it out.
func step(t *testing.T, r *role.Role, days int, start dera.Disposition, keys ...string) (*role.Role, dera.Evidence) {
	t.Helper()
	c, s := role.UnusedPermissions(), control.Settings{GraduationDays: days}
	res := dera.Resource{ARN: iam.RoleKind.ARN("aws", r.Account, "/", r.Name), Partition: "aws", Account: r.Account, Region: dera.GlobalRegion, Type: role.Name, ID: r.Name, Name: r.Name, Config: r, Full: true}
	found, err := c.Check(res, s)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var of []control.Failure
	for _, f := range found.Failures {
		if got = append(got, f.Key); f.Start == start {
			of = append(of, f)
		}
	}
	if strings.Join(got, " ") != strings.Join(keys, " ") {
		t.Fatalf("got %v, %s %s, want %v", got, found.Outcome, found.Why, keys)
	}
	if len(keys) == 0 {
		return r, dera.Evidence{}
	}
	plan, refusal, err := c.Plan(res, of, s)
	if refusal != nil || err != nil || len(plan.Changes) == 0 {
		t.Fatalf("no plan for %v: %v, %v", of, refusal, err)
	}
	ev, err := c.Prove(res, of, plan, s)
	if err != nil {
		t.Fatal(err)
	}
	blob, _, err := ev.Blob()
	if err == nil {
		err = evidence.Check(blob, iam.PermissionsEvidence(), iam.StageEvidence())
	}
	if err != nil || !ev.Proved() {
		t.Fatalf("got %+v, %v, want it proved", ev.Claims, err)
	}
	after, err := iam.Applied(role.Type(), r, plan.Changes)
	if err != nil {
		t.Fatal(err)
	}
	after.Staged = nil
	if plan.Stages() {
		after.Staged = &iam.Staged{}
	}
	return after, ev
}

// TestStaged: what nobody used is denied first, and goes out of the policy when it was denied for
// long enough: the policy is then what it would have been at once, and nothing else was ever
// denied.
func TestStaged(t *testing.T) {
	t.Parallel()
	const used = `"ec2:DescribeInstances","sqs:DeleteQueue"`
	for name, text := range map[string]string{
		"list":      stagedStart + used + `,"sqs:PurgeQueue","sns:DeleteTopic"` + stagedEnd + `]}`,
		"wildcard":  stagedStart + `"ec2:DescribeInstances","sqs:*"` + stagedEnd + `]}`,
		"object":    `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":[` + used + `,"sns:DeleteTopic"],"Resource":"*"}}`,
		"resources": stagedStart + used + stagedEnd + `,{"Effect":"Allow","Action":"sns:*","Resource":"arn:aws:sns:*:*:jobs"}]}`,
		"denial":    stagedStart + used + `,"sns:DeleteTopic"` + stagedEnd + `,{"Sid":"Mine","Effect":"Deny","Action":"sqs:PurgeQueue","Resource":"*"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := stagedRole(text)
			atOnce, _ := step(t, before, 0, dera.Auto, iam.UnusedKey)
			r, ev := step(t, before, 14, dera.Auto, iam.UnusedKey)
			if ev.Kind != iam.StageKind || name != "object" && !strings.HasPrefix(r.Inline[0].Document, text[:len(text)-3]) || strings.Count(r.Inline[0].Document, dera.StageSid) != 1 {
				t.Errorf("staged: got %s %s", ev.Kind, r.Inline[0].Document)
			}
			for _, days := range []int{0, 13} {
				r.Staged.Days = days
				step(t, r, 14, dera.Auto)
			}
			r.Staged = nil // since when is not known
			step(t, r, 14, dera.Auto)
			r.Staged = &iam.Staged{Days: 14}
			last, ev := step(t, r, 14, dera.Auto, iam.UnusedStagedKey)
			if ev.Kind != iam.PermissionsKind || !document.SamePolicy(last.Inline[0].Document, atOnce.Inline[0].Document) {
				t.Errorf("at last: got %s %s, want %s", ev.Kind, last.Inline[0].Document, atOnce.Inline[0].Document)
			}
			step(t, last, 14, dera.Auto)
			r.Staged = &iam.Staged{}
			if off, _ := step(t, r, 0, dera.Auto, iam.UnusedStagedKey); !document.SamePolicy(off.Inline[0].Document, atOnce.Inline[0].Document) {
				t.Errorf("switched off: got %s", off.Inline[0].Document)
			}
			r.Staged = &iam.Staged{Days: 20, Missed: "role/app was denied sqs:PurgeQueue"}
			step(t, r, 14, dera.Review, iam.UnusedStagedKey)
		})
	}
}

// TestStaged_more: what is found unused while something is staged is staged too; when the first
// is due, it alone goes out.
func TestStaged_more(t *testing.T) {
	t.Parallel()
	const text = stagedStart + `"ec2:DescribeInstances","sqs:DeleteQueue","sns:DeleteTopic"` + stagedEnd + `]}`
	r, _ := step(t, stagedRole(text), 14, dera.Auto, iam.UnusedKey)
	more := *r
	more.Inline = []iam.Inline{{Name: "own", Document: strings.Replace(r.Inline[0].Document, `"sns:DeleteTopic"`, `"sns:DeleteTopic","sqs:PurgeQueue"`, 1)}}
	both, _ := step(t, &more, 14, dera.Auto, iam.UnusedKey)
	if doc := both.Inline[0].Document; strings.Count(doc, dera.StageSid) != 1 || strings.Count(doc, "sns:deletetopic")+strings.Count(doc, "sns:DeleteTopic") != 2 || !strings.Contains(strings.ToLower(doc[strings.Index(doc, dera.StageSid):]), "sqs:purgequeue") {
		t.Errorf("both: got %s", doc)
	}
	more.Staged = &iam.Staged{Days: 20}
	due, _ := step(t, &more, 14, dera.Auto, iam.UnusedKey, iam.UnusedStagedKey)
	if doc := due.Inline[0].Document; strings.Contains(strings.ToLower(doc), "sns:") || strings.Count(strings.ToLower(doc), "sqs:purgequeue") != 2 {
		t.Errorf("the first is due: got %s", doc)
	}
}

// TestStaged_forged: a statement that has the name of a stage and is none hides nothing.
func TestStaged_forged(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"allow":     `{"Sid":"DeraStaged","Effect":"Allow","Action":"sns:DeleteTopic","Resource":"*"}`,
		"condition": `{"Sid":"DeraStaged","Effect":"Deny","Action":"sns:DeleteTopic","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`,
		"resource":  `{"Sid":"DeraStaged","Effect":"Deny","Action":"sns:DeleteTopic","Resource":"arn:aws:sns:*:*:x"}`,
		"other":     `{"Sid":"DeraStagedToo","Effect":"Deny","Action":"sns:DeleteTopic","Resource":"arn:aws:sns:*:*:x"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := stagedRole(stagedStart + `"ec2:DescribeInstances","sqs:DeleteQueue","sns:DeleteTopic"` + stagedEnd + `,` + statement + `]}`)
			r.Staged = &iam.Staged{}
			if name == "other" {
				step(t, r, 14, dera.Auto, iam.UnusedKey)
				return
			}
			res, s := dera.Resource{Type: role.Name, Config: r}, control.Settings{GraduationDays: 14}
			found, err := role.UnusedPermissions().Check(res, s)
			if err != nil || len(found.Failures) != 1 {
				t.Fatalf("got %+v, %v, want it found", found, err)
			}
			if _, refusal, err := role.UnusedPermissions().Plan(res, found.Failures, s); refusal == nil || err != nil || !strings.Contains(refusal.Why, "has the name DeraStaged") {
				t.Errorf("got %v, %v, want no plan, for the name is taken", refusal, err)
			}
		})
	}
}

// TestStaged_evidence: evidence about another denial than that of what goes is refused.
func TestStaged_evidence(t *testing.T) {
	t.Parallel()
	_, ev := step(t, stagedRole(stagedStart+`"ec2:DescribeInstances","sqs:DeleteQueue","sns:DeleteTopic"`+stagedEnd+`]}`), 14, dera.Auto, iam.UnusedKey)
	last := func(text, action string) string {
		at := strings.LastIndex(text, "sns:DeleteTopic")
		return text[:at] + action + text[at+len("sns:DeleteTopic"):]
	}
	for name, change := range map[string]func(text string) string{
		"denies_what_is_used": func(text string) string { return last(text, "sqs:DeleteQueue") },
		"denies_everything":   func(text string) string { return last(text, "*") },
		"allows_more":         func(text string) string { return strings.Replace(text, `"sqs:DeleteQueue"`, `"sqs:*"`, 1) },
		"allows_it_now":       func(text string) string { return strings.Replace(text, `"Deny"`, `"Allow"`, 1) },
	} {
		var body iam.StagedChange
		if err := json.Unmarshal(ev.Body, &body); err != nil {
			t.Fatal(err)
		}
		was := body.Until[0]
		if body.Until[0] = change(was); body.Until[0] == was {
			t.Fatalf("%s: the case changes nothing in %s", name, was)
		}
		forged, err := body.Evidence()
		if name == "allows_it_now" && err == nil && forged.Proved() {
			continue // the same as without the stage, and nothing new
		}
		if err == nil && forged.Proved() {
			t.Errorf("%s: it is proved of %s", name, body.Until[0])
		}
	}
}
