package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	rulestypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// rule makes a rule of EventBridge with one target.
func (w *motoWorld) rule(name, pattern string, state rulestypes.RuleState, target string) {
	w.t.Helper()
	api := eventbridge.New(eventbridge.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), Credentials: w.provider()})
	if _, err := api.PutRule(w.t.Context(), &eventbridge.PutRuleInput{Name: &name, EventPattern: &pattern, State: state}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := api.PutTargets(w.t.Context(), &eventbridge.PutTargetsInput{Rule: &name, Targets: []rulestypes.Target{{Id: aws.String("1"), Arn: &target}}}); err != nil {
		w.t.Fatal(err)
	}
}

// configure writes the configuration.
func (w *motoWorld) configure(lines ...string) {
	w.t.Helper()
	text := "version: 1\nsettle: 10ms\n" + strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// TestMotoOtherFixers: a rule of EventBridge that starts a function on what AWS Config finds of
// keys sends keys to review, named with where it is; rules that notify, are off or are about
// buckets do not. With an owner named, or where it is no fixer, dera fixes again.
func TestMotoOtherFixers(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	const controls = "controls: [ec2-securitygroup-admin-ports-open]"
	w := newMotoWorld(t, server)
	function := "arn:aws:lambda:us-east-1:" + w.creds.Account + ":function:close"
	const onGroups = `{"source":["aws.config"],"detail-type":["Config Rules Compliance Change"],"detail":{"resourceType":["AWS::EC2::SecurityGroup"]}}`
	w.rule("mail", onGroups, rulestypes.RuleStateEnabled, "arn:aws:sns:us-east-1:"+w.creds.Account+":alerts")
	w.rule("off", onGroups, rulestypes.RuleStateDisabled, function)
	w.rule("buckets", strings.Replace(onGroups, "EC2::SecurityGroup", "S3::Bucket", 1), rulestypes.RuleStateEnabled, function)
	fixed, waits := finding{"tcp/22", "ec2-securitygroup-admin-ports-open", "auto", "resolved"}, finding{"tcp/22", "ec2-securitygroup-admin-ports-open", "review", "open"}
	steps := []struct {
		name   string
		rule   bool
		config []string
		want   finding
		why    string
	}{
		{"nobody_else", false, []string{"ask_event_rules: true"}, fixed, ""},
		{"found", true, []string{"ask_event_rules: true"}, waits, "the EventBridge rule close-doors in us-east-1 of " + w.creds.Account + ", which starts the Lambda function close, fixes such resources too; name one owner in fixers"},
		{"owner_named", true, []string{"ask_event_rules: true", `fixers: [{control: "ec2-securitygroup-*", account: "` + w.creds.Account + `", owner: dera}]`}, fixed, ""},
		{"no_fixer", true, []string{"ask_event_rules: true", `not_fixers: [{name: "close-*", region: us-east-1}]`}, fixed, ""},
		{"not_asked", true, nil, fixed, ""},
	}
	var ids []string
	for _, s := range steps {
		id := w.group(s.name, perm("tcp", 22, 22, "0.0.0.0/0", ""))
		ids = append(ids, id)
		if s.rule {
			w.rule("close-doors", onGroups, rulestypes.RuleStateEnabled, function)
		}
		w.configure(append(slices.Clone(s.config), controls)...)
		out, errOut, _ := w.dera("scan", "--output", "json", "--apply", "--mode", "enforce", "--no-exemptions")
		var r app.ScanReport
		decode(t, out, &r, errOut)
		if got := findingsOf(r, id); len(got) != 1 || got[0] != s.want {
			t.Errorf("%s: got %v, want %v", s.name, got, s.want)
		}
		if s.name == "owner_named" {
			if got := findingsOf(r, ids[1]); len(got) != 1 || got[0] != fixed {
				t.Errorf("what waited: got %v, want it fixed too", got)
			}
		}
		if s.why != "" && !strings.Contains(out, s.why) {
			t.Errorf("%s: got %s, want %q", s.name, out, s.why)
		}
	}
	doctored := func(lines ...string) map[string]app.Check {
		t.Helper()
		w.configure(append(lines, controls)...)
		out, errOut, _ := w.dera("doctor", "--output", "json")
		var d app.Diagnosis
		decode(t, out, &d, errOut)
		found := map[string]app.Check{}
		for _, c := range d.Checks {
			if c.Check == "other fixers" {
				found[strings.TrimPrefix(c.About, w.creds.Account+" us-east-1 ")] = c
			}
		}
		return found
	}
	rules := func(of map[string]app.Check) int { return len(of) }
	w.rule("by-hand", `{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Custom Action"]}`, rulestypes.RuleStateEnabled, function)
	d := doctored("ask_event_rules: true")
	if c := d["close-doors"]; c.Health != app.ToDo || !strings.Contains(c.Says, "the Lambda function close") || !strings.Contains(c.Says, "AWS::EC2::SecurityGroup") || !strings.Contains(c.Fix, `{control: "ec2-securitygroup-*", account: "`+w.creds.Account+`", owner: dera}`) {
		t.Errorf("doctor: got %+v, want the rule with what it changes and what to do", c)
	}
	if c := d["by-hand"]; c.Health != app.Healthy || !strings.Contains(c.Says, "when a person chooses it") || rules(d) != 2 {
		t.Errorf("doctor: got %+v, want the custom action named and nothing else", d)
	}
	if c := doctored()["close-doors"]; c.Health != app.ToDo || !strings.Contains(c.Says, "the gate does not look for it") || !strings.Contains(c.Fix, "ask_event_rules") {
		t.Errorf("doctor, not asked: got %+v", c)
	}
	if c := doctored("ask_event_rules: true", `fixers: [{owner: dera}]`)["close-doors"]; c.Health != app.Healthy || !strings.Contains(c.Says, "names who owns it") {
		t.Errorf("doctor, owned: got %+v", c)
	}
	if c := doctored(`not_fixers: [{name: close-doors}]`)["close-doors"]; c.Health != app.Healthy || !strings.Contains(c.Says, "not_fixers") {
		t.Errorf("doctor, none: got %+v", c)
	}
	w.configure("ask_event_rules: true", controls)
	if out, _, _ := w.dera("doctor"); !strings.Contains(out, "close-doors") || !strings.Contains(out, "name one owner") {
		t.Errorf("doctor as text: got\n%s", out)
	}
}

// decode reads what a command printed.
func decode(t *testing.T, out string, into any, errOut string) {
	t.Helper()
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("read the output: %v\n%s%s", err, out, errOut)
	}
}
