package app

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/source"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

func TestWriters(t *testing.T) {
	t.Parallel()
	rules := `{"Sid":"a","Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:events:us-east-1:111122223333:rule/dera-ec2"}}}`
	for name, tc := range map[string]struct {
		policy string
		want   Health
	}{
		"none":                      {"", Broken},
		"rules_alone":               {`{"Version":"2012-10-17","Statement":[` + rules + `]}`, Healthy},
		"any_rule_of_anybody":       {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:*","Resource":"*"}]}`, ToDo},
		"anybody_beside":            {`{"Version":"2012-10-17","Statement":[` + rules + `,{"Effect":"Allow","Principal":"*","Action":"SQS:Send*","Resource":"*"}]}`, ToDo},
		"an_account_beside":         {`{"Version":"2012-10-17","Statement":[` + rules + `,{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"*","Resource":"*"}]}`, ToDo},
		"not_action_beside":         {`{"Version":"2012-10-17","Statement":[` + rules + `,{"Effect":"Allow","Principal":{"AWS":"444455556666"},"NotAction":"sqs:DeleteQueue","Resource":"*"}]}`, ToDo},
		"readers_beside":            {`{"Version":"2012-10-17","Statement":[` + rules + `,{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sqs:ReceiveMessage","Resource":"*"}]}`, Healthy},
		"readers_alone":             {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sqs:ReceiveMessage","Resource":"*"}]}`, Broken},
		"a_service_too_many":        {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["events.amazonaws.com","sns.amazonaws.com"]},"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"x"}}}]}`, ToDo},
		"what_cannot_be_understood": {`{"Statement":7}`, Unchecked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, says := writers(tc.policy); got != tc.want {
				t.Errorf("got %s (%s), want %s", got, says, tc.want)
			}
		})
	}
}

// examined is an examination of new data at a time that the test moves.
func examined(t *testing.T, now *time.Time) *examination {
	t.Helper()
	clock := func() time.Time { return *now }
	s, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + t.TempDir() + "/dera.db", Sealer: storetest.Vault(t, 1), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &examination{
		Doctor: Doctor{
			Now: clock, Store: s, Queue: "https://sqs.us-east-1.amazonaws.com/111122223333/q",
			UnderWay:        func(context.Context) ([]UnderWay, error) { return nil, nil },
			ExemptionConfig: evaluate.ExemptionConfig{Controls: []string{"ec2-securitygroup-admin-ports-open"}},
		},
		report: Diagnosis{Summary: map[Health]int{}},
	}
}

// of returns what the examination says of a check, by what it is about.
func (x *examination) of(check string) map[string]Health {
	out := map[string]Health{}
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
		want      map[string]Health
	}{
		"never":            {nil, 0, time.Hour, map[string]Health{source.KindCloudTrail: ToDo, source.KindConfig: Healthy}},
		"lately":           {[]string{source.KindCloudTrail}, time.Minute, time.Hour, map[string]Health{source.KindCloudTrail: Healthy, source.KindConfig: Healthy}},
		"silent_for_a_day": {[]string{source.KindCloudTrail, source.KindConfig}, time.Minute, 25 * time.Hour, map[string]Health{source.KindCloudTrail: ToDo, source.KindConfig: Healthy}},
		"config_silent":    {[]string{source.KindConfig}, time.Minute, 31 * 24 * time.Hour, map[string]Health{source.KindCloudTrail: ToDo, source.KindConfig: ToDo}},
		"late_events":      {[]string{source.KindCloudTrail}, time.Hour, time.Minute, map[string]Health{source.KindCloudTrail: Healthy, source.KindConfig: Healthy, "lag": ToDo}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := now
			x := examined(t, &at)
			handled := 0
			handle := Noting(x.Store, func(context.Context, source.Delivery) error { handled++; return nil })
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
		if got := x.of(check)[""]; got != Healthy {
			t.Errorf("%s of new data: got %s, want it good", check, got)
		}
	}
	if got := x.of("audit log")["anchor"]; got != NotTested {
		t.Errorf("anchor where nothing is enforced: got %s", got)
	}
	sw := engine.Switch{Store: x.Store, Now: x.Now}
	if err := sw.Stop(t.Context(), dera.Stop{Account: "111122223333", Reason: "freeze"}, dera.Actor{Name: "ann", How: "test"}); err != nil {
		t.Fatal(err)
	}
	x.report = Diagnosis{Summary: map[Health]int{}}
	x.Enforces = true
	at = at.Add(time.Hour)
	x.data(t.Context())
	if got := x.of("stops")["111122223333"]; got != ToDo {
		t.Errorf("a stop: got %s, want something to do", got)
	}
	if got := x.of("audit log"); got[""] != ToDo || got["anchor"] != ToDo {
		t.Errorf("records without a checkpoint, and no anchor under enforce: got %v", got)
	}
	list := filepath.Join(t.TempDir(), "exemptions.yaml")
	for text, want := range map[string]Health{
		"version: 1\nexemptions: []\n": Healthy,
		"version: 1\nexemptions:\n  - id: A\n    match: {controls: [ec2-securitygroup-admin-ports-open], accounts: [\"111122223333\"]}\n    owner: a@example.com\n    reason: a reason that says something\n    expires: 2026-11-28\n": ToDo,
		"version: 1\nexemptions: [{id: A}]\n": Broken,
	} {
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		x.Exemptions = list
		x.report = Diagnosis{Summary: map[Health]int{}}
		x.exemptions()
		if got := x.of("exemptions")[list]; got != want {
			t.Errorf("list %q: got %s, want %s: %v", text, got, want, x.report.Checks)
		}
	}
	x.Exemptions = ""
	x.report = Diagnosis{Summary: map[Health]int{}}
	x.exemptions()
	if got := x.of("exemptions")[""]; got != Broken {
		t.Errorf("enforce without a word on exemptions: got %s, want broken", got)
	}
}
