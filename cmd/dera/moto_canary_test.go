package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	sgwire "dera.example/dera/services/ec2/securitygroup/wire"
)

// canaries are the groups with the tag of the canary, and which of them is open to the internet.
func (w *motoWorld) canaries() (all, open []string) {
	w.t.Helper()
	out, err := w.api.DescribeSecurityGroups(w.t.Context(), &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{sgwire.CanaryTag}}}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, g := range out.SecurityGroups {
		all = append(all, *g.GroupId)
		for _, p := range g.IpPermissions {
			if slices.ContainsFunc(p.IpRanges, func(r types.IpRange) bool { return *r.CidrIp == "0.0.0.0/0" }) {
				open = append(open, *g.GroupId)
			}
		}
	}
	return all, open
}

// TestMotoCanary: the canary opens a group of its own; dera run hears of it by the queue, closes it and
// verifies; each stage is told with its seconds; the group, and what a canary that was cut off had left, are
// deleted; and every write has its intent in the audit log before it.
func TestMotoCanary(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newMotoWorld(t, server)
	// What a canary left, and a group of somebody who gave it the tag.
	kind := canaryKind()
	client, err := cloud.New(t.Context(), cloud.Config{Wires: wires(), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	left, _, err := kind.New(client, w.creds.Account, "us-east-1").Make(t.Context(), "", "before")
	if err != nil {
		t.Fatal(err)
	}
	tagged := w.group("tagged")
	if _, err := w.api.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{tagged}, Tags: []types.Tag{{Key: aws.String(sgwire.CanaryTag), Value: aws.String("before")}}}); err != nil {
		t.Fatal(err)
	}
	var q struct{ QueueUrl string }
	w.queue(&q)
	c := startController(t, "--queue", q.QueueUrl, "--sweep", "24h")
	c.eventually(t, "it runs", func() bool { return strings.Contains(c.errOut.String(), "dera runs") })
	config := fmt.Sprintf("version: 1\ncanary: {account: '%s', region: us-east-1, role_arn: 'arn:aws:iam::%[1]s:role/dera-canary'}\n", w.creds.Account)
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut string
	code := make(chan int, 1)
	go func() {
		var n int
		out, errOut, n = w.deraOn(c.data, "doctor", "--canary", "--output", "json")
		code <- n
	}()
	var open []string
	c.eventually(t, "the canary is open", func() bool { _, open = w.canaries(); return len(open) == 1 && open[0] != left && open[0] != tagged })
	w.send(q.QueueUrl, strings.ReplaceAll(envelope(w.creds.Account, `"account":"`+w.creds.Account+`",`, open[0]), "3389", "22"))
	var r app.Diagnosis
	got := <-code
	if err := json.Unmarshal([]byte(out), &r); err != nil || got != exitGood {
		t.Fatalf("got exit code %d, %v\n%s%s\n%s", got, err, out, errOut, c.errOut.String())
	}
	var stages []string
	for _, s := range r.Canary.Stages {
		stages = append(stages, s.Stage)
		if s.Seconds < 0 || s.Seconds > 60 {
			t.Errorf("got %+v", s)
		}
	}
	stages = slices.DeleteFunc(stages, func(s string) bool { return s == "closed" }) // is read from AWS, beside the records
	if want := []string{"opened", "seen", "decided", "begun", "revoked", "verified"}; !slices.Equal(stages, want) {
		t.Errorf("got the stages %v, want %v", stages, want)
	}
	if r.Canary.Trigger != "sqs" || r.Canary.Group != open[0] || !slices.Equal(r.Canary.Cleaned, []string{left}) || len(r.Canary.Left) > 0 {
		t.Errorf("got %+v, want the event to have led to it, and %s cleaned", r.Canary, left)
	}
	if all, _ := w.canaries(); !slices.Equal(all, []string{tagged}) {
		t.Errorf("got %v left, want the group of somebody else alone", all)
	}
	w.recordedCanary(c.data, open[0])
	c.stop(t)
}

// recordedCanary looks for the intent and then the result of each write on the group in the audit log.
func (w *motoWorld) recordedCanary(data, group string) {
	w.t.Helper()
	out, errOut, code := w.deraOn(data, "audit", "show", "--output", "json")
	var list []dera.AuditRecord
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != exitGood {
		w.t.Fatalf("audit show: got exit code %d, %v\n%.300s%s", code, err, out, errOut)
	}
	var got []string
	for _, r := range list {
		if r.Kind == dera.RecordCanary && (r.Resource == "" || r.Resource.Name() == group) {
			what, _, _ := strings.Cut(r.Why, " of the canary")
			got = append(got, what+" "+strings.TrimPrefix(r.Operation, "ec2:"))
		}
	}
	want := []string{
		"intent CreateSecurityGroup", "result CreateSecurityGroup", "intent AuthorizeSecurityGroupIngress", "result AuthorizeSecurityGroupIngress",
		"intent RevokeSecurityGroupIngress", "result RevokeSecurityGroupIngress", "intent DeleteSecurityGroup", "result DeleteSecurityGroup",
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("got the records %v, want %v", got, want)
	}
}
