package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// TestStubSignIn: a sign-in without MFA is reported with when and from where, stays open when
// the history has it no more, is resolved by an incident, and opens again with a later one.
func TestStubSignIn(t *testing.T) {
	type members = map[string]any
	server := moto.Start(t, moto.Config{})
	w := newSettingWorld(t, server, "iam-signin-no-mfa")
	s := moto.StartStub(t).Before(t, w.creds, server.URL())
	t.Setenv("AWS_ENDPOINT_URL", s.URL())
	history := func(at ...time.Time) {
		list := []members{}
		for _, a := range at {
			list = append(list, members{"CloudTrailEvent": `{"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","awsRegion":"us-east-1","eventType":"AwsConsoleSignIn","eventTime":"` + a.Format(time.RFC3339) +
				`","sourceIPAddress":"192.0.2.7","recipientAccountId":"` + w.creds.Account + `","userIdentity":{"type":"IAMUser","userName":"ann","accountId":"` + w.creds.Account +
				`"},"responseElements":{"ConsoleLogin":"Success"},"additionalEventData":{"MFAUsed":"No"}}`})
		}
		s.On("cloudtrail", "LookupEvents", moto.Answer{Output: members{"Events": list}})
	}
	// look scans, and returns what is kept of the sign-ins of ann; nothing where there is none.
	look := func(what string, exit int, state dera.FindingState) app.FindingView {
		t.Helper()
		w.scan(exit, "--apply", "--mode", "enforce", "--no-exemptions")
		out, errOut, _ := w.dera("findings", "--all", "--output", "json")
		var all []app.FindingView
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			t.Fatalf("%s: %v\n%s", what, err, errOut)
		}
		if state == "" && len(all) == 0 {
			return app.FindingView{}
		}
		if len(all) != 1 || all[0].State != state || all[0].Control != "iam-signin-no-mfa" || all[0].Disposition != dera.Alert || all[0].ResourceName != "ann" {
			t.Fatalf("%s: got %+v, want one that is %q", what, all, state)
		}
		return all[0]
	}
	history()
	look("nobody signed in", exitGood, "")
	first := time.Now().Add(-2 * time.Hour).UTC().Truncate(time.Second)
	history(first)
	f := look("signed in", exitNo, dera.FindingOpen)
	if !strings.Contains(f.Why, "from 192.0.2.7 in us-east-1") || !strings.Contains(f.Why, first.Format(time.RFC3339)) {
		t.Errorf("got %q, want when and from where", f.Why)
	}
	history()
	look("the history has it no more", exitGood, dera.FindingOpen)
	history(first)
	if _, errOut, code := w.dera("incident", "attach", f.ID, "--reference", "INC-1"); code != exitGood {
		t.Fatalf("attach: got exit code %d\n%s", code, errOut)
	}
	look("explained", exitGood, dera.FindingResolved)
	history(first, first.Add(time.Hour))
	look("signed in again", exitNo, dera.FindingOpen)
	if out, _, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("audit verify: got exit code %d\n%s", code, out)
	}
}
