package source

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/services"

	"github.com/google/go-cmp/cmp"
)

// envelope is an event of EventBridge about a call to EC2.
func envelope(account, name, group string, minute int) string {
	record := fmt.Sprintf(`{"eventSource":"ec2.amazonaws.com","eventName":%q,"awsRegion":"eu-west-1","recipientAccountId":%q,"eventTime":"2024-08-01T12:%02d:00Z",`+
		`"eventID":"e-%d","userAgent":"cli","userIdentity":{"arn":"arn:aws:iam::%s:user/u%d"},"requestParameters":{"groupId":%q}}`, name, account, minute, minute, account, minute, group)
	return fmt.Sprintf(`{"detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","account":%q,"region":"eu-west-1","detail":%s}`, account, record)
}

// analysis is a finding of Access Analyzer.
func analysis(account, typ, arn string) string {
	return fmt.Sprintf(`{"version":"0","id":"e-2","detail-type":"Unused Access Finding for IAM entities","source":"aws.access-analyzer","account":%q,"region":"eu-west-1",`+
		`"time":"2026-11-20T20:00:00Z","detail":{"findingId":"f-1","resource":%q,"resourceType":%q,"accountId":%q,"status":"ACTIVE","isDeleted":false}}`, account, arn, typ, account)
}

// compliance is a compliance change of AWS Config.
func compliance(account, typ, id string) string {
	return fmt.Sprintf(`{"version":"0","id":"c-1","detail-type":"Config Rules Compliance Change","source":"aws.config","account":%q,"time":"2024-08-01T12:00:00Z",`+
		`"region":"eu-west-1","resources":[],"detail":{"resourceId":%q,"awsRegion":"eu-west-1","awsAccountId":%q,"configRuleName":"any name","recordVersion":"1.0",`+
		`"messageType":"ComplianceChangeNotification","newEvaluationResult":{"complianceType":"NON_COMPLIANT"},"resourceType":%q}}`, account, id, account, typ)
}

const (
	ours      = "111122223333"
	theirs    = "999999999999"
	authorize = "AuthorizeSecurityGroupIngress"
)

func TestSieve_sorts_every_message_once(t *testing.T) {
	t.Parallel()
	failed := strings.Replace(envelope(ours, authorize, "sg-1", 1), `"eventID"`, `"errorCode":"Client.UnauthorizedOperation","eventID"`, 1)
	tags := strings.Replace(envelope(ours, "CreateTags", "sg-1", 1), `"groupId":"sg-1"`, `"resourcesSet":{"items":[{"resourceId":"vol-1"}]}`, 1)
	for name, tc := range map[string]struct {
		body   string
		want   Counts
		events int
		why    string
	}{
		"hint":               {envelope(ours, authorize, "sg-1", 1), Counts{Hinted: 1}, 1, ""},
		"read":               {envelope(ours, "DescribeSecurityGroups", "sg-1", 1), Counts{Irrelevant: 1}, 0, ""},
		"read_foreign":       {envelope(theirs, "DescribeSecurityGroups", "sg-1", 1), Counts{Irrelevant: 1}, 0, ""},
		"tags_of_host":       {tags, Counts{Irrelevant: 1}, 0, ""},
		"failed":             {failed, Counts{Failed: 1}, 0, ""},
		"foreign":            {envelope(theirs, authorize, "sg-1", 1), Counts{Foreign: 1}, 0, "account 999999999999 is not covered by this configuration"},
		"not_json":           {"hello", Counts{Malformed: 1}, 0, "decode event: event is not a JSON object"},
		"no_region":          {`{"eventSource":"ec2.amazonaws.com","eventName":"CreateVpc"}`, Counts{Malformed: 1}, 0, "event has no awsRegion"},
		"config":             {compliance(ours, "AWS::EC2::SecurityGroup", "sg-1"), Counts{Hinted: 1}, 1, ""},
		"analyzer":           {analysis(ours, "AWS::IAM::Role", "arn:aws:iam::"+ours+":role/team/app"), Counts{Hinted: 1}, 1, ""},
		"analyzer_of_others": {analysis(ours, "AWS::Kinesis::Stream", "arn:aws:kinesis:eu-west-1:"+ours+":stream/jobs"), Counts{Irrelevant: 1}, 0, ""},
		"analyzer_foreign":   {analysis(theirs, "AWS::IAM::Role", "arn:aws:iam::"+theirs+":role/app"), Counts{Foreign: 1}, 0, "account 999999999999 is not covered by this configuration"},
		"analyzer_forged":    {analysis(ours, "AWS::IAM::Role", "arn:aws:iam::"+theirs+":role/app"), Counts{Malformed: 1}, 0, `event has a malformed resource "arn:aws:iam::999999999999:role/app"`},
		"config_of_account":  {compliance(ours, "AWS::::Account", ours), Counts{Hinted: 1}, 4, ""}, // the block, EBS's default, the password policy and the root user
		"config_of_others":   {compliance(ours, "AWS::Kinesis::Stream", "f"), Counts{Irrelevant: 1}, 0, ""},
		"config_of_nonsense": {compliance(ours, "???", "f"), Counts{Irrelevant: 1}, 0, ""},
		"config_foreign":     {compliance(theirs, "AWS::EC2::SecurityGroup", "sg-1"), Counts{Foreign: 1}, 0, "account 999999999999 is not covered by this configuration"},
		"config_forged":      {strings.Replace(compliance(ours, "AWS::EC2::SecurityGroup", "sg-1"), `"account":"111122223333"`, `"account":"999999999999"`, 1), Counts{Malformed: 1}, 0, `event has a malformed account "999999999999"`},
		"config_item_empty":  {`{"detail-type":"Config Configuration Item Change","source":"aws.config","detail":{}}`, Counts{Malformed: 1}, 0, "event has no account"},
		"other_event":        {`{"detail-type":"Scheduled Event","detail":{}}`, Counts{Malformed: 1}, 0, `decode event with detail-type "Scheduled Event": not a CloudTrail event`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newSieve("sqs", services.Watch(), []string{ours}, true).sift([]Message{{ID: "m-1", Body: tc.body}}, time.Unix(0, 0))
			tc.want.Received = 1
			if diff := cmp.Diff(tc.want, d.Counts); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			if len(d.Events) != tc.events {
				t.Errorf("got %d events, want %d", len(d.Events), tc.events)
			}
			var got string
			for _, k := range d.Kept {
				if got += k.Why; k.ID != "m-1" || k.Body == "" {
					t.Errorf("got kept message %+v, want one with ID and body", k)
				}
			}
			if got != tc.why {
				t.Errorf("got kept because %q, want %q", got, tc.why)
			}
		})
	}
}

func TestSieve_coalesces_to_the_newest(t *testing.T) {
	t.Parallel()
	var messages []Message
	for _, body := range []string{
		envelope(ours, authorize, "sg-1", 2), envelope(ours, "RevokeSecurityGroupIngress", "sg-1", 5), envelope(ours, authorize, "sg-1", 3), envelope(ours, authorize, "sg-2", 1),
	} {
		messages = append(messages, Message{Body: body})
	}
	d := newSieve("sqs", services.Watch(), []string{ours}, true).sift(messages, time.Unix(0, 0))
	scope := func(id string) dera.Scope {
		return dera.Scope{Partition: "aws", Account: ours, Region: "eu-west-1", Type: "AWS::EC2::SecurityGroup", IDs: []string{id}}
	}
	want := []dera.Event{
		{
			Source: "sqs", ID: "e-5", Name: "RevokeSecurityGroupIngress", Scope: scope("sg-1"), Actor: "arn:aws:iam::111122223333:user/u5", UserAgent: "cli",
			Time: time.Date(2024, 8, 1, 12, 5, 0, 0, time.UTC), Authenticated: true,
		},
		{
			Source: "sqs", ID: "e-1", Name: authorize, Scope: scope("sg-2"), Actor: "arn:aws:iam::111122223333:user/u1", UserAgent: "cli",
			Time: time.Date(2024, 8, 1, 12, 1, 0, 0, time.UTC), Authenticated: true,
		},
	}
	if diff := cmp.Diff(want, d.Events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	var older []string
	for _, e := range d.Older {
		older = append(older, e.ID)
	}
	if want := []string{"e-2", "e-3"}; !cmp.Equal(older, want) {
		t.Errorf("older events: got %q, want %q: who else wrote there", older, want)
	}
	if want := (Counts{Received: 4, Hinted: 4}); d.Counts != want {
		t.Errorf("got counts %+v, want %+v", d.Counts, want)
	}
}

func TestSieve_authenticates_only_what_both_vouch_for(t *testing.T) {
	t.Parallel()
	good := envelope(ours, authorize, "sg-1", 1)
	for name, tc := range map[string]struct {
		body       string
		configured bool
		want       bool
	}{
		"configured":                   {good, true, true},
		"not_configured":               {good, false, false},
		"envelope_of_another_account":  {strings.Replace(good, `"account":"111122223333"`, `"account":"999999999999"`, 1), true, false},
		"envelope_without_account":     {strings.Replace(good, `"account":"111122223333",`, "", 1), true, false},
		"envelope_of_a_custom_source":  {strings.Replace(good, "aws.ec2", "custom", 1), true, false},
		"envelope_from_another_region": {strings.Replace(good, `"region":"eu-west-1"`, `"region":"us-east-1"`, 1), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newSieve("sqs", services.Watch(), []string{ours}, tc.configured).sift([]Message{{Body: tc.body}}, time.Unix(0, 0))
			if len(d.Events) != 1 || d.Events[0].Authenticated != tc.want {
				t.Errorf("got events %+v, want one, authenticated %t", d.Events, tc.want)
			}
		})
	}
}

func TestSieve_fills_what_a_message_lacks(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	untimed := strings.Replace(envelope(ours, authorize, "sg-1", 1), "eventTime", "eventTim", 1)
	secret := `{"eventName":"X","password":"hunter2","text":"` + strings.Repeat("long ", 5000) + `"}`
	d := newSieve("sqs", services.Watch(), []string{ours}, false).sift([]Message{{Body: untimed}, {Body: secret}, {Body: "hello"}}, now)
	if len(d.Events) != 1 || !d.Events[0].Time.Equal(now) {
		t.Errorf("got events %+v, want one at the time of receipt", d.Events)
	}
	if len(d.Kept) != 2 || d.Kept[0].ID == "" || d.Kept[0].ID == d.Kept[1].ID {
		t.Fatalf("got kept %+v, want two with their own IDs", d.Kept)
	}
	if body := d.Kept[0].Body; len(body) > maxKept || strings.Contains(body, "hunter2") {
		t.Errorf("got body of %d bytes, %q, want it bounded and redacted", len(body), body)
	}
}

func TestCounts_names(t *testing.T) {
	t.Parallel()
	got := Counts{Received: 21, Irrelevant: 1, Failed: 2, Foreign: 3, Malformed: 4, Hinted: 11}.Names()
	want := map[string]int64{
		"events_received": 21, "events_irrelevant": 1, "events_failed_call": 2, "events_foreign": 3, "events_malformed": 4, "events_hinted": 11,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
	if got := (Counts{}).Names(); len(got) != 0 {
		t.Errorf("got %v of zeros, want none", got)
	}
}

// TestSieve_watched_calls_give_events ties what the types listen to to
// what a source makes of it.
func TestSieve_watched_calls_give_events(t *testing.T) {
	t.Parallel()
	for _, c := range services.Watch().Calls() {
		body := strings.Replace(envelope(ours, c.Name, "sg-1", 1), "ec2.amazonaws.com", c.Source, 1)
		if d := newSieve("sqs", services.Watch(), []string{ours}, true).sift([]Message{{Body: body}}, time.Unix(0, 0)); d.Counts.Hinted != 1 {
			t.Errorf("%s: got %+v, want a hint", c.Name, d.Counts)
		}
	}
}
