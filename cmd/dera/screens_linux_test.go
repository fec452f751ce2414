package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera/app"
	"dera.example/dera/awssim"
)

// screenOf is what one command shows on a terminal of the width, then what it
// says on standard error, then its exit code where that is not 0.
func screenOf(t *testing.T, args ...string) string {
	t.Helper()
	person, tty := typist(t)
	read := make(chan string)
	go func() {
		var screen bytes.Buffer
		_, _ = screen.ReadFrom(person) // ends with an error when the last one closes the terminal
		read <- screen.String()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var errOut bytes.Buffer
	code := run(ctx, args, strings.NewReader(""), tty, &errOut)
	_ = tty.Close()
	out := strings.ReplaceAll(<-read, "\r\n", "\n")
	if errOut.Len() > 0 {
		out += "-- standard error --\n" + errOut.String()
	}
	if code != 0 {
		out += fmt.Sprintf("-- exit code %d --\n", code)
	}
	return out
}

// Random is what differs from run to run: IDs and digests by their first place,
// times altogether. What stands in for it is as wide.
var (
	randomID   = regexp.MustCompile(`\b(?:r-)?[0-9a-f]{20}\b|\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b`)
	randomTime = regexp.MustCompile(`\b20\d\d-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?(?:\.\d+)?Z?)?`)
	brokenTime = regexp.MustCompile(`\b\d\d:\d\d:\d\d\b`)
	randomAge  = regexp.MustCompile(`\b\d+s old\b|\b\d+ms\b`)
	accountID  = regexp.MustCompile(`^\d{12}$`)
)

// steady makes a screen the same in every run.
func steady(screen string, seen map[string]int) string {
	screen = randomID.ReplaceAllStringFunc(screen, func(id string) string {
		if accountID.MatchString(id) || strings.HasPrefix(id, "f-") {
			return id
		}
		key := strings.TrimPrefix(id, "r-")
		key = key[:12] // a digest is shown whole and in short
		if seen[key] == 0 {
			seen[key] = len(seen) + 1
		}
		prefix, hex := "", id
		if strings.HasPrefix(id, "r-") {
			prefix, hex = "r-", id[2:]
		}
		return prefix + fmt.Sprintf("%012d", seen[key]) + strings.Repeat("0", len(hex)-12)
	})
	screen = randomTime.ReplaceAllStringFunc(screen, func(at string) string { return ("2026-01-02 03:04:05Z" + strings.Repeat("0", 12))[:len(at)] })
	screen = brokenTime.ReplaceAllString(screen, "03:04:05") // its date ended the line before
	return randomAge.ReplaceAllString(screen, "0s old")
}

// TestScreens holds the screen of each command, 80 and 140 columns wide, against
// testdata/screens; -update writes them.
func TestScreens(t *testing.T) {
	for _, width := range []string{"80", "140"} {
		t.Run(width, func(t *testing.T) { screens(t, width) })
	}
}

func screens(t *testing.T, width string) {
	// Hours ago, so that the screens are the same in a year.
	hour := time.Now().UTC().Add(-5 * time.Hour).Truncate(time.Hour).Format(time.RFC3339)
	files := map[string]string{
		"old.json":     `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"]}}`,
		"narrow.json":  `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::reports/*"}}`,
		"wide.json":    `{"Version": "2012-10-17", "Statement": {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::report*"}}`,
		"bucket.json":  `{"Version": "2012-10-17", "Statement": {"Sid": "Share", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"}}`,
		"broken.json":  `{"Version": "2012-10-17", "Statement": {"Effect": "Alow", "Action": "s3:*", "Resource": "*"}}`,
		"used.txt":     "s3:GetObject\n",
		"list.yaml":    "version: 1\nexemptions:\n  - id: partner\n    match: {resources: ['arn:aws:ec2:us-east-1:111122223333:security-group/sg-1']}\n    owner: partners@example.com\n    expires: 2027-06-30\n",
		"config.yaml":  "version: 1\nmode: enforced\nsweeep: 1h\n",
		"events.json":  `{"Records": [{"eventVersion": "1.08", "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": "eu-west-1", "eventTime": "` + hour + `", "eventID": "1", "eventType": "AwsApiCall", "recipientAccountId": "111122223333", "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/mallory", "accountId": "111122223333"}, "requestParameters": {"groupId": "sg-9", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}, "responseElements": {"_return": true}}]}`,
		"managed.json": `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["s3:GetObject", "ec2:StopInstances"], "Resource": "*"}}`,
	}
	hold := goldenScreens(t, width)
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cloud := awssim.New(awssim.Config{Seed: 11})
	region := cloud.Account("111122223333").Region("us-east-1")
	for _, g := range []struct {
		name string
		from int
	}{{"web", 21}, {"bastion-eu", 22}} {
		if _, err := region.CreateSecurityGroup(t.Context(), g.name, awssim.Rule{Protocol: "tcp", FromPort: g.from, ToPort: 22, CIDR: "0.0.0.0/0"}); err != nil {
			t.Fatal(err)
		}
	}
	serving(t, cloud, cloud.Account("111122223333").Credentials())
	t.Setenv("COLUMNS", width)
	seen := map[string]int{}
	shows := func(name string, args ...string) {
		t.Helper()
		got := "$ dera " + strings.Join(args, " ") + "\n" + screenOf(t, append(args, "--log-level", "error")...)
		hold(name, steady(got, seen))
	}
	waiting := func(of string) app.FindingView {
		t.Helper()
		text, errOut, _ := said(t, "findings", "-o", "json")
		var list []app.FindingView
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatalf("findings: %v\n%s", err, errOut)
		}
		for _, f := range list {
			if f.ResourceName == of && f.Plan != nil {
				return f
			}
		}
		t.Fatalf("nothing of %s waits: %s", of, text)
		return app.FindingView{}
	}
	shows("help", "--help")
	shows("scan_help", "scan", "--help")
	shows("mistyped", "scann")
	shows("scan", "scan", "--mode", "review")
	shows("findings", "findings")
	shows("waiting", "waiting")
	shows("report", "report")
	shows("candidates", "report", "--candidates")
	web, bastion := waiting("web"), waiting("bastion-eu")
	shows("show_finding", "show", web.ID)
	shows("show_remediation", "show", web.Plan.Remediation)
	shows("approve_without", "approve", web.Plan.Remediation, "--mode", "review")
	shows("approve", "approve", web.Plan.Remediation, "--digest", web.Plan.Digest[:12], "--mode", "review")
	shows("reject", "reject", bastion.Plan.Remediation, "--reason", "the on-call team enters here")
	shows("rollback", "rollback", web.Plan.Remediation, "--reason", "needed for an incident")
	shows("remediate", "remediate", web.ID, "--mode", "review")
	shows("stop", "stop", "--reason", "change freeze")
	shows("resume", "resume")
	shows("audit_verify", "audit", "verify")
	shows("audit_show", "audit", "show", web.Plan.Remediation)
	shows("audit_export", "audit", "export", "log")
	shows("control_list", "control", "list")
	shows("control_show", "control", "show", "ec2-securitygroup-admin-ports-open")
	shows("config_check", "config", "check", "config.yaml")
	shows("exemptions_check", "exemptions", "check", "list.yaml")
	shows("policy_prove", "policy", "prove", "old.json", "narrow.json")
	shows("policy_refuted", "policy", "prove", "old.json", "wide.json")
	shows("policy_public", "policy", "public", "bucket.json")
	shows("policy_diff", "policy", "diff", "old.json", "wide.json")
	shows("policy_check", "policy", "check", "broken.json")
	shows("policy_scope", "policy", "scope", "managed.json", "--used", "used.txt", "--days", "30")
	shows("replay", "replay", "events.json")
	shows("usage_import", "usage", "import", "events.json")
	shows("usage_show", "usage", "show", "arn:aws:iam::111122223333:user/mallory")
	shows("usage_gaps", "usage", "gaps")
	shows("usage_used", "usage", "used", "arn:aws:iam::111122223333:user/mallory")
	shows("policy_eval", "policy", "eval", "old.json", "--action", "s3:GetObject", "--resource", "arn:aws:s3:::reports/a")
	shows("pattern", "pattern", "--control", "ec2-securitygroup-admin-ports-open")
	shows("role", "role", "--kind", "reader", "--account", "111122223333")
	shows("audit_reconcile", "audit", "reconcile", "--history", "events.json")
	shows("findings_after", "findings", "--all")
	shows("doctor", "doctor")
}

// goldenScreens returns what holds a screen against its file, and fails if a file is of
// no screen.
func goldenScreens(t *testing.T, width string) func(name, screen string) {
	t.Helper()
	dir := filepath.Join("testdata", "screens")
	root, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]bool{}
	t.Cleanup(func() {
		files, err := filepath.Glob(filepath.Join(root, "*."+width+".golden"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !held[f] && !t.Failed() {
				t.Errorf("%s is the screen of no command", f)
			}
		}
	})
	return func(name, screen string) {
		t.Helper()
		file := filepath.Join(root, name+"."+width+".golden")
		held[file] = true
		if *update {
			if err := os.MkdirAll(root, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(screen), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), screen); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
