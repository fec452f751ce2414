package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloudtrail"
)

// hubEvent is a finding of Security Hub on a group, as EventBridge delivers it to the account of
// the hub, in the region that aggregates.
func hubEvent(kind, account, group, more string) string {
	return fmt.Sprintf(`{"version":"0","id":"e-1","detail-type":%q,"source":"aws.securityhub","account":"999999999999","region":"eu-west-1","time":"2026-11-30T00:00:00Z","resources":[],`+
		`"detail":{%s"findings":[{"SchemaVersion":"2018-10-08","Id":"arn:aws:securityhub:us-east-1:%s:security-control/EC2.13/finding/1","AwsAccountId":%q,"Region":"us-east-1","GeneratorId":"security-control/EC2.13",`+
		`"UpdatedAt":"2026-11-30T00:00:00Z","Compliance":{"Status":"FAILED","SecurityControlId":"EC2.13"},"Resources":[{"Type":"AwsEc2SecurityGroup","Id":"arn:aws:ec2:us-east-1:%s:security-group/%s","Region":"us-east-1"}]}]}}`,
		kind, more, account, account, account, group)
}

// TestMotoFindings: a finding of Security Hub through the queue leads to a look at its resource
// and to the fix, and a custom action too; what no control answers is counted, kept and told by
// the doctor, and a test event of the doctor arrives.
func TestMotoFindings(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newMotoWorld(t, server)
	var q struct{ QueueUrl string }
	w.queue(&q)
	c := startConfigured(t, "queue_is_ours: true\n", "--queue", q.QueueUrl, "--sweep", "24h", "--output", "json")
	c.has(t, "the sweep of the groups ends", func(h app.Happening) bool {
		return h.What == app.SweepEnded && h.ResourceType == "AWS::EC2::SecurityGroup"
	})
	ssh := perm("tcp", 22, 22, "0.0.0.0/0", "")
	for name, event := range map[string]func(id string) string{
		"imported": func(id string) string { return hubEvent(cloudtrail.ImportedKind, w.creds.Account, id, "") },
		"action": func(id string) string {
			return hubEvent(cloudtrail.ActionKind, w.creds.Account, id, `"actionName":"Fix now",`)
		},
	} {
		id := w.group(name, ssh)
		w.send(q.QueueUrl, event(id))
		c.eventually(t, "the fix of "+name, func() bool {
			return !slices.ContainsFunc(w.inbound(id), func(s string) bool { return strings.Contains(s, "0.0.0.0/0") })
		})
		c.has(t, "the finding of "+name+" is resolved", func(h app.Happening) bool { return h.Resource.Name() == id && h.What == app.FindingClosed })
	}
	other := strings.NewReplacer("EC2.13", "Kinesis.1", "AwsEc2SecurityGroup", "AwsKinesisStream", ":ec2:", ":kinesis:", "security-group/", "stream/").Replace(hubEvent(cloudtrail.ImportedKind, w.creds.Account, "jobs", ""))
	for range 2 {
		w.send(q.QueueUrl, other)
	}
	c.eventually(t, "the queue is empty", func() bool { return w.waitingIn(q.QueueUrl) == 0 })
	var r app.Diagnosis
	ask := func() {
		t.Helper()
		out, errOut, _ := w.deraOn(c.data, "doctor", "--output", "json", "--queue", q.QueueUrl, "--send-test-event")
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("read the report: %v\n%s%s", err, out, errOut)
		}
	}
	says := func(check, about string) string {
		i := slices.IndexFunc(r.Checks, func(x app.Check) bool { return x.Check == check && x.About == about })
		if i < 0 {
			return ""
		}
		return r.Checks[i].Says
	}
	ask()
	if got := says("findings of others", ""); !strings.Contains(got, "2 have no control of dera, of 1 rules: most of them securityhub Kinesis.1 (2)") {
		t.Errorf("the doctor says of what has no control: %q", got)
	}
	if got := says("test event", "queue"); !strings.Contains(got, "arrived") {
		t.Errorf("the doctor says of its test event: %q", got)
	}
	if got := says("sources", "securityhub"); !strings.Contains(got, "last came") {
		t.Errorf("the doctor says of Security Hub: %q", got)
	}
	c.stop(t)
}

// deraOn is dera on the data of a controller.
func (w *motoWorld) deraOn(data string, args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	var out, errOut bytes.Buffer
	args = append(args, "--data", data, "--config", filepath.Join(w.dir, "config.yaml"))
	code = run(w.t.Context(), args, strings.NewReader(""), &out, &errOut)
	return out.String(), errOut.String(), code
}

// queue makes a queue of the account.
func (w *motoWorld) queue(into any) {
	w.t.Helper()
	out := w.ask("sqs", "create_queue", `{"QueueName":"dera-events"}`)
	text, err := json.Marshal(out)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *motoWorld) send(queue, body string) {
	w.t.Helper()
	text, err := json.Marshal(map[string]string{"QueueUrl": queue, "MessageBody": body})
	if err != nil {
		w.t.Fatal(err)
	}
	w.ask("sqs", "send_message", string(text))
}

// waitingIn is how many messages are in a queue, hidden ones among them.
func (w *motoWorld) waitingIn(queue string) int {
	w.t.Helper()
	out := w.ask("sqs", "get_queue_attributes", fmt.Sprintf(`{"QueueUrl":%q,"AttributeNames":["All"]}`, queue))
	attributes, _ := out["Attributes"].(map[string]any)
	if attributes["ApproximateNumberOfMessages"] == "0" && attributes["ApproximateNumberOfMessagesNotVisible"] == "0" {
		return 0
	}
	return 1
}
