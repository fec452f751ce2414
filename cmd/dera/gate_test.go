package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/evaluate"
)

// sampleSession has a gate, and no store or AWS behind it.
func sampleSession() *session {
	s := &session{app: &cli{now: func() time.Time { return noon }}, identity: cloud.Identity{ARN: "arn:aws:sts::999988887777:assumed-role/hub/i-1"}}
	s.config.Accounts = []accountConfig{{ID: "111122223333", Role: "arn:aws:iam::111122223333:role/x/dera-reader", WriteRole: "arn:aws:iam::111122223333:role/x/dera-writer"}}
	s.config.Queue = "https://sqs.eu-west-1.amazonaws.com/999988887777/dera-events"
	s.config.OwnResources = []string{"arn:aws:s3:::dera-anchors"}
	return s
}

// TestGateIsDocumented: every guardrail has its row in docs/gate.md, and no row is
// left of one that is gone.
func TestGateIsDocumented(t *testing.T) {
	t.Parallel()
	gate, err := sampleSession().gate()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "gate.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) > 3 && (strings.TrimSpace(cells[2]) == "finding" || strings.TrimSpace(cells[2]) == "plan") {
			rows = append(rows, strings.TrimSpace(cells[2])+" "+strings.Trim(strings.TrimSpace(cells[1]), "`"))
		}
	}
	var want []string
	for _, g := range gate.Finding {
		want = append(want, "finding "+g.Name())
	}
	for _, g := range gate.Plan {
		want = append(want, "plan "+g.Name())
	}
	if !slices.Equal(rows, want) {
		t.Errorf("rows of docs/gate.md: got\n%s\nwant, in the order of the gate\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
}

// TestDeraKnowsItsOwn: what dera is made of is derived from its configuration.
func TestDeraKnowsItsOwn(t *testing.T) {
	t.Parallel()
	s := sampleSession()
	rail := evaluate.Own{Resources: dera.NewPrincipals(s.ownResources())}
	for arn, want := range map[dera.ARN]dera.Disposition{
		"arn:aws:iam::999988887777:role/hub":                   dera.Alert,
		"arn:aws:iam::111122223333:role/x/dera-reader":         dera.Alert,
		"arn:aws:iam::111122223333:role/x/dera-writer":         dera.Alert,
		"arn:aws:sqs:eu-west-1:999988887777:dera-events":       dera.Alert,
		"arn:aws:s3:::dera-anchors":                            dera.Alert,
		"arn:aws:iam::444455556666:role/x/dera-writer":         dera.Auto,
		"arn:aws:sqs:eu-west-1:999988887777:other":             dera.Auto,
		"arn:aws:ec2:us-east-1:111122223333:security-group/sg": dera.Auto,
	} {
		r, err := rail.Check(t.Context(), evaluate.Case{Finding: dera.Finding{Resource: arn}})
		if err != nil || r.Disposition != want {
			t.Errorf("%s: got %s, %v, want %s", arn, r.Disposition, err, want)
		}
	}
	if own := s.ownPrincipals(); !evaluate.IsPrincipal(own, "arn:aws:sts::111122223333:assumed-role/dera-writer/dera") || evaluate.IsPrincipal(own, "arn:aws:sts::111122223333:assumed-role/dev/dera-writer") {
		t.Errorf("own principals %v: the writer's session is none of them, or someone who calls a session so is", own)
	}
}

func TestQueueARN(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://sqs.eu-west-1.amazonaws.com/999988887777/q":       "arn:*:sqs:eu-west-1:999988887777:q",
		"https://sqs.cn-north-1.amazonaws.com.cn/999988887777/q":   "arn:*:sqs:cn-north-1:999988887777:q",
		"https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/9/q.fifo": "arn:*:sqs:*:9:q.fifo",
		"http://localhost:5000/123456789012/q":                     "arn:*:sqs:*:123456789012:q",
		"":                                                         "",
		"https://sqs.eu-west-1.amazonaws.com/q":                    "",
		"://":                                                      "",
	} {
		if got := queueARN(url); got != want {
			t.Errorf("ARN of %q: got %q, want %q", url, got, want)
		}
	}
}
