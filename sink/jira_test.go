package sink

import (
	"net/http/httptest"
	"slices"
	"testing"
)

// TestJiraAgain: an issue is done when all of its findings are, and what fails again after that is a new one.
func TestJiraAgain(t *testing.T) {
	t.Parallel()
	f := &fakeJira{comments: map[string][]string{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	j, err := NewJira(JiraConfig{URL: server.URL, Token: "t", Project: "SEC", Client: Client(nil), Now: fixed})
	if err != nil {
		t.Fatal(err)
	}
	send := func(id, what string, findings ...string) {
		t.Helper()
		m := sample()
		m.ID, m.What, m.Findings = id, what, findings
		for range 2 { // the answer to the first was lost
			if err := j.Send(t.Context(), []Message{m}); err != nil {
				t.Fatal(err)
			}
		}
	}
	send("m-1", WhatWaiting, "f-1", "f-2")
	send("m-2", WhatFixed, "f-1")
	if len(f.moved) > 0 {
		t.Error("the issue is done while one of its findings is open")
	}
	send("m-3", WhatFixed, "f-2")
	if len(f.moved) != 1 || len(f.issues) != 1 {
		t.Errorf("got %d issues, moved %q, want the one moved once", len(f.issues), f.moved)
	}
	send("m-1", WhatWaiting, "f-1", "f-2") // a crash brings all of them again
	if len(f.issues) != 1 {
		t.Errorf("got %d issues after a message came again", len(f.issues))
	}
	send("m-4", WhatFinding, "f-1")
	if len(f.issues) != 2 || f.issues[1].Fields.Status.Category.Key == "done" {
		t.Errorf("got %d issues, want a new one for what fails again", len(f.issues))
	}
	send("m-5", WhatResolved, "f-1")
	send("m-6", WhatFinding, "f-1")
	if len(f.issues) != 3 || len(f.moved) != 1 {
		t.Errorf("got %d issues, moved %q, want 3, and none moved that dera did not fix", len(f.issues), f.moved)
	}
}

// TestJiraAlarm: the end of an alarm moves its issue, and makes none.
func TestJiraAlarm(t *testing.T) {
	t.Parallel()
	f := &fakeJira{comments: map[string][]string{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	j, err := NewJira(JiraConfig{URL: server.URL, Token: "t", Project: "SEC", Client: Client(nil), Now: fixed})
	if err != nil {
		t.Fatal(err)
	}
	list := []Message{{ID: "m-1", What: WhatAlarm, Title: "silent", Alarm: "silent/sqs eu"}, {ID: "m-2", What: WhatAlarm, Title: "over: silent", Alarm: "silent/sqs eu", Ended: true}}
	if err := j.Send(t.Context(), list); err != nil || len(f.issues) != 1 || len(f.moved) != 1 {
		t.Errorf("got %v, %d issues, moved %q", err, len(f.issues), f.moved)
	}
}

// TestButtonActions: a button gives back each action of a call that needs several.
func TestButtonActions(t *testing.T) {
	t.Parallel()
	if got := (Button{Action: "s3:PutObject,kms:GenerateDataKey"}).Actions(); !slices.Equal(got, []string{"s3:PutObject", "kms:GenerateDataKey"}) {
		t.Errorf("got %q", got)
	}
}
