package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"dera.example/dera/app"
	"dera.example/dera/awssim"
)

// hostile is text that takes over a terminal that shows it.
const hostile = "x\x1b]0;owned\x07\x1b[2J\u009b31m\u202egnp\x7f\ry"

// TestNoTextSteersTheTerminal drives the commands over what other people wrote: names,
// policies, events, files, reasons and arguments.
func TestNoTextSteersTheTerminal(t *testing.T) {
	t.Chdir(t.TempDir())
	text, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	q := string(text)
	public := `{"Version": "2012-10-17", "Statement": [{"Sid": ` + q + `, "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::open/*"},
		{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::open/b", "Condition": {"StringLike": {"aws:PrincipalTag/` + q[1:] + `: ["*"], "aws:Referer": ` + q + `}}},
		{"Effect": "Allow", "Principal": {"AWS": ["*", ` + q + `]}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::open/c"}]}`
	event := func(name, request string) string {
		return `{"eventVersion": "1.08", "eventSource": "` + map[bool]string{true: "s3", false: "ec2"}[strings.Contains(name, "Bucket")] + `.amazonaws.com", "eventName": "` + name + `", "awsRegion": "us-east-1", "eventTime": "2026-01-02T03:04:05Z", "eventID": ` + q + `, "eventType": "AwsApiCall", "recipientAccountId": "111122223333", "userAgent": ` + q + `, "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/` + q[1:] + `, "accountId": "111122223333"}, "requestParameters": ` + request + `, "responseElements": {"_return": true}}`
	}
	files := map[string]string{
		"public.json": public, "bad" + hostile + ".json": public,
		"events.json": `{"Records": [` + event("CreateSecurityGroup", `{"groupName": `+q+`, "groupDescription": `+q+`, "vpcId": "vpc-1"}`) + "," +
			event("AuthorizeSecurityGroupIngress", `{"groupId": "sg-9", "groupName": `+q+`, "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0", "description": `+q+`}]}}]}}`) + "," +
			event("PutBucketPolicy", `{"bucketName": "open", "bucketPolicy": `+public+`}`) + "," + event("PutBucketPolicy", `{"bucketName": `+q+`, "bucketPolicy": `+q+`}`) + `]}`,
		"config.yaml": "version: 1\nmode: " + q + "\n" + q + ": 1\n", "list.yaml": "version: 1\nexemptions:\n  - id: " + q + "\n    owner: " + q + "\n",
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cloud := awssim.New(awssim.Config{Seed: 12})
	region := cloud.Account("111122223333").Region("us-east-1")
	if err := region.CreateBucket(t.Context(), "open"); err != nil {
		t.Fatal(err)
	}
	if err := region.PutPublicAccessBlock(t.Context(), "open", nil); err != nil {
		t.Fatal(err)
	}
	if err := region.PutBucketPolicy(t.Context(), "open", public); err != nil {
		t.Fatal(err)
	}
	if err := region.TagBucket(t.Context(), "open", map[string]string{"owner": hostile}); err != nil {
		t.Fatal(err)
	}
	openSSH(t, region, "web")
	serving(t, cloud, cloud.Account("111122223333").Credentials())
	t.Setenv("COLUMNS", "120")

	// Each line runs for a pipe and then for a terminal.
	seen := ""
	drive := func(args ...string) {
		t.Helper()
		out, errOut, _ := said(t, args...)
		for name, text := range map[string]string{"pipe": out, "error of pipe": errOut, "terminal": screenOf(t, args...)} {
			seen += text
			if r := rawControl(strings.ReplaceAll(text, "\r\n", "\n")); r != 0 { // so end the lines of CSV
				t.Errorf("%s of dera %q: got raw %U in %q", name, args, r, text)
			}
		}
	}
	drive("scan", "--mode", "review")
	out, _, _ := said(t, "findings", "-o", "json")
	var list []app.FindingView
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) < 2 {
		t.Fatalf("findings: %v\n%s", err, out)
	}
	for _, form := range []string{"table", "json", "csv", "sarif", "html", "junit", "asff", "ocsf"} {
		drive("findings", "-o", form)
	}
	var plan, other *app.PlanView
	for _, f := range list {
		drive("show", f.ID)
		drive("show", f.ID, "-o", "json")
		switch {
		case f.Plan != nil && f.Control == "ec2-securitygroup-admin-ports-open":
			other = f.Plan
		case f.Plan != nil && plan == nil:
			plan = f.Plan
		}
	}
	if plan == nil || other == nil {
		t.Fatalf("nothing waits: %s", out)
	}
	for _, args := range [][]string{
		{"show", plan.Remediation}, {"waiting"}, {"report"}, {"report", "--candidates"}, {"report", "--candidates", "--exemptions-out", "proposed.yaml"},
		{"__complete", "show", ""}, {"__complete", "approve", ""}, {"approve", plan.Remediation, "--digest", hostile}, {"approve", hostile}, {"show", hostile}, {"show", "f-" + hostile},
		{"approve", plan.Remediation, "--digest", plan.Digest[:12], "--mode", "review", "--reason", hostile},
		{"rollback", plan.Remediation, "--reason", hostile}, {"reject", other.Remediation, "--reason", hostile},
		{"stop", "--reason", hostile}, {"stop", "--control", hostile}, {"findings"}, {"scan"}, {"doctor"}, {"report"}, {"findings", "-o", "csv"},
		{"audit", "show"}, {"audit", "show", "3", "--payload"}, {"audit", "show", hostile}, {"audit", "verify", hostile}, {"audit", "export", "log" + hostile}, {"audit", "reconcile", "--history", "events.json"}, {"resume"},
		{"replay", "events.json"}, {"replay", hostile}, {"usage", "import", "events.json"}, {"usage", "import", hostile}, {"usage", "gaps"}, {"usage", "show", "arn:aws:iam::111122223333:user/" + hostile}, {"usage", "show", hostile},
		{"policy", "public", "public.json"}, {"policy", "check", "public.json", "--kind", "resource"}, {"policy", "diff", "public.json", "bad" + hostile + ".json"}, {"policy", "prove", "public.json", "bad" + hostile + ".json"}, {"policy", "prove", hostile, "x"},
		{"config", "check", "config.yaml"}, {"config", "check", hostile}, {"exemptions", "check", "list.yaml"}, {"scan", "--config", hostile}, {"scan", "--mode", hostile}, {"scan", "--region", hostile}, {"scan", "--profile", hostile}, {"findings", "--db", hostile},
		{hostile}, {"scan", "--" + hostile}, {"findings", hostile}, {"control", "show", hostile}, {"findings", "--log-level", hostile}, {"scan", "--log-level", "debug", "--log-format", "json"}, {"scan", "--log-level", "debug", "--log-format", "text"},
	} {
		drive(args...)
	}
	for _, want := range []string{`\x1b]0;owned`, `\u202egnp`, `\u009b31m`} { // it was there, and is shown
		if !strings.Contains(seen, want) {
			t.Errorf("got no %s in what was shown", want)
		}
	}
	t.Setenv("NO_COLOR", "")
	if got := strings.ReplaceAll(screenOf(t, "findings"), "\x1b[", ""); rawControl(got) != 0 || !strings.Contains(got, "1mIDm") {
		t.Errorf("in colour: got %q", got)
	}
}
