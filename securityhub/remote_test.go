package securityhub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/sink"
)

// With consolidated findings off each standard has a finding; other controls, accounts' other
// regions and other resources are left alone.
func TestWhichFindings(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	cis := f.theirs("b", group, "")
	cis["GeneratorId"] = "aws-foundational-security-best-practices/v/1.0.0/EC2.19"
	f.theirs("c", group, "EC2.2")
	f.theirs("d", "AWS::::Account:111122223333", "EC2.13")["Region"] = "eu-west-1"
	f.again(sink.WhatFixed)
	for id, want := range map[string]string{"a": "NOTIFIED", "b": "NOTIFIED", "c": "NEW", "d": "NEW"} {
		f.want(id, want)
	}
}

// What is not processed is tried again where it may pass, is dead where it never will, and done
// where the finding is not there.
func TestUnprocessed(t *testing.T) {
	t.Parallel()
	for code, check := range map[string]func(error) bool{
		"ConcurrentUpdateError": func(err error) bool { return err != nil && !sink.Permanent(err) },
		"InternalException":     func(err error) bool { return err != nil && !sink.Permanent(err) },
		"InvalidInput":          sink.Permanent,
		"FindingNotFound":       func(err error) bool { _, again := sink.AgainAfter(err); return again },
	} {
		f := newFixture(t)
		f.hub.refuse = []string{code}
		if err := f.send(sink.WhatFixed); !check(err) {
			t.Errorf("%s: %v", code, err)
		}
		if code == "ConcurrentUpdateError" {
			f.again(sink.WhatFixed)
			f.want("a", "NOTIFIED")
		}
	}
}

// Security Hub V2 has a comment and a status alone.
func TestSecond(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	delete(f.hub.findings, "a")
	v2 := func() map[string]any {
		return map[string]any{
			"v2": true, "resource": group, "status_id": 1, "cloud": map[string]any{"region": "us-east-1"},
			"finding_info": map[string]any{"uid": "v", "modified_time_dt": begin.Add(-time.Hour)}, "metadata": map[string]any{"product": map[string]any{"uid": "p"}},
			"compliance": map[string]any{"control": "EC2.13", "status_id": 3},
		}
	}
	f.hub.findings["v"] = v2()
	status := func(want int, when string) {
		t.Helper()
		if got := fmt.Sprint(f.hub.findings["v"]["status_id"]); got != fmt.Sprint(want) {
			t.Errorf("%s: status %s, want %d", when, got, want)
		}
	}
	f.again(sink.WhatFixed)
	status(2, "fixed")
	if at, own := dera.CommentTime(fmt.Sprint(f.hub.findings["v"]["comment"])); !own || !at.Equal(f.now) {
		t.Errorf("the comment is %q", f.hub.findings["v"]["comment"])
	}
	calls := f.hub.calls
	f.again(sink.WhatFixed)
	if f.hub.calls != calls+4 {
		t.Errorf("%d calls, want the 4 reads and no write", f.hub.calls-calls)
	}
	f.hub.findings["v"]["compliance"] = map[string]any{"control": "EC2.13", "status_id": 1}
	f.hub.findings["v"]["finding_info"] = map[string]any{"uid": "v", "modified_time_dt": f.now}
	f.done(sink.WhatFixed)
	status(4, "passed")

	f.hub.findings["v"] = v2()
	f.again(sink.WhatFixed)
	f.ours.remediation.State, f.ours.finding.State = dera.RolledBack, dera.FindingOpen
	f.done(sink.WhatRolledBack)
	status(1, "rolled back")

	f = newFixture(t)
	delete(f.hub.findings, "a")
	f.hub.findings["v"] = v2()
	f.again(sink.WhatFixed)
	f.hub.findings["v"]["status_id"] = 4 // by a person, without a comment
	f.done(sink.WhatFixed)
	status(4, "set by a person")

	f = newFixture(t)
	f.hub.findings["v"] = v2()
	f.hub.findings["v"]["comment"] = "seen, TICKET-2"
	delete(f.hub.findings, "a")
	f.done(sink.WhatFixed)
	if f.hub.findings["v"]["comment"] != "seen, TICKET-2" {
		t.Error("the comment of a person was replaced")
	}
}

// Our own findings are imported as they stand, whatever the message says.
func TestImport(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write.WriteBack = false
	f.write.Describe = func(x dera.Finding) Finding { return Finding{Finding: x, Fix: "close it"} }
	f.done(sink.WhatFinding)
	if len(f.hub.imported) != 1 || f.hub.imported[0].RecordState != "ARCHIVED" || f.hub.imported[0].GeneratorID != dera.GeneratorPrefix+"ec2-open" {
		t.Errorf("imported: %+v", f.hub.imported)
	}
	if err := f.write.Send(t.Context(), []sink.Message{{What: sink.WhatAlarm}, {What: sink.WhatFinding, Findings: []string{"f-9"}}}); err != nil {
		t.Error(err)
	}
}

// A failed read is an error, and nothing is written.
func TestReadFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write.API = Remote{Hub: func(Place) Caller { return failing{} }, V1: true}
	if err := f.send(sink.WhatFixed); err == nil || sink.Permanent(err) {
		t.Errorf("got %v, want an error that may pass", err)
	}
}

type failing struct{}

func (failing) Call(context.Context, string, string, string, any, any, bool) error {
	return errors.New("throttled")
}

// crowded has more findings on the account than are read, and one on the resource.
type crowded struct{ alone bool }

func (c crowded) Call(_ context.Context, _, _, _ string, in, out any, _ bool) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer := `{"Findings":[]}`
	switch {
	case strings.Contains(string(text), "AWS::::Account"):
		answer = `{"Findings":[],"NextToken":"more"}`
	case !c.alone:
		answer = `{"Findings":[{"Id":"a","Workflow":{"Status":"NEW"},"Compliance":{"SecurityControlId":"EC2.13"}}]}`
	}
	return json.Unmarshal([]byte(answer), out)
}

// TestManyOfAccount: an account with more findings than are read, as where those of many regions are together, keeps
// nobody from setting the one on the resource; where there is none on it, that is no success.
func TestManyOfAccount(t *testing.T) {
	t.Parallel()
	for _, alone := range []bool{false, true} {
		r := Remote{Hub: func(Place) Caller { return crowded{alone} }, V1: true}
		got, err := r.Findings(t.Context(), Place{}, "111122223333", group)
		if (err != nil) != alone || len(got) != map[bool]int{false: 1}[alone] {
			t.Errorf("alone %t: got %v, %v", alone, got, err)
		}
	}
}
