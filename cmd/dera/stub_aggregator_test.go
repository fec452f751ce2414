package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// TestStubAggregator: what the rules of AWS Config found, as an aggregator has it, leads to a look and to the
// fix, without a queue; a row that is none is counted. One that may not be read is said by dera run and the
// doctor, and stops nothing.
func TestStubAggregator(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newMotoWorld(t, server)
	s := moto.StartStub(t).Before(t, w.creds, server.URL())
	t.Setenv("AWS_ENDPOINT_URL", s.URL())
	t.Setenv("DERA_CONTROLS", "")
	config := "controls: [ec2-securitygroup-admin-ports-open]\nsources: {config_aggregator: {name: all, account: '" + w.creds.Account + "', region: us-east-1}}\n"
	row := func(id string) string {
		return fmt.Sprintf(`{"accountId":%q,"awsRegion":"us-east-1","configurationItemCaptureTime":%q,"configuration":{"targetResourceId":%q,"targetResourceType":"AWS::EC2::SecurityGroup"}}`,
			w.creds.Account, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), id)
	}
	doctor := func(data string) (says, fix string) {
		t.Helper()
		out, errOut, _ := w.deraOn(data, "doctor", "--output", "json")
		var r app.Diagnosis
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("%v\n%s%s", err, out, errOut)
		}
		i := slices.IndexFunc(r.Checks, func(c app.Check) bool { return c.Check == "config aggregator" })
		if i < 0 {
			return "", ""
		}
		return r.Checks[i].Says, r.Checks[i].Fix
	}
	fileIn(t, w.dir, "config.yaml", "version: 1\nsettle: 10ms\n"+config)
	s.On("config", "SelectAggregateResourceConfig", moto.Answer{Error: "AccessDeniedException"})
	denied := startConfigured(t, config, "--sweep", "24h")
	denied.eventually(t, "it says what is missing", func() bool {
		return strings.Contains(denied.errOut.String(), "config:SelectAggregateResourceConfig")
	})
	denied.eventually(t, "the doctor says so too", func() bool {
		_, fix := doctor(denied.data)
		return strings.Contains(fix, "config:SelectAggregateResourceConfig")
	})
	denied.stop(t)

	s.On("config", "SelectAggregateResourceConfig", moto.Answer{Output: members{"Results": []string{"nonsense"}}})
	c := startConfigured(t, config, "--sweep", "24h", "--output", "json")
	c.has(t, "the sweep ends", func(h app.Happening) bool { return h.What == app.SweepEnded })
	id := w.group("web", perm("tcp", 22, 22, "0.0.0.0/0", ""))
	c.stop(t)
	page2 := members{"NextToken": "2", "ConfigurationAggregatorName": "all"}
	s.On("config", "SelectAggregateResourceConfig", moto.Answer{When: page2, Output: members{"Results": []string{row(id)}}}, moto.Answer{Output: members{"Results": []string{row("sg-0")}, "NextToken": "2"}})
	again := startConfigured(t, config, "--sweep", "24h", "--data", c.data)
	again.eventually(t, "the fix", func() bool { return !strings.Contains(strings.Join(w.inbound(id), " "), "0.0.0.0/0") })
	again.stop(t)
	if says, _ := doctor(c.data); !strings.Contains(says, "2 resources were non-compliant, of which 2 led to a look") {
		t.Errorf("the doctor says %q", says)
	}
	if list := s.Problems(); len(list) > 0 {
		t.Errorf("against AWS's model: %v", list)
	}
}
