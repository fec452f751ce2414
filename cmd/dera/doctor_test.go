package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/control"
	"dera.example/dera/engine"
	"dera.example/dera/source"
)

// TestDoctorTriesEveryRead: a read that the reading role has is tried where there is
// something to try it on, and is reported as untested where there is nothing.
func TestDoctorTriesEveryRead(t *testing.T) {
	t.Parallel()
	const account = "111122223333"
	sim := awssim.New(awssim.Config{Seed: 8})
	creds := sim.Account(account).Credentials()
	client, err := cloud.New(t.Context(), cloud.Config{
		Region: "us-east-1", Wires: wires(), HTTPClient: sim.HTTPClient(), Endpoint: "https://127.0.0.1",
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	policy, err := control.ReaderPolicy(fileConfig{Controls: simulated()}.controls(), "aws", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range policy.Statement {
		actions = append(actions, st.Action...)
	}
	tried := func() map[string]cloud.Tried {
		out := map[string]cloud.Tried{}
		for _, p := range client.TryReads(t.Context(), account, "us-east-1", actions) {
			out[p.Action] = p.Tried
		}
		return out
	}
	if got := tried(); len(got) != len(actions) || got["s3:GetBucketPolicy"] != cloud.NotTested || got["ec2:DescribeInstances"] != cloud.NotTested || got["ec2:DescribeSecurityGroupRules"] != cloud.Allowed {
		t.Errorf("an account with a default group alone: got %v, want what is of buckets and instances not tested", got)
	}
	there := sim.Account(account).Region("us-east-1")
	list, err := there.CreatePrefixList(t.Context(), "offices", 10, "203.0.113.0/24")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range sim.Snapshot().Groups {
		if _, err := there.Authorize(t.Context(), g.ID, awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, PrefixList: list}); err != nil {
			t.Fatal(err)
		}
		if _, err := there.AttachInterface("", g.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{there.CreateBucket(t.Context(), "media"), there.CreateAccessPoint(t.Context(), "door", "media", nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	sim.Account(account).AddMultiRegionPoint(awssim.MultiRegionPoint{Name: "everywhere", Buckets: map[string]string{"us-east-1": "media"}})
	there.AddConfigRule(awssim.ConfigRule{Name: "block", Identifier: "S3_BUCKET_PUBLIC_READ_PROHIBITED"})
	for action, got := range tried() {
		if want := cloud.Allowed; got != want {
			t.Errorf("%s: got %s, want %s", action, got, want)
		}
	}
	sim.Inject(awssim.Fault{Match: awssim.Match{Operation: "DescribeSecurityGroupRules"}, Kind: awssim.Denied})
	sim.Inject(awssim.Fault{Match: awssim.Match{Operation: "GetBucketPolicy"}, Kind: awssim.Denied})
	for action, got := range tried() {
		want := cloud.Allowed
		switch action {
		case "ec2:DescribeSecurityGroupRules", "s3:GetBucketPolicy":
			want = cloud.Refused
		}
		if got != want {
			t.Errorf("two are denied: %s: got %s, want %s", action, got, want)
		}
	}
}

func TestWriters(t *testing.T) {
	t.Parallel()
	rules := `{"Sid":"a","Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:events:us-east-1:111122223333:rule/dera-ec2"}}}`
	for name, tc := range map[string]struct {
		policy string
		want   health
	}{
		"none":                      {"", broken},
		"rules_alone":               {`{"Version":"2012-10-17","Statement":[` + rules + `]}`, healthy},
		"any_rule_of_anybody":       {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:*","Resource":"*"}]}`, toDo},
		"anybody_beside":            {`{"Version":"2012-10-17","Statement":[` + rules + `,{"Effect":"Allow","Principal":"*","Action":"SQS:Send*","Resource":"*"}]}`, toDo},
		"an_account_beside":         {`{"Version":"2012-10-17","Statement":[` + rules + `,{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"*","Resource":"*"}]}`, toDo},
		"not_action_beside":         {`{"Version":"2012-10-17","Statement":[` + rules + `,{"Effect":"Allow","Principal":{"AWS":"444455556666"},"NotAction":"sqs:DeleteQueue","Resource":"*"}]}`, toDo},
		"readers_beside":            {`{"Version":"2012-10-17","Statement":[` + rules + `,{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sqs:ReceiveMessage","Resource":"*"}]}`, healthy},
		"readers_alone":             {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sqs:ReceiveMessage","Resource":"*"}]}`, broken},
		"a_service_too_many":        {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["events.amazonaws.com","sns.amazonaws.com"]},"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"x"}}}]}`, toDo},
		"what_cannot_be_understood": {`{"Statement":7}`, untold},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, says := writers(tc.policy); got != tc.want {
				t.Errorf("got %s (%s), want %s", got, says, tc.want)
			}
		})
	}
}

// examined opens new data for an examination at a time that the test moves.
func examined(t *testing.T, now *time.Time) *examination {
	t.Helper()
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, now: func() time.Time { return *now }}
	a.flags.data = t.TempDir()
	s, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	return &examination{app: a, session: s, queueURL: "https://sqs.us-east-1.amazonaws.com/111122223333/q", report: doctorReport{Summary: map[health]int{}}}
}

// of returns what the examination says of a check, by what it is about.
func (x *examination) of(check string) map[string]health {
	out := map[string]health{}
	for _, c := range x.report.Checks {
		if c.Check == check {
			out[c.About] = c.Health
		}
	}
	return out
}

// TestDoctorHearsSilence: what dera run noted of deliveries is what the doctor
// goes by, and a kind that has fallen silent is told.
func TestDoctorHearsSilence(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		delivered []string // kinds
		late      time.Duration
		after     time.Duration
		want      map[string]health
	}{
		"never":            {nil, 0, time.Hour, map[string]health{source.KindCloudTrail: toDo, source.KindConfig: healthy}},
		"lately":           {[]string{source.KindCloudTrail}, time.Minute, time.Hour, map[string]health{source.KindCloudTrail: healthy, source.KindConfig: healthy}},
		"silent_for_a_day": {[]string{source.KindCloudTrail, source.KindConfig}, time.Minute, 25 * time.Hour, map[string]health{source.KindCloudTrail: toDo, source.KindConfig: healthy}},
		"config_silent":    {[]string{source.KindConfig}, time.Minute, 31 * 24 * time.Hour, map[string]health{source.KindCloudTrail: toDo, source.KindConfig: toDo}},
		"late_events":      {[]string{source.KindCloudTrail}, time.Hour, time.Minute, map[string]health{source.KindCloudTrail: healthy, source.KindConfig: healthy, "lag": toDo}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := now
			x := examined(t, &at)
			handled := 0
			handle := x.session.noting(func(context.Context, source.Delivery) error { handled++; return nil })
			if tc.delivered != nil {
				d := source.Delivery{Source: "sqs", At: at, Kinds: tc.delivered, Events: []dera.Event{{Time: at.Add(-tc.late)}}}
				if err := handle(t.Context(), d); err != nil || handled != 1 {
					t.Fatalf("got %v after %d events handled", err, handled)
				}
			}
			at = at.Add(tc.after)
			if err := x.sources(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := x.of("sources")
			for about, want := range tc.want {
				if got[about] != want {
					t.Errorf("%s: got %s, want %s", about, got[about], want)
				}
			}
			if len(got) != len(tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// TestDoctorOnData: stops, overdue jobs, old checkpoints and a missing anchor are
// told, and so are exemption lists that are broken or run out.
func TestDoctorOnData(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	x := examined(t, &at)
	x.data(t.Context())
	for _, check := range []string{"audit log", "stops", "jobs"} {
		if got := x.of(check)[""]; got != healthy {
			t.Errorf("%s of new data: got %s, want it good", check, got)
		}
	}
	if got := x.of("audit log")["anchor"]; got != notTested {
		t.Errorf("anchor where nothing is enforced: got %s", got)
	}
	sw := engine.Switch{Store: x.session.store, Now: x.app.now}
	if err := sw.Stop(t.Context(), dera.Stop{Account: "111122223333", Reason: "freeze"}, dera.Actor{Name: "ann", How: "test"}); err != nil {
		t.Fatal(err)
	}
	x.report = doctorReport{Summary: map[health]int{}}
	x.config.Mode = "enforce"
	at = at.Add(time.Hour)
	x.data(t.Context())
	if got := x.of("stops")["111122223333"]; got != toDo {
		t.Errorf("a stop: got %s, want something to do", got)
	}
	if got := x.of("audit log"); got[""] != toDo || got["anchor"] != toDo {
		t.Errorf("records without a checkpoint, and no anchor under enforce: got %v", got)
	}
	list := filepath.Join(t.TempDir(), "exemptions.yaml")
	for text, want := range map[string]health{
		"version: 1\nexemptions: []\n": healthy,
		"version: 1\nexemptions:\n  - id: A\n    match: {controls: [ec2-securitygroup-admin-ports-open], accounts: [\"111122223333\"]}\n    owner: a@example.com\n    reason: a reason that says something\n    expires: 2026-11-28\n": toDo,
		"version: 1\nexemptions: [{id: A}]\n": broken,
	} {
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		x.app.flags.exemptions = list
		x.report = doctorReport{Summary: map[health]int{}}
		x.exemptions()
		if got := x.of("exemptions")[list]; got != want {
			t.Errorf("list %q: got %s, want %s: %v", text, got, want, x.report.Checks)
		}
	}
	x.app.flags.exemptions = ""
	x.report = doctorReport{Summary: map[health]int{}}
	x.exemptions()
	if got := x.of("exemptions")[""]; got != broken {
		t.Errorf("enforce without a word on exemptions: got %s, want broken", got)
	}
}
