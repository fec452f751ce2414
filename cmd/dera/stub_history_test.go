package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// pastCall is an event of the event history: what a call did to a group.
func pastCall(account, id, name string, at time.Time, request, response string) members {
	return members{"EventId": id, "EventTime": at.Unix(), "CloudTrailEvent": fmt.Sprintf(
		`{"eventID":%q,"eventSource":"ec2.amazonaws.com","eventName":%q,"eventTime":%q,"awsRegion":"us-east-1","recipientAccountId":%q,"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/ann<b>","accountId":%q},"requestParameters":%s,"responseElements":%s}`,
		id, name, at.Format(time.RFC3339), account, account, account, request, response)}
}

// TestStubHistory: the past of an account is replayed from pages of the event history, through
// throttling; a region that must not be read and an event that is not whole are said, and never
// taken for clean. The page has it all, and nothing that runs.
func TestStubHistory(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newSettingWorld(t, server, "ec2-securitygroup-*")
	s := moto.StartStub(t).Before(t, w.creds, server.URL())
	to, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	front := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/cloudtrail/") {
			out.Header().Set("Content-Type", "application/x-amz-json-1.1")
			out.WriteHeader(http.StatusBadRequest)
			_, _ = out.Write([]byte(`{"__type":"AccessDeniedException","message":"not allowed"}`)) // the client reads it or is not there
			return
		}
		proxy.ServeHTTP(out, r)
	}))
	t.Cleanup(front.Close)
	t.Setenv("AWS_ENDPOINT_URL", front.URL)
	t.Setenv("DERA_CONTROLS", "")
	t0 := time.Now().UTC().Add(-240 * time.Hour).Truncate(time.Second)
	of := func(name string) members {
		return members{"LookupAttributes": []members{{"AttributeKey": "EventName", "AttributeValue": name}}}
	}
	port := func(group string) string {
		return fmt.Sprintf(`{"groupId":%q,"cidrIp":"0.0.0.0/0","ipProtocol":"tcp","fromPort":22,"toPort":22}`, group)
	}
	second := of("AuthorizeSecurityGroupIngress")
	second["NextToken"] = "2"
	a := w.creds.Account
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	without := func(args ...string) (string, string, int) { // a folder for the data
		var out, errOut bytes.Buffer
		code := run(t.Context(), args, strings.NewReader(""), &out, &errOut)
		return out.String(), errOut.String(), code
	}
	script := func(more ...members) {
		s.On("cloudtrail", "LookupEvents",
			moto.Answer{When: of("CreateSecurityGroup"), Output: members{"Events": []members{
				pastCall(a, "c2", "CreateSecurityGroup", t0, `{"groupName":"late","vpcId":"vpc-1"}`, `{"groupId":"sg-2"}`),
				pastCall(a, "c1", "CreateSecurityGroup", t0, `{"groupName":"web","vpcId":"vpc-1"}`, `{"groupId":"sg-1"}`)}}},
			moto.Answer{When: of("AuthorizeSecurityGroupIngress"), Output: members{"NextToken": "2", "Events": append(more,
				pastCall(a, "a2", "AuthorizeSecurityGroupIngress", t0.Add(9*time.Hour), port("sg-2"), "null"))}},
			moto.Answer{When: second, Output: members{"Events": []members{pastCall(a, "a1", "AuthorizeSecurityGroupIngress", t0.Add(time.Minute), port("sg-1"), "null")}}},
			moto.Answer{When: of("RevokeSecurityGroupIngress"), Error: "ThrottlingException"},
			moto.Answer{When: of("RevokeSecurityGroupIngress"), Output: members{"Events": []members{pastCall(a, "r1", "RevokeSecurityGroupIngress", t0.Add(time.Minute+5*time.Hour), port("sg-1"), "null")}}},
			moto.Answer{Output: members{"Events": []members{}}})
	}
	script()
	out, errOut, code := without("replay", "--aws", "--days", "30", "--output", "json")
	var r app.ReplayReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("read the report: %v\n%s%s", err, out, errOut)
	}
	open := map[string]int64{}
	for _, f := range r.Findings {
		if f.Key == "tcp/22" {
			open[f.Resource.Name()] = f.OpenSeconds
			if f.Disposition.String() != "auto" || f.CausedBy.Event != "AuthorizeSecurityGroupIngress" {
				t.Errorf("got %+v, want it fixed automatically", f)
			}
		}
	}
	if len(open) != 2 || open["sg-1"] != 5*3600 || r.AWS == nil || !r.AWS.Whole() || len(r.AWS.Places) != 1 || r.AWS.Places[0].Events != 5 || code != exitNo {
		t.Fatalf("got exit code %d, %v, %+v, want both groups, sg-1 open for 5 h, and a whole history of 5 events\n%s", code, open, r.AWS, errOut)
	}
	for _, c := range s.Calls("LookupEvents") {
		if at, err := time.Parse("2006-01-02 15:04:05Z07:00", fmt.Sprint(c.Input["StartTime"])); err == nil && time.Since(at) > 31*24*time.Hour {
			t.Errorf("got a lookup since %s, want 30 days", at)
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("got %v, %v: want nothing kept", left, err)
	}
	script(members{"EventId": "torn", "EventTime": t0.Unix(), "CloudTrailEvent": `{"eventID":"torn","eventSour`})
	page, errOut, code := without("replay", "--aws", "--region", "us-east-1,eu-west-1", "--output", "html")
	if code != exitUndecided {
		t.Errorf("got exit code %d, want 4: a region was not read\n%s", code, errOut)
	}
	for _, want := range []string{"eu-west-1 was not read", "AccessDenied", "event torn", ">5.0<", "would have closed it by " + app.Stamp(t0.Add(time.Minute+app.FixedWithin)), "dera would have closed", "no data events", "fix RevokeSecurityGroupIngress of", "is not known from these records", "ann&lt;b&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "<b>") {
		t.Error("the page has HTML of an event in it")
	}
	if list := s.Problems(); len(list) > 0 {
		t.Errorf("against AWS's model: %v", list)
	}
	for _, args := range [][]string{{"--aws", "trail.json"}, {"--aws", "--days", "91"}, {"--days", "3", "trail.json"}, {}} {
		if _, _, code := without(append([]string{"replay"}, args...)...); code != exitUsage {
			t.Errorf("replay %v: got exit code %d, want %d", args, code, exitUsage)
		}
	}
}
