package securityhub

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/sink"
	"dera.example/dera/store"
)

var begin = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

const group = "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1"

// fakeHub is Security Hub with one finding, by its API. Each update that it takes comes back as an
// event, and one that it refuses changes nothing.
type fakeHub struct {
	findings map[string]map[string]any
	refuse   []string // error codes of the next updates
	echoes   []map[string]any
	imported []ASFF
	calls    int
}

func (h *fakeHub) Call(_ context.Context, operation, _, _ string, in, out any, _ bool) error {
	h.calls++
	text, _ := json.Marshal(in)
	var ask map[string]any
	_ = json.Unmarshal(text, &ask)
	answer := map[string]any{}
	switch operation {
	case "GetFindings", "GetFindingsV2":
		var list []any
		for _, f := range h.findings {
			if strings.Contains(string(text), fmt.Sprint(f["resource"])) && (f["v2"] == true) == (operation == "GetFindingsV2") {
				list = append(list, f)
			}
		}
		answer["Findings"] = list
	case "BatchUpdateFindings":
		for _, id := range ask["FindingIdentifiers"].([]any) {
			name := id.(map[string]any)["Id"].(string)
			if len(h.refuse) > 0 {
				answer["UnprocessedFindings"] = []any{map[string]any{"ErrorCode": h.refuse[0], "ErrorMessage": "no"}}
				h.refuse = h.refuse[1:]
				continue
			}
			f := h.findings[name]
			for _, k := range []string{"Workflow", "UserDefinedFields"} {
				if ask[k] != nil {
					f[k] = ask[k]
				}
			}
			if note, ok := ask["Note"].(map[string]any); ok {
				f["Note"] = map[string]any{"Text": note["Text"], "UpdatedBy": note["UpdatedBy"]}
			}
			h.echoes = append(h.echoes, f)
		}
	case "BatchUpdateFindingsV2":
		for _, id := range ask["FindingIdentifiers"].([]any) {
			f := h.findings[id.(map[string]any)["FindingInfoUid"].(string)]
			if ask["StatusId"] != nil {
				f["status_id"] = ask["StatusId"]
			}
			if ask["Comment"] != nil {
				f["comment"] = ask["Comment"]
			}
		}
	case "BatchImportFindings":
		list, _ := json.Marshal(ask["Findings"])
		var got []ASFF
		_ = json.Unmarshal(list, &got)
		h.imported = append(h.imported, got...)
	}
	text, _ = json.Marshal(answer)
	return json.Unmarshal(text, out)
}

func (h *fakeHub) workflow(id string) string {
	w, _ := h.findings[id]["Workflow"].(map[string]any)
	return fmt.Sprint(w["Status"])
}

// told is what dera knows.
type told struct {
	finding     dera.Finding
	more        []dera.Finding
	remediation dera.Remediation
}

func (s *told) Finding(_ context.Context, id string) (dera.Finding, error) {
	if id != s.finding.ID {
		return dera.Finding{}, store.ErrNotFound
	}
	return s.finding, nil
}
func (s *told) FindingsOf(context.Context, string) ([]dera.Finding, error) {
	return append([]dera.Finding{s.finding}, s.more...), nil
}
func (s *told) Remediation(_ context.Context, id string) (dera.Remediation, error) {
	if id != s.remediation.ID {
		return dera.Remediation{}, store.ErrNotFound
	}
	return s.remediation, nil
}

type fixture struct {
	*testing.T
	hub   *fakeHub
	ours  *told
	write Writer
	now   time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, now: begin.Add(time.Minute), hub: &fakeHub{findings: map[string]map[string]any{}}}
	f.ours = &told{
		finding: dera.Finding{
			ID: "f-1", Control: "ec2-open", Partition: "aws", Account: "111122223333", Region: "us-east-1", Resource: group, ResourceType: "AWS::EC2::SecurityGroup",
			Severity: dera.High, Title: "SSH is open", State: dera.FindingResolved, FirstSeen: begin, LastSeen: begin,
		},
		remediation: dera.Remediation{ID: "r-1", State: dera.Resolved},
	}
	f.write = Writer{
		API: Remote{Hub: func(Place) Caller { return f.hub }, V1: true, V2: true}, Store: f.ours, WriteBack: true, Now: func() time.Time { return f.now },
		At:      func(f dera.Finding) Place { return Place{f.Account, f.Region} },
		Aliases: func(string) []string { return []string{"EC2.13", "EC2.19"} },
	}
	f.theirs("a", group, "EC2.13")
	return f
}

// theirs adds a finding of Security Hub that fails.
func (f *fixture) theirs(id, resource, control string) map[string]any {
	x := map[string]any{
		"Id": id, "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/securityhub", "resource": resource, "Region": "us-east-1",
		"Compliance": map[string]any{"Status": "FAILED", "SecurityControlId": control}, "Workflow": map[string]any{"Status": "NEW"}, "RecordState": "ACTIVE",
		"LastObservedAt": begin.Add(-time.Hour).Format(time.RFC3339),
	}
	f.hub.findings[id] = x
	return x
}

func (f *fixture) passes(id, status string) {
	f.hub.findings[id]["Compliance"] = map[string]any{"Status": status, "SecurityControlId": "EC2.13"}
	f.hub.findings[id]["LastObservedAt"] = f.now.Format(time.RFC3339)
}

func (f *fixture) send(what string) error {
	f.Helper()
	return f.write.Send(f.Context(), []sink.Message{{What: what, At: begin, Findings: []string{"f-1"}, Remediation: f.ours.remediation.ID, Record: 7}})
}

// again sends what must be called once more.
func (f *fixture) again(what string) {
	f.Helper()
	if err := f.send(what); err == nil {
		f.Fatal("it is over before Security Hub looked again")
	} else if _, ok := sink.AgainAfter(err); !ok {
		f.Fatal(err)
	}
}

func (f *fixture) done(what string) {
	f.Helper()
	if err := f.send(what); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) want(id, workflow string) {
	f.Helper()
	if got := f.hub.workflow(id); got != workflow {
		f.Errorf("finding %s is %s, want %s", id, got, workflow)
	}
}

// A finding is NOTIFIED at the fix and RESOLVED only when Security Hub sees it too: one that is
// resolved while it fails stays hidden for ever.
func TestFixed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.again(sink.WhatFixed)
	f.want("a", "NOTIFIED")
	note := f.hub.findings["a"]["Note"].(map[string]any)
	if note["UpdatedBy"] != dera.NoteAuthor || !strings.Contains(note["Text"].(string), "record 7 ") || !strings.Contains(note["Text"].(string), "r-1") {
		t.Errorf("the note is %v", note)
	}
	before := len(f.hub.echoes)
	f.again(sink.WhatFixed) // the same message again changes nothing
	if len(f.hub.echoes) != before {
		t.Error("it was written again")
	}
	f.now = f.now.Add(2 * time.Hour)
	f.passes("a", "FAILED")
	f.again(sink.WhatFixed)
	f.want("a", "NOTIFIED")
	if text := f.hub.findings["a"]["Note"].(map[string]any)["Text"].(string); !strings.Contains(text, "still failing for Security Hub") {
		t.Errorf("the note does not say that it fails for them: %s", text)
	}
	f.now = f.now.Add(time.Hour)
	f.passes("a", "PASSED")
	f.done(sink.WhatFixed)
	f.want("a", "RESOLVED")
	f.done(sink.WhatFixed)
	f.want("a", "RESOLVED")
}

// A PASSED that is older than the fix confirms nothing.
func TestPassedBefore(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.passes("a", "PASSED")
	f.hub.findings["a"]["LastObservedAt"] = begin.Add(-time.Hour).Format(time.RFC3339)
	f.again(sink.WhatFixed)
	f.want("a", "NOTIFIED")
}

func TestArchived(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.hub.findings["a"]["RecordState"] = "ARCHIVED"
	f.done(sink.WhatFixed)
	f.want("a", "RESOLVED")
}

// What is rolled back is NEW again, where dera had set it; then a second fix counts.
func TestRolledBack(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ours.remediation.State = dera.RolledBack
	f.done(sink.WhatRolledBack)
	f.want("a", "NEW")
	if len(f.hub.echoes) > 0 {
		t.Error("something was written that nothing of ours preceded")
	}
	f.ours.remediation.State = dera.Resolved
	f.again(sink.WhatFixed)
	f.ours.remediation.State, f.ours.finding.State = dera.RolledBack, dera.FindingOpen
	f.done(sink.WhatRolledBack)
	f.want("a", "NEW")
	f.ours.remediation = dera.Remediation{ID: "r-2", State: dera.Resolved}
	f.ours.finding.State = dera.FindingResolved
	f.again(sink.WhatFixed)
	f.want("a", "NOTIFIED")
}

// A message about a fix that is over by now says what is, not what was.
func TestOldMessage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ours.remediation.State, f.ours.finding.State = dera.RolledBack, dera.FindingOpen
	f.done(sink.WhatFixed)
	f.want("a", "NEW")
	f.ours.remediation.State = dera.Resolved // and it fails again, by another port
	f.ours.more = []dera.Finding{{ID: "f-2", Control: "ec2-open", State: dera.FindingOpen}}
	f.ours.finding.State = dera.FindingResolved
	f.done(sink.WhatFixed)
	f.want("a", "NEW")
}

// What fails again before Security Hub confirmed the fix is not said to be fixed any more; that of
// a later fix stays.
func TestFailsAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.again(sink.WhatFixed)
	f.ours.finding.State = dera.FindingOpen
	f.done(sink.WhatFixed)
	f.want("a", "NEW")
	if note := f.hub.findings["a"]["Note"].(map[string]any); !strings.Contains(fmt.Sprint(note["Text"]), "fails again") {
		t.Errorf("the note is %v", note)
	}
	f.ours.finding.State, f.ours.remediation.ID = dera.FindingResolved, "r-2"
	f.again(sink.WhatFixed)
	f.want("a", "NOTIFIED")
	f.ours.finding.State, f.ours.remediation.ID = dera.FindingOpen, "r-1"
	f.done(sink.WhatFixed) // the message of the first one comes late
	f.want("a", "NOTIFIED")
}

// One finding that is refused for good makes nothing else a dead letter.
func TestRefusedBesideConflict(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.theirs("b", group, "EC2.19")["UserDefinedFields"] = map[string]any{"team": "x"} // another update
	f.hub.refuse = []string{"InvalidInput", "ConcurrentUpdateError"}
	if err := f.send(sink.WhatFixed); err == nil || sink.Permanent(err) {
		t.Errorf("got %v, want an error that may pass", err)
	}
}

// What a person set stays: the status, and the note.
func TestPersons(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"NOTIFIED", "SUPPRESSED", "RESOLVED"} {
		f := newFixture(t)
		f.hub.findings["a"]["Workflow"] = map[string]any{"Status": status}
		f.done(sink.WhatFixed)
		f.want("a", status)
	}
	f := newFixture(t)
	f.again(sink.WhatFixed)
	f.hub.findings["a"]["Workflow"] = map[string]any{"Status": "SUPPRESSED"}
	f.ours.remediation.State = dera.RolledBack
	f.done(sink.WhatRolledBack)
	f.want("a", "SUPPRESSED")

	f = newFixture(t)
	f.hub.findings["a"]["Note"] = map[string]any{"Text": "ours, see TICKET-1", "UpdatedBy": "alice"}
	f.hub.findings["a"]["UserDefinedFields"] = map[string]any{"team": "payments"}
	f.again(sink.WhatFixed)
	f.want("a", "NOTIFIED")
	if note := f.hub.findings["a"]["Note"].(map[string]any); note["UpdatedBy"] != "alice" {
		t.Errorf("the note of a person was replaced: %v", note)
	}
	if fields := f.hub.findings["a"]["UserDefinedFields"].(map[string]any); fields["team"] != "payments" || fields[fieldStatus] != Notified {
		t.Errorf("the fields are %v", fields)
	}
}

// After PASSED and FAILED again Security Hub opens it itself; only another fix of dera sets it.
func TestReopened(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.passes("a", "PASSED")
	f.done(sink.WhatFixed)
	f.want("a", "RESOLVED")
	f.passes("a", "FAILED")
	f.hub.findings["a"]["Workflow"] = map[string]any{"Status": "NEW"}
	f.done(sink.WhatFixed)
	f.want("a", "NEW")
	f.ours.remediation.ID = "r-2"
	f.again(sink.WhatFixed)
	f.want("a", "NOTIFIED")
}

// An exemption expires: it is noted, and suppresses nothing.
func TestExempt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ours.finding.State, f.ours.finding.Disposition = dera.FindingOpen, dera.Exempt
	f.ours.finding.Reasons = []dera.Reason{{Guardrail: "exemption", Disposition: dera.Exempt, Why: "bastion, until 2027-01-01"}}
	f.done(sink.WhatExempt)
	f.want("a", "NEW")
	if note, _ := f.hub.findings["a"]["Note"].(map[string]any); !strings.Contains(fmt.Sprint(note["Text"]), "2027-01-01") {
		t.Errorf("the note is %v", note)
	}
}
