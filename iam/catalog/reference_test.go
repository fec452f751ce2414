package catalog

import (
	"fmt"
	"testing"
)

const referenceExample = `{
 "Name": "sqs", "Version": "v1.4",
 "Actions": [
  {"Name": "SendMessage", "ActionConditionKeys": ["sqs:Own"], "Annotations": {"Properties": {"IsWrite": true}},
   "Resources": [{"Name": "queue"}], "SupportedBy": {"IAM Access Analyzer Policy Generation": false}},
  {"Name": "AddPermission", "Annotations": {"Properties": {"IsWrite": true, "IsPermissionManagement": true}}},
  {"Name": "TagQueue", "Annotations": {"Properties": {"IsTaggingOnly": true}}},
  {"Name": "ListQueues", "Annotations": {"Properties": {"IsList": true}}},
  {"Name": "GetQueueUrl"}
 ],
 "ConditionKeys": [{"Name": "aws:ResourceTag/${TagKey}", "Types": ["String"]}, {"Name": "sqs:Own"}],
 "Resources": [{"Name": "queue", "ARNFormats": ["arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"],
   "ConditionKeys": ["aws:ResourceTag/${TagKey}"]}, {"Name": "none"}]
}`

func TestReferenceService(t *testing.T) {
	t.Parallel()
	s, err := ReferenceService([]byte(referenceExample))
	if err != nil {
		t.Fatal(err)
	}
	data, err := Encode("test", []Service{s})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	for action, level := range map[string]Level{
		"sqs:SendMessage": Write, "sqs:AddPermission": Permissions, "sqs:TagQueue": Tagging,
		"sqs:ListQueues": List, "sqs:GetQueueUrl": Read,
	} {
		if a, ok := c.Action(action); !ok || a.Level != level {
			t.Errorf("%s: got %v %v, want %v", action, a.Level, ok, level)
		}
	}
	a, _ := c.Details("sqs:SendMessage")
	if got, want := fmt.Sprint(a.Resources, a.Keys), "[{queue false}] [aws:ResourceTag/${TagKey} sqs:Own]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestReference_refuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `{}`, `{"Name": "s3"}`, `[]`, `{"Name": 3}`} {
		if _, err := ReferenceService([]byte(text)); err == nil {
			t.Errorf("service %q: no error", text)
		}
	}
	for _, text := range []string{``, `[]`, `[{}]`, `[{"service": "s3"}]`, `{}`} {
		if _, err := ReferenceList([]byte(text)); err == nil {
			t.Errorf("list %q: no error", text)
		}
	}
	list, err := ReferenceList([]byte(`[{"service": "s3", "url": "https://example.com/s3.json"}]`))
	if err != nil || len(list) != 1 {
		t.Errorf("got %v, %v", list, err)
	}
}

func FuzzReferenceService(f *testing.F) {
	f.Add([]byte(referenceExample))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ReferenceService(data)
		if err != nil {
			return
		}
		out, err := Encode("fuzz", []Service{s})
		if err != nil {
			return
		}
		if _, err := Decode(out); err != nil {
			t.Errorf("what was encoded cannot be decoded: %v", err)
		}
	})
}
