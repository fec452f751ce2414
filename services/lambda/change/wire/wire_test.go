package wire_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/lambda/change"
	"dera.example/dera/services/lambda/change/wire"
)

type m = map[string]any

const (
	user = `"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","userName":"ann"`
	role = `"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/ci/run","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/ci"}}`
	at   = "2026-11-29T10:00:00Z"
)

// record is an event as the history has it; more are members of the first level.
func record(call, identity, request, response, more string) m {
	return m{"EventName": call, "CloudTrailEvent": fmt.Sprintf(`{"eventVersion":"1.08","eventSource":"lambda.amazonaws.com","eventName":%q,"awsRegion":"us-east-1","eventType":"AwsApiCall","eventTime":%q,
"sourceIPAddress":"192.0.2.7","recipientAccountId":"111122223333",%s"userIdentity":{%s},"requestParameters":%s,"responseElements":%s}`, call, at, more, identity, request, response)}
}

// ledger is a usage ledger and the incidents of a test.
type ledger struct {
	uses  map[string]resource.Use
	asked []string
	err   error
}

func (l *ledger) Used(_ context.Context, _ string, principals []string) (map[string]resource.Use, error) {
	l.asked = principals
	return l.uses, l.err
}

func (l *ledger) Attached(_ context.Context, at dera.Scope) (map[dera.ARN]resource.Explained, error) {
	if at.Region != cloudtest.East || at.Type != change.Name {
		return nil, errors.New("another place")
	}
	return map[dera.ARN]resource.Explained{"arn:aws:lambda:us-east-1:111122223333:function-change/resize": {Reference: "CHG-1"}}, nil
}

func read(t *testing.T, w *moto.StubWorld, l *ledger, ids ...string) (cloud.Page, error) {
	t.Helper()
	c, err := cloud.New(t.Context(), cloud.Config{
		Wires: []cloud.Wire{wire.Wire()}, Region: cloudtest.East, Endpoint: w.URL(), Timeout: 10 * time.Second, Credentials: credentials.NewStaticCredentialsProvider(w.AccessKeyID, "none", ""),
		Ports: map[string]any{resource.PortLedger: l, resource.PortIncidents: l},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: change.Name, IDs: ids}, true)
}

// TestRead: only changes of code and layers that succeeded count, by the role of a session; what
// cannot be read is no answer.
func TestRead(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	when, _ := time.Parse(time.RFC3339, at)
	made := func(call, principal string) change.Change {
		return change.Change{Call: call, At: when, From: "192.0.2.7", Principal: principal}
	}
	const ann, ci = "arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:role/ci"
	for name, tc := range map[string]struct {
		code, layers m
		error        string
		want         []change.Change
		problem      string
	}{
		"code":              {code: record(change.UpdateCode, user, `{"functionName":"resize"}`, `{"functionName":"resize","codeSha256":"x"}`, ""), want: []change.Change{made(change.UpdateCode, ann)}},
		"code_by_arn":       {code: record(change.UpdateCode, role, `{"functionName":"arn:aws:lambda:us-east-1:111122223333:function:resize"}`, "null", ""), want: []change.Change{made(change.UpdateCode, ci)}},
		"layers":            {layers: record(change.UpdateLayers, user, `{"functionName":"resize","layers":["arn:aws:lambda:us-east-1:111122223333:layer:x:1"]}`, "null", ""), want: []change.Change{made(change.UpdateLayers, ann)}},
		"layers_taken_away": {layers: record(change.UpdateLayers, user, `{"functionName":"resize","layers":[]}`, "null", ""), want: []change.Change{made(change.UpdateLayers, ann)}},
		"memory_alone":      {layers: record(change.UpdateLayers, user, `{"functionName":"resize","memorySize":128,"layers":null}`, "null", "")},
		"denied":            {code: record(change.UpdateCode, user, `{"functionName":"resize"}`, "null", `"errorCode":"AccessDenied",`)},
		"by_a_service":      {code: record(change.UpdateCode, `"type":"AWSService","invokedBy":"x.amazonaws.com"`, `{"functionName":"resize"}`, "null", "")},
		"by_root":           {code: record(change.UpdateCode, `"type":"Root","arn":"arn:aws:iam::111122223333:root"`, `{"functionName":"resize"}`, "null", "")},
		"of_no_function":    {code: record(change.UpdateCode, user, `{}`, "null", ""), problem: "of no function"},
		"another_call":      {code: record("DeleteFunction20150331", user, `{"functionName":"resize"}`, "null", ""), problem: "what is no"},
		"no_record":         {code: m{"EventName": change.UpdateCode}, problem: "what is no"},
		"lookup_denied":     {error: "AccessDeniedException", problem: "AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			w := stub.World(t)
			list := func(event m) m {
				if event == nil {
					return m{"Events": []m{}}
				}
				return m{"Events": []m{event}}
			}
			w.On("cloudtrail", "LookupEvents", moto.Answer{When: m{"LookupAttributes": []m{{"AttributeKey": "EventName", "AttributeValue": change.UpdateLayers}}}, Output: list(tc.layers)},
				moto.Answer{Output: list(tc.code), Error: tc.error})
			page, err := read(t, w, &ledger{}, "resize")
			switch {
			case tc.problem != "":
				if err == nil || !strings.Contains(err.Error(), tc.problem) {
					t.Errorf("got %+v, %v, want an error of %s", page, err, tc.problem)
				}
			case err != nil:
				t.Fatal(err)
			case tc.want == nil:
				if len(page.Resources) != 0 || len(page.Missing) != 1 {
					t.Errorf("got %+v, want that there is none", page)
				}
			case len(page.Resources) != 1:
				t.Fatalf("got %+v, want one", page)
			default:
				f := page.Resources[0].Config.(*change.Function)
				if d := cmp.Diff(tc.want, f.Changes); d != "" || f.Explained.Reference != "CHG-1" {
					t.Errorf("explained %+v (-want +got):\n%s", f.Explained, d)
				}
			}
		})
	}
}

// TestLedger: the ledger is asked once, and its calls of the name are kept; without an answer,
// or one that fails, nothing is known of the actor.
func TestLedger(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	const ci = "arn:aws:iam::111122223333:role/ci"
	calls := []resource.Call{{Source: "lambda.amazonaws.com", Name: "GetFunction20150331v2"}, {Source: "lambda.amazonaws.com", Name: change.UpdateCode, Count: 7}, {Source: "s3.amazonaws.com", Name: change.UpdateCode}}
	for name, tc := range map[string]struct {
		ledger *ledger
		want   []resource.Call
		unread bool
		known  bool
	}{
		"known":   {&ledger{uses: map[string]resource.Use{ci: {Calls: calls}}}, calls[1:2], false, true},
		"unknown": {&ledger{}, nil, false, false},
		"failed":  {&ledger{err: errors.New("the database is locked")}, nil, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := stub.World(t)
			w.On("cloudtrail", "LookupEvents", moto.Answer{When: m{"LookupAttributes": []m{{"AttributeKey": "EventName", "AttributeValue": change.UpdateLayers}}}, Output: m{"Events": []m{}}},
				moto.Answer{Output: m{"Events": []m{record(change.UpdateCode, role, `{"functionName":"a"}`, "null", ""), record(change.UpdateCode, role, `{"functionName":"b"}`, "null", "")}}})
			page, err := read(t, w, tc.ledger)
			if err != nil || len(page.Resources) != 2 || !slices.Equal(tc.ledger.asked, []string{ci}) {
				t.Fatalf("got %+v, %v, asked about %v", page, err, tc.ledger.asked)
			}
			for _, x := range page.Resources {
				use := x.Config.(*change.Function).Changes[0].Use
				if (use != nil) != tc.known || (x.Unread != "") != tc.unread {
					t.Fatalf("%s: got %+v, unread %q", x.ID, use, x.Unread)
				}
				if tc.known {
					if d := cmp.Diff(tc.want, use.Calls); d != "" {
						t.Errorf("%s (-want +got):\n%s", x.ID, d)
					}
				}
			}
		})
	}
	if len(calls) != 3 || calls[0].Name != "GetFunction20150331v2" {
		t.Error("what the ledger answered was changed")
	}
}
