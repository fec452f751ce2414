package outbox

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/sink"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// kept remembers messages whole.
type kept struct{ list []sink.Message }

func (k *kept) Send(_ context.Context, m []sink.Message) error {
	k.list = append(k.list, m...)
	return nil
}

// escalating routes all to one sink, and after 4 hours to another one.
type escalating struct{}

func (escalating) Route(_ sink.Message, now time.Time) []sink.Delivery {
	return []sink.Delivery{{Sink: "chat", Due: now}}
}

func (escalating) Escalations(m sink.Message, since time.Time) []sink.Delivery {
	return []sink.Delivery{{Sink: "pager", Due: since.Add(4 * time.Hour)}}
}

type messages struct {
	*fixture
	chat, pager *kept
}

func newMessages(t *testing.T) *messages {
	t.Helper()
	m := &messages{newFixture(t, escalating{}), &kept{}, &kept{}}
	var err error
	m.box, err = New(Config{Store: m.store, Router: escalating{}, Sinks: map[string]sink.Sink{"chat": m.chat, "pager": m.pager}, Now: m.clock.Now, Flags: " --data d"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *messages) commit(b store.Batch) {
	m.Helper()
	if err := m.store.Commit(m.Context(), b); err != nil {
		m.Fatal(err)
	}
	m.post()
	if _, err := m.box.Send(m.Context()); err != nil {
		m.Fatal(err)
	}
}

func (m *messages) later(d time.Duration) {
	m.Helper()
	m.clock.Advance(d)
	if _, err := m.box.Send(m.Context()); err != nil {
		m.Fatal(err)
	}
}

// decided is a plan in a state, its record, and a finding that it is for.
func (m *messages) decided(state dera.State) store.Batch {
	r := storetest.Remediation("r-1", "sg-1", m.clock.Now())
	r.State, r.Digest, r.Findings, r.Expires = state, strings.Repeat("ab", 32), []string{"f-1"}, m.clock.Now().Add(72*time.Hour)
	f := dera.Finding{ID: "f-1", Control: "c", Account: "111122223333", Region: "us-east-1", Title: "SSH is open", Why: "w", Severity: dera.Critical, Start: dera.Auto, Disposition: dera.Review, State: dera.FindingOpen, Remediation: "r-1", Owner: "team-a"}
	decision := &dera.Decision{Disposition: dera.Review, Mode: dera.Enforce, Reasons: []dera.Reason{{Guardrail: "a", Disposition: dera.Auto, Why: "fine"}, {Guardrail: "b", Disposition: dera.Review, Why: "a bastion, by its name"}}}
	rec := dera.AuditRecord{Version: 1, Time: m.clock.Now(), Account: f.Account, Region: f.Region, Control: "c", Findings: r.Findings, Remediation: r.ID, State: state, Digest: r.Digest, Diff: []string{"- tcp 22"}, Decision: decision}
	found := rec
	rec.Kind, found.Kind, found.Remediation, found.State, found.Why = dera.RecordDecision, dera.RecordFinding, "", "", "open: SSH is open"
	return store.Batch{Findings: []dera.Finding{f}, Remediations: []dera.Remediation{r}, Records: []dera.AuditRecord{rec, found}}
}

// A plan that waits is one message: with why, the diff and what to type; its finding says
// nothing more. When nobody answers, somebody else hears of it.
func TestWaiting(t *testing.T) {
	t.Parallel()
	m := newMessages(t)
	m.commit(m.decided(dera.Waiting))
	if len(m.chat.list) != 1 {
		t.Fatalf("%d messages, want 1: %+v", len(m.chat.list), m.chat.list)
	}
	got := m.chat.list[0]
	if got.What != sink.WhatWaiting || got.Title != "SSH is open" || got.Why != "a bastion, by its name" || got.Severity != dera.Critical || got.Owner != "team-a" || got.Until.IsZero() || fmt.Sprint(got.Diff) != "[- tcp 22]" {
		t.Errorf("the message is %+v", got)
	}
	if len(got.Commands) != 2 || got.Commands[0] != "dera approve r-1 --digest abababababab --data d" {
		t.Errorf("the commands are %q", got.Commands)
	}
	m.later(3 * time.Hour)
	if len(m.pager.list) != 0 {
		t.Error("it was escalated early")
	}
	m.later(2 * time.Hour)
	if len(m.pager.list) != 1 || m.pager.list[0].What != sink.WhatEscalation || m.pager.list[0].ID == got.ID || m.pager.list[0].Remediation != "r-1" {
		t.Errorf("escalated: %+v", m.pager.list)
	}
}

func TestAnswered(t *testing.T) {
	t.Parallel()
	m := newMessages(t)
	m.commit(m.decided(dera.Waiting))
	r, err := m.store.Remediation(t.Context(), "r-1")
	if err != nil {
		t.Fatal(err)
	}
	r.State = dera.Rejected
	m.commit(store.Batch{Remediations: []dera.Remediation{r}})
	m.later(5 * time.Hour)
	if len(m.pager.list) != 0 {
		t.Errorf("what was answered was escalated: %+v", m.pager.list)
	}
}

// An alarm is escalated as long as it stands.
func TestAlarm(t *testing.T) {
	t.Parallel()
	for _, ends := range []bool{false, true} {
		m := newMessages(t)
		a := dera.Alarm{Key: "k", Severity: dera.High, Title: "the queue is silent", Why: "for a day", Since: m.clock.Now()}
		m.commit(store.Batch{Alarm: &a, Records: []dera.AuditRecord{{Version: 1, Kind: dera.RecordAlarm, Time: m.clock.Now(), Severity: "high", Alarm: &a, Why: "x"}}})
		if ends {
			m.commit(store.Batch{AlarmEnded: "k"})
		}
		m.later(5 * time.Hour)
		if got := m.chat.list[0]; got.What != sink.WhatAlarm || got.Title != a.Title || got.Why != a.Why || got.Alarm != "k" {
			t.Errorf("the message is %+v", got)
		}
		if (len(m.pager.list) == 1) == ends {
			t.Errorf("ended %t: escalated %d times", ends, len(m.pager.list))
		}
	}
}

// Each kind of record is a message or none; one of a kind that is new is heard of.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		record dera.AuditRecord
		state  dera.State // of the remediation
		want   string
	}{
		{dera.AuditRecord{Kind: dera.RecordOutcome, State: dera.Resolved}, dera.Resolved, sink.WhatFixed},
		{dera.AuditRecord{Kind: dera.RecordOutcome, State: dera.Collateral}, dera.Collateral, sink.WhatFixed},
		{dera.AuditRecord{Kind: dera.RecordOutcome, State: dera.Failed}, dera.Failed, sink.WhatFailed},
		{dera.AuditRecord{Kind: dera.RecordRollback, State: dera.UndoFailed}, dera.UndoFailed, sink.WhatFailed},
		{dera.AuditRecord{Kind: dera.RecordRollback, State: dera.RolledBack}, dera.RolledBack, sink.WhatRolledBack},
		{dera.AuditRecord{Kind: dera.RecordOutcome, State: dera.Superseded}, dera.Superseded, ""},
		{dera.AuditRecord{Kind: dera.RecordOutcome, State: dera.Expired}, dera.Expired, sink.WhatExpired},
		{dera.AuditRecord{Kind: dera.RecordRejection, State: dera.Rejected}, dera.Rejected, sink.WhatRejected},
		{dera.AuditRecord{Kind: dera.RecordApproval, State: dera.Ready}, dera.Ready, sink.WhatDecided},
		{dera.AuditRecord{Kind: dera.RecordIntent}, dera.Applying, ""},
		{dera.AuditRecord{Kind: dera.RecordResult}, dera.Applying, ""},
		{dera.AuditRecord{Kind: dera.RecordStart}, dera.Ready, ""},
		{dera.AuditRecord{Kind: dera.RecordStop}, dera.Ready, sink.WhatStop},
		{dera.AuditRecord{Kind: dera.RecordResume}, dera.Ready, sink.WhatStop},
		{dera.AuditRecord{Kind: dera.RecordFinding, Why: "resolved: SSH is open"}, dera.Ready, sink.WhatResolved},
		{dera.AuditRecord{Kind: dera.RecordFinding, Why: "open: x", Decision: &dera.Decision{Disposition: dera.Alert, Mode: dera.Enforce}}, dera.Ready, sink.WhatFinding},
		{dera.AuditRecord{Kind: dera.RecordFinding, Why: "open: x", Decision: &dera.Decision{Disposition: dera.Exempt, Mode: dera.Enforce}}, dera.Ready, sink.WhatExempt},
		{dera.AuditRecord{Kind: "something new", Why: "x"}, dera.Ready, sink.WhatAlarm},
		{dera.AuditRecord{Kind: dera.RecordDenial, Denial: &dera.Denial{Remediation: "r-1", Principal: "arn:aws:iam::111122223333:role/app", Actions: []string{"s3:GetObject"}, Events: []string{"e"}, Cause: dera.CauseRemoved}}, dera.Resolved, sink.WhatDenied},
	} {
		m := newMessages(t)
		b := m.decided(tt.state)
		tt.record.Version, tt.record.Time, tt.record.Findings, tt.record.Remediation = 1, m.clock.Now(), []string{"f-1"}, "r-1"
		b.Records = []dera.AuditRecord{tt.record}
		m.commit(b)
		got := ""
		if len(m.chat.list) > 0 {
			got = m.chat.list[0].What
			if m.chat.list[0].Title == "" || m.chat.list[0].Record != 0 && m.chat.list[0].ID == "" {
				t.Errorf("%s: the message says nothing: %+v", tt.record.Kind, m.chat.list[0])
			}
		}
		if got != tt.want {
			t.Errorf("%s of a remediation that is %s: got %q, want %q", tt.record.Kind, tt.state, got, tt.want)
		}
		if tt.want == sink.WhatDenied && !strings.Contains(strings.Join(m.chat.list[0].Commands, "\n"), "--for 8h") {
			t.Errorf("no way to get it back: %q", m.chat.list[0].Commands)
		}
	}
}

// The end of a stop is another message than the stop, and is told to be one.
func TestStopAndResume(t *testing.T) {
	t.Parallel()
	m := newMessages(t)
	for _, kind := range []dera.RecordKind{dera.RecordStop, dera.RecordResume} {
		m.commit(store.Batch{Records: []dera.AuditRecord{{Version: 1, Kind: kind, Time: m.clock.Now(), Account: "111122223333", Why: "in account 111122223333: an incident"}}})
	}
	m.later(time.Minute)
	if len(m.chat.list) != 2 {
		t.Fatalf("got %+v", m.chat.list)
	}
	stop, resume := m.chat.list[0], m.chat.list[1]
	if stop.Title == resume.Title || stop.Ended || !resume.Ended || stop.Alarm != resume.Alarm || stop.Alarm == "" || !strings.Contains(resume.Title, "lifted") {
		t.Errorf("got %+v and %+v", stop, resume)
	}
}

// A record that cannot be read is heard of, and holds up no other.
func TestUnreadableRecord(t *testing.T) {
	t.Parallel()
	m := newMessages(t)
	m.record(2)
	m.box.cfg.Store = torn{m.store}
	m.post()
	if _, err := m.box.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(m.chat.list) != 2 || m.chat.list[0].What != sink.WhatAlarm || m.chat.list[1].What != sink.WhatStop {
		t.Errorf("got %+v, want an alarm and the other record", m.chat.list)
	}
}

// torn has a first record that cannot be read.
type torn struct{ *store.Store }

func (s torn) Leaves(ctx context.Context, from, n int64) ([][]byte, error) {
	list, err := s.Store.Leaves(ctx, from, n)
	if len(list) > 0 && from == 0 {
		list[0] = []byte("{")
	}
	return list, err
}

// No text of a policy leaves in a message.
func TestNoPolicyText(t *testing.T) {
	t.Parallel()
	m := newMessages(t)
	b := m.decided(dera.Waiting)
	b.Records[0].Diff = []string{"- \"Principal\": \"*\"", "+ \"Sid\": \"token-123\""}
	m.commit(b)
	if got := m.chat.list[0].Diff; len(got) != 1 || strings.Contains(got[0], "token") {
		t.Errorf("the diff is %q", got)
	}
}
