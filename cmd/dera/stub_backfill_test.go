package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/source"
)

// TestStubBackfill: what happened while dera was down is looked up in the event history at its start, through
// a page that is throttled: each event is a hint, what is no record is kept. What was seen then is not looked up
// again by the next start, and a permission that is missing is said and stops nothing.
func TestStubBackfill(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newMotoWorld(t, server)
	s := moto.StartStub(t).Before(t, w.creds, server.URL())
	t.Setenv("AWS_ENDPOINT_URL", s.URL())
	t.Setenv("DERA_CONTROLS", "")
	account := w.creds.Account
	const config = "controls: [ec2-securitygroup-admin-ports-open]\nsources: {backfill: {after: 1h}}\n"
	begun := func(c *controllerRun) {
		t.Helper()
		c.eventually(t, "it runs", func() bool { return strings.Contains(c.errOut.String(), "dera runs") })
	}
	of := members{"LookupAttributes": []members{{"AttributeKey": "ReadOnly", "AttributeValue": "false"}}}
	s.On("cloudtrail", "LookupEvents", moto.Answer{Error: "AccessDeniedException"})
	c := startConfigured(t, config, "--sweep", "24h")
	begun(c)
	c.stop(t)
	if len(s.Calls("LookupEvents")) > 0 {
		t.Error("what was before dera's first start is for the sweep alone, and was looked up")
	}
	// Two hours later.
	d, err := (&cli{out: &c.out, err: &c.errOut, flags: flags{data: c.data}, now: time.Now}).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-2 * time.Hour)
	at := source.BackfillPlace{Account: account, Region: "us-east-1"}
	positions := app.Positions{Store: d.store, Now: time.Now}
	note := func() {
		t.Helper()
		if err := positions.Note(t.Context(), at, source.Filled{To: long}); err != nil {
			t.Fatal(err)
		}
	}
	note()
	again := func() *controllerRun {
		t.Helper()
		c := startConfigured(t, config, "--sweep", "24h", "--data", c.data)
		begun(c)
		return c
	}
	denied := again()
	denied.eventually(t, "it says what is missing", func() bool { return strings.Contains(denied.errOut.String(), "cloudtrail:LookupEvents") })
	denied.stop(t)
	note()
	group := w.group("web", perm("tcp", 22, 22, "0.0.0.0/0", ""))
	first := moto.Answer{When: of, Output: members{"NextToken": "2", "Events": []members{{"EventId": "e-0", "EventTime": time.Now().Unix(), "CloudTrailEvent": `{"eventID":"e-0"`}}}}
	second := members{"LookupAttributes": of["LookupAttributes"], "NextToken": "2"}
	s.On("cloudtrail", "LookupEvents", moto.Answer{When: second, Error: "ThrottlingException"}, moto.Answer{When: second, Output: members{"Events": []members{
		pastCall(account, "e-1", "AuthorizeSecurityGroupIngress", time.Now().UTC().Add(-time.Hour).Truncate(time.Second), fmt.Sprintf(`{"groupId":%q,"cidrIp":"0.0.0.0/0","ipProtocol":"tcp","fromPort":22,"toPort":22}`, group), `{"_return":true}`)}}}, first)
	run := again()
	run.eventually(t, "the place was seen", func() bool {
		to, err := positions.Seen(t.Context(), at)
		return err == nil && time.Since(to) < time.Minute
	})
	run.eventually(t, "the fix", func() bool { return !strings.Contains(strings.Join(w.inbound(group), " "), "0.0.0.0/0") })
	run.stop(t)
	counts, err := d.store.Counters(t.Context())
	if err != nil || counts[source.BackfillEvents] != 2 || counts[source.BackfillHinted] != 1 || counts["events_malformed"] != 1 {
		t.Errorf("got the counters %v, %v, want two events, one of them a hint and one kept", counts, err)
	}
	calls := s.Calls("LookupEvents")
	if from, err := time.Parse("2006-01-02 15:04:05Z07:00", fmt.Sprint(calls[len(calls)-1].Input["StartTime"])); err == nil && (from.After(long) || from.Before(long.Add(-time.Hour))) {
		t.Errorf("looked up from %s, want a little before %s", from, long)
	}
	last := again()
	last.stop(t)
	if n := len(s.Calls("LookupEvents")); n != len(calls) {
		t.Errorf("got %d more lookups of what was seen", n-len(calls))
	}
	if list := s.Problems(); len(list) > 0 {
		t.Errorf("against AWS's model: %v", list)
	}
}
