package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services"
)

// motoCall sends one request to a service of moto in us-east-1.
func motoCall(t *testing.T, server *moto.Server, service, target string, body any, into any) {
	t.Helper()
	var text []byte
	kind := "application/x-amz-json-1.1"
	if form, ok := body.(url.Values); ok {
		text, kind = []byte(form.Encode()), "application/x-www-form-urlencoded"
	} else {
		var err error
		if text, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"/", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=none")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: got %s, %v\n%s", target, resp.Status, err, answer)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			t.Fatalf("%s: read %s: %v", target, answer, err)
		}
	}
}

// TestMotoPatterns deploys the printed template, and lets an independent
// EventBridge judge the patterns: it delivers each watched call and each
// compliance change once, and nothing else.
func TestMotoPatterns(t *testing.T) {
	t.Parallel()
	server := moto.Start(t, moto.Config{})
	var queue struct{ QueueUrl string }
	motoCall(t, server, "sqs", "AmazonSQS.CreateQueue", map[string]string{"QueueName": "dera-events"}, &queue)
	var template bytes.Buffer
	if code := run(t.Context(), []string{"pattern", "--output", "cloudformation"}, strings.NewReader(""), &template, io.Discard); code != exitGood {
		t.Fatalf("dera pattern: got exit code %d", code)
	}
	motoCall(t, server, "cloudformation", "", url.Values{
		"Action": {"CreateStack"}, "Version": {"2010-05-15"}, "StackName": {"dera"}, "TemplateBody": {template.String()},
		"Parameters.member.1.ParameterKey": {"TargetArn"}, "Parameters.member.1.ParameterValue": {"arn:aws:sqs:us-east-1:123456789012:dera-events"},
		"Parameters.member.2.ParameterKey": {"QueueUrl"}, "Parameters.member.2.ParameterValue": {queue.QueueUrl},
	}, nil)
	var want []string
	var entries []map[string]string
	entry := func(source, kind, detail string) {
		entries = append(entries, map[string]string{"Source": source, "DetailType": kind, "Detail": detail})
	}
	call := func(source, kind, service, name string) {
		entry(source, kind, fmt.Sprintf(`{"eventSource":%q,"eventName":%q}`, service, name))
	}
	looked, err := watchedTypes(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range services.Watch().Calls() {
		if !slices.ContainsFunc(c.Types, func(typ string) bool { return slices.Contains(looked, typ) }) {
			continue // of a type without controls
		}
		bus := "aws." + strings.TrimSuffix(c.Source, ".amazonaws.com")
		kind := "AWS API Call via CloudTrail"
		if bus == "aws.signin" {
			kind = "AWS Console Sign In via CloudTrail"
		}
		call(bus, kind, c.Source, c.Name)
		want = append(want, c.Source+" "+c.Name)
		call(bus, kind, c.Source, "Get"+c.Name)
		call("my.app", kind, c.Source, c.Name)
		call(bus, "AWS Service Event via CloudTrail", c.Source, c.Name)
	}
	for _, result := range []string{"COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE"} {
		for _, typ := range []string{"AWS::EC2::SecurityGroup", "AWS::S3::Bucket", "AWS::::Account", "AWS::Kinesis::Stream"} {
			entry("aws.config", cloudtrail.ComplianceKind, fmt.Sprintf(`{"resourceType":%q,"newEvaluationResult":{"complianceType":%q}}`, typ, result))
			if result != "NOT_APPLICABLE" && typ != "AWS::Kinesis::Stream" {
				want = append(want, typ+" "+result)
			}
		}
	}
	for ten := range slices.Chunk(entries, 10) {
		motoCall(t, server, "events", "AWSEvents.PutEvents", map[string]any{"Entries": ten}, nil)
	}
	got := delivered(t, server, queue.QueueUrl)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("delivered: got %d %q, want %d %q", len(got), got, len(want), want)
	}
}

// delivered empties the queue and says what was in it.
func delivered(t *testing.T, server *moto.Server, queue string) []string {
	t.Helper()
	var got []string
	for {
		var page struct {
			Messages []struct{ Body, ReceiptHandle string }
		}
		motoCall(t, server, "sqs", "AmazonSQS.ReceiveMessage", map[string]any{"QueueUrl": queue, "MaxNumberOfMessages": 10}, &page)
		if len(page.Messages) == 0 {
			slices.Sort(got)
			return got
		}
		for _, m := range page.Messages {
			var body struct {
				Detail struct {
					EventSource, EventName, ResourceType string
					NewEvaluationResult                  struct{ ComplianceType string }
				}
			}
			if err := json.Unmarshal([]byte(m.Body), &body); err != nil {
				t.Fatal(err)
			}
			d := body.Detail
			got = append(got, strings.TrimSpace(d.EventSource+d.ResourceType+" "+d.EventName+d.NewEvaluationResult.ComplianceType))
			motoCall(t, server, "sqs", "AmazonSQS.DeleteMessage", map[string]any{"QueueUrl": queue, "ReceiptHandle": m.ReceiptHandle}, nil)
		}
	}
}
