package wire_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/services/iam/signin"
	"dera.example/dera/services/iam/signin/wire"
)

type m = map[string]any

const user = `"type":"IAMUser","userName":"ann","arn":"arn:aws:iam::111122223333:user/staff/ann"`

// record is an event as the history has it, in AWS's own form.
func record(identity, answer, mfa, at, from string) m {
	return m{"EventName": "ConsoleLogin", "CloudTrailEvent": fmt.Sprintf(`{"eventVersion":"1.09","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"us-east-1",
"eventType":"AwsConsoleSignIn","eventTime":%q,"sourceIPAddress":%q,"recipientAccountId":"111122223333","userIdentity":{%s,"accountId":"111122223333"},
"requestParameters":null,"responseElements":{"ConsoleLogin":%q},"additionalEventData":{"LoginTo":"https://console.aws.amazon.com/","MFAUsed":%q,"MobileVersion":"No"}}`, at, from, identity, answer, mfa)}
}

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: signin.Name, IDs: ids}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// TestRead: only sign-ins of IAM users that succeeded without MFA count, the last of a user is
// named, and what cannot be read is no answer.
func TestRead(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	const first, last = "2026-11-29T10:00:00Z", "2026-11-29T12:00:00Z"
	ann := &signin.SignIn{User: "ann", Region: cloudtest.East, At: at(first), From: "192.0.2.7", Times: 1}
	for name, tc := range map[string]struct {
		events  []m
		error   string
		want    *signin.SignIn
		problem string
	}{
		"without_mfa":       {events: []m{record(user, "Success", "No", first, "192.0.2.7")}, want: ann},
		"without_an_arn":    {events: []m{record(`"type":"IAMUser","userName":"ann"`, "Success", "No", first, "192.0.2.7")}, want: ann},
		"without_a_name":    {events: []m{record(strings.Replace(user, `"userName":"ann",`, "", 1), "Success", "No", first, "192.0.2.7")}, want: ann},
		"several":           {events: []m{record(user, "Success", "No", first, "192.0.2.7"), record(user, "Success", "No", last, "192.0.2.8"), record(user, "Success", "No", first, "192.0.2.9")}, want: &signin.SignIn{User: "ann", Region: cloudtest.East, At: at(last), From: "192.0.2.8", Times: 3}},
		"with_mfa":          {events: []m{record(user, "Success", "Yes", first, "192.0.2.7")}},
		"mfa_not_told":      {events: []m{record(user, "Success", "", first, "192.0.2.7")}},
		"failed":            {events: []m{record(user, "Failure", "No", first, "192.0.2.7")}},
		"root":              {events: []m{record(`"type":"Root","arn":"arn:aws:iam::111122223333:root"`, "Success", "No", first, "192.0.2.7")}},
		"federated":         {events: []m{record(`"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/a/ann"`, "Success", "No", first, "192.0.2.7")}},
		"none":              {events: []m{}},
		"no_record":         {events: []m{{"EventName": "ConsoleLogin"}}, problem: "no sign-in"},
		"of_another_owner":  {events: []m{{"CloudTrailEvent": strings.ReplaceAll(record(user, "Success", "No", first, "x")["CloudTrailEvent"].(string), "111122223333", "444455556666")}}, problem: "no sign-in to account"},
		"at_no_time":        {events: []m{record(user, "Success", "No", "-", "192.0.2.7")}, problem: "name or time"},
		"of_a_hidden_user":  {events: []m{record(`"type":"IAMUser","userName":"what is it?"`, "Success", "No", first, "x")}, problem: "name or time"},
		"denied":            {error: "AccessDeniedException", problem: "AccessDenied"},
		"answer_of_nothing": {problem: "Events"},
	} {
		t.Run(name, func(t *testing.T) {
			w := stub.World(t)
			answer := moto.Answer{Output: m{"Events": tc.events}, Error: tc.error}
			if tc.events == nil {
				answer.Output = m{}
			}
			w.On("cloudtrail", "LookupEvents", answer)
			page, err := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).Read(t.Context(), scope("ann"), true)
			switch {
			case tc.problem != "":
				if err == nil || !strings.Contains(err.Error(), tc.problem) {
					t.Errorf("got %+v, %v, want an error of %s", page, err, tc.problem)
				}
				return
			case err != nil:
				t.Fatal(err)
			case tc.want == nil:
				if len(page.Resources) != 0 || len(page.Missing) != 1 {
					t.Errorf("got %+v, want that there is none", page)
				}
				return
			case len(page.Resources) != 1:
				t.Fatalf("got %+v, want one", page)
			}
			if d := cmp.Diff(tc.want, page.Resources[0].Config); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestSweep: the pages of a region are asked for once, for sign-ins of the last days alone.
func TestSweep(t *testing.T) {
	t.Parallel()
	w := moto.StartStub(t).World(t)
	bob := strings.ReplaceAll(user, "ann", "bob")
	w.On("cloudtrail", "LookupEvents",
		moto.Answer{When: m{"NextToken": "2"}, Output: m{"Events": []m{record(user, "Success", "No", "2026-11-29T10:00:00Z", "192.0.2.7")}}},
		moto.Answer{Output: m{"Events": []m{record(bob, "Success", "No", "2026-11-29T10:00:00Z", "192.0.2.7")}, "NextToken": "2"}})
	page, err := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).Read(t.Context(), scope(), false)
	if err != nil || len(page.Resources) != 2 || page.Resources[0].ID != "ann" || page.Resources[1].ARN != "arn:aws:signin:us-east-1:111122223333:user/bob" || page.Next != "" {
		t.Errorf("got %+v, %v, want both", page, err)
	}
	calls := w.Calls("LookupEvents")
	if len(calls) != 2 {
		t.Fatalf("got %d calls, want 2", len(calls))
	}
	if d := cmp.Diff([]any{m{"AttributeKey": "EventName", "AttributeValue": "ConsoleLogin"}}, calls[0].Input["LookupAttributes"]); d != "" || calls[0].Input["StartTime"] == nil {
		t.Errorf("asked for %v\n%s", calls[0].Input, d)
	}
}
