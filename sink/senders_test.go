package sink

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"dera.example/dera"
)

// hostile is a message whose texts somebody else chose.
func hostile() Message {
	m := sample()
	evil := "<!channel> <https://evil.example|click> *b* {noformat}[x|http://evil] \r\nBcc: all@example.com\u202e\x00`"
	m.Title, m.Why, m.Owner, m.Resource = evil, evil, evil, dera.ARN("arn:aws:s3:::"+evil)
	m.Diff = []string{strings.Repeat("```"+evil, 100)}
	for range 200 {
		m.Diff, m.Commands = append(m.Diff, strings.Repeat("&", 400)), append(m.Commands, evil)
	}
	m.Title += strings.Repeat("ü", 5000)
	m.Why += strings.Repeat("&", 5000)
	return m
}

// sentTo is what a good receiver gets of a send.
func sentTo(t *testing.T, kind string, list ...Message) []seen {
	t.Helper()
	of := httpSenders()[kind]
	r := &receiver{good: of.good}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	s, err := of.make(server.URL, Client(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	return r.all()
}

// TestWebhookSignature: the example of the specification, and a request that its receiver
// can check.
func TestWebhookSignature(t *testing.T) {
	t.Parallel()
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := WebhookSignature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`)), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got := sentTo(t, "webhook", sample())
	if len(got) != 1 {
		t.Fatalf("got %d requests", len(got))
	}
	h := got[0].header
	want := "v1," + WebhookSignature(key, h.Get("webhook-id"), h.Get("webhook-timestamp"), []byte(got[0].body))
	if h.Get("webhook-id") != "m-1" || h.Get("webhook-signature") != want || !strings.Contains(got[0].body, `"type":"dera.waiting"`) {
		t.Errorf("got %v\n%s", h, got[0].body)
	}
	if got := sentTo(t, "webhook", sample(), hostile()); !strings.Contains(got[0].body, `"type":"dera.digest"`) || !strings.HasPrefix(got[0].header.Get("webhook-id"), "digest-") {
		t.Errorf("digest: got %v\n%.300s", got[0].header, got[0].body)
	}
	for _, secret := range []string{"", "whsec_", "whsec_c2hvcnQ=", "not base64!"} {
		if _, err := NewWebhook(WebhookConfig{URL: "https://example.com", Secret: secret}); err == nil {
			t.Errorf("secret %q: got no error", secret)
		}
	}
}

// slackMessage is a request of chat.postMessage.
type slackMessage struct {
	Channel, Text string
	Blocks        []struct {
		Type string
		Text struct {
			Type, Text string
			Verbatim   bool
		}
		Elements []struct {
			Action string `json:"action_id"`
			Value  string
		}
	}
}

// TestSlackKeepsItsLimits: nothing that others wrote is formatted, and no message is too
// long for Slack.
func TestSlackKeepsItsLimits(t *testing.T) {
	t.Parallel()
	many := make([]Message, 200)
	for i := range many {
		many[i] = hostile()
	}
	for name, list := range map[string][]Message{"one": {hostile()}, "digest": many, "plain": {sample()}, "empty": {{ID: "m", What: WhatTest}}} {
		var got slackMessage
		if err := json.Unmarshal([]byte(sentTo(t, "slack", list...)[0].body), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Blocks) == 0 || len(got.Blocks) > 50 || strings.Contains(got.Text, "<!") {
			t.Errorf("%s: got %d blocks, text %.80q", name, len(got.Blocks), got.Text)
		}
		for _, b := range got.Blocks {
			text := b.Text.Text
			if utf8.RuneCountInString(text) > 3000 || b.Type == "header" && utf8.RuneCountInString(text) > 150 || b.Type != "actions" && text == "" {
				t.Errorf("%s: a %s has %d characters", name, b.Type, utf8.RuneCountInString(text))
			}
			if b.Text.Type == "mrkdwn" && (strings.Contains(text, "<!") || strings.Count(text, "```") != 2 || !b.Text.Verbatim) {
				t.Errorf("%s: text of others is formatted: %.200q", name, text)
			}
			if strings.Contains(text, "\u202e") {
				t.Errorf("%s: the order of characters is changed: %.80q", name, text)
			}
		}
	}
}

// TestSlackButtons: a plan that waits can be answered, a denied action asked back, and
// nothing else.
func TestSlackButtons(t *testing.T) {
	t.Parallel()
	denied := sample()
	denied.What, denied.State, denied.Principal, denied.Action = WhatDenied, dera.Resolved, "arn:aws:iam::111122223333:role/app", "s3:PutObject"
	byOther := denied
	byOther.Commands = nil
	done := sample()
	done.What, done.State = WhatFixed, dera.Resolved
	unbound := sample()
	unbound.Digest = ""
	for name, tt := range map[string]struct {
		m    Message
		want string
	}{
		"waiting": {sample(), "dera_approve dera_reject "}, "denied": {denied, "dera_give_back "}, "denied_by_another_policy": {byOther, ""}, "fixed": {done, ""}, "without_digest": {unbound, ""},
	} {
		var got slackMessage
		if err := json.Unmarshal([]byte(sentTo(t, "slack", tt.m)[0].body), &got); err != nil {
			t.Fatal(err)
		}
		actions := ""
		for _, b := range got.Blocks {
			for _, e := range b.Elements {
				actions += e.Action + " "
				var v Button
				if err := json.Unmarshal([]byte(e.Value), &v); err != nil || v.Remediation != "r-1" || e.Action != ActionGive && v.Digest != tt.m.Digest {
					t.Errorf("%s: value %s: %v", name, e.Value, err)
				}
			}
		}
		if actions != tt.want {
			t.Errorf("%s: got %q, want %q", name, actions, tt.want)
		}
	}
}

// TestSlackErrors: Slack says in the body what is wrong.
func TestSlackErrors(t *testing.T) {
	t.Parallel()
	for text, permanent := range map[string]bool{`{"ok":false,"error":"invalid_auth"}`: false, `{"ok":false,"error":"invalid_blocks"}`: true,
		`{"ok":false,"error":"ratelimited"}`: false, `{"ok":false}`: false, `<html>`: false, `{"ok":false,"error":"channel_not_found"}`: false, `{"ok":false,"error":"is_archived"}`: false} {
		s := &Slack{}
		err := s.answered([]byte(text))
		if _, waits := RetryAfter(err); err == nil || Permanent(err) != permanent || waits != strings.Contains(text, "ratelimited") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// TestPagerDuty: one incident for each finding, resolved by the fix.
func TestPagerDuty(t *testing.T) {
	t.Parallel()
	m := sample()
	m.Findings = []string{"f-1", "f-2"}
	fix := m
	fix.ID, fix.What = "m-2", WhatFixed
	alarm := Message{ID: "m-3", What: WhatAlarm, Title: "the queue is silent", Alarm: "silent/sqs"}
	over, resolved, exempt := alarm, m, m
	over.ID, over.Ended = "m-4", true
	resolved.ID, resolved.What, resolved.Findings = "m-5", WhatResolved, []string{"f-1"}
	exempt.ID, exempt.What, exempt.Findings = "m-6", WhatExempt, []string{"f-1"}
	want := []string{"trigger dera-f-1 error", "trigger dera-f-2 error", "resolve dera-f-1 error", "resolve dera-f-2 error", "trigger dera-alarm-silent/sqs error", "resolve dera-alarm-silent/sqs error",
		"resolve dera-f-1 error", "acknowledge dera-f-1 error"}
	for i, s := range sentTo(t, "pagerduty", m, fix, alarm, over, resolved, exempt) {
		var got struct {
			Action  string `json:"event_action"`
			Key     string `json:"dedup_key"`
			Payload struct{ Severity, Summary, Source string }
		}
		if err := json.Unmarshal([]byte(s.body), &got); err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(got.Action, " ", got.Key, " ", got.Payload.Severity); i >= len(want) || text != want[i] || got.Payload.Summary == "" || got.Payload.Source == "" {
			t.Errorf("event %d: got %q", i, s.body)
		}
	}
}

// fakeJira keeps issues.
type fakeJira struct {
	issues   []jiraIssue
	comments map[string][]string
	moved    []string
	failNext bool // after the next effect
}

func (f *fakeJira) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var body struct {
		Fields struct {
			Labels      []string
			Description string
		}
		Body   string
		Update struct {
			Labels []struct{ Add, Remove string }
		}
	}
	if req.Method != http.MethodGet {
		_ = json.NewDecoder(req.Body).Decode(&body)
	}
	var out any = map[string]any{}
	parts := strings.Split(req.URL.Path, "/")
	switch last := parts[len(parts)-1]; {
	case req.Method == http.MethodPut:
		for i := range f.issues {
			if f.issues[i].Key == last {
				for _, l := range body.Update.Labels {
					f.issues[i].Fields.Labels = slices.DeleteFunc(f.issues[i].Fields.Labels, func(x string) bool { return x == l.Remove || x == l.Add })
					if l.Add != "" {
						f.issues[i].Fields.Labels = append(f.issues[i].Fields.Labels, l.Add)
					}
				}
			}
		}
	case last == "jql":
		var found []jiraIssue
		for _, i := range f.issues {
			for _, l := range i.Fields.Labels {
				if strings.Contains(req.URL.Query().Get("jql"), `"`+l+`"`) {
					found = append(found, i)
					break
				}
			}
		}
		out = map[string]any{"issues": found}
	case last == "issue":
		i := jiraIssue{Key: fmt.Sprintf("SEC-%d", len(f.issues)+1)}
		i.Fields.Labels, i.Fields.Description = body.Fields.Labels, body.Fields.Description
		f.issues = append(f.issues, i)
	case last == "comment" && req.Method == http.MethodPost:
		f.comments[parts[len(parts)-2]] = append(f.comments[parts[len(parts)-2]], body.Body)
	case last == "comment":
		var list []map[string]string
		for _, c := range f.comments[parts[len(parts)-2]] {
			list = append(list, map[string]string{"body": c})
		}
		out = map[string]any{"comments": list}
	case last == "transitions" && req.Method == http.MethodPost:
		f.moved = append(f.moved, parts[len(parts)-2])
		for i := range f.issues {
			if f.issues[i].Key == parts[len(parts)-2] {
				f.issues[i].Fields.Status.Category.Key = "done"
			}
		}
	case last == "transitions":
		out = map[string]any{"transitions": []map[string]string{{"id": "31", "name": "done"}}}
	}
	if f.failNext && req.Method == http.MethodPost {
		f.failNext = false
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	_ = json.NewEncoder(w).Encode(out)
}

// TestJira: one issue for the findings, however often and in which messages they come;
// the fix is a comment and moves it. The hostile text stays text.
func TestJira(t *testing.T) {
	t.Parallel()
	f := &fakeJira{comments: map[string][]string{}, failNext: true}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	j, err := NewJira(JiraConfig{URL: server.URL, Token: "t", Project: "SEC", Client: Client(nil), Now: fixed})
	if err != nil {
		t.Fatal(err)
	}
	m, other, fix := hostile(), sample(), sample()
	other.ID, other.Findings = "m-2", []string{"f-1", "f-2"}
	fix.ID, fix.What = "m-3", WhatFixed
	unknown := fix
	unknown.ID, unknown.Findings = "m-4", []string{"f-9"}
	if err := j.Send(t.Context(), []Message{m}); err == nil {
		t.Error("the answer that was lost: got no error")
	}
	for range 2 {
		if err := j.Send(t.Context(), []Message{m, other, fix, unknown}); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.issues) != 2 || len(f.comments["SEC-1"]) != 2 || len(f.comments["SEC-2"]) != 0 || len(f.moved) == 0 || f.moved[0] != "SEC-1" {
		t.Errorf("got %d issues, comments %d and %d, moved %q; want 2, 2, 0, SEC-1", len(f.issues), len(f.comments["SEC-1"]), len(f.comments["SEC-2"]), f.moved)
	}
	for _, c := range f.comments["SEC-1"] {
		if strings.Count(c, "{noformat}") != 2 || strings.Contains(c, "\u202e") {
			t.Errorf("text of others is formatted: %.200q", c)
		}
	}
	evil := sample()
	evil.Findings = []string{`x") OR project = "HR`}
	r := &receiver{good: ok(`{"issues":[]}`)}
	s2 := httptest.NewServer(r)
	t.Cleanup(s2.Close)
	if j, err = NewJira(JiraConfig{URL: s2.URL, Project: "SEC", Client: Client(nil), Now: fixed}); err != nil {
		t.Fatal(err)
	}
	if err := j.Send(t.Context(), []Message{evil}); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(r.all()[0].path)
	if err != nil || strings.Count(u.Query().Get("jql"), `"`) != 6 || strings.Contains(u.Query().Get("jql"), "OR project") {
		t.Errorf("jql: got %s", u.Query().Get("jql"))
	}
}

// publisher keeps what is published.
type publisher struct {
	got []Publication
	err error
}

func (p *publisher) Publish(_ context.Context, x Publication) error {
	p.got = append(p.got, x)
	return p.err
}

func TestSNS(t *testing.T) {
	t.Parallel()
	p := &publisher{}
	big := hostile()
	big.Diff = []string{strings.Repeat("x", 300<<10)}
	if err := NewSNS("arn:aws:sns:eu-central-1:111122223333:alerts.fifo", p).Send(t.Context(), []Message{sample(), big}); err != nil {
		t.Fatal(err)
	}
	for _, x := range p.got {
		if len(x.Subject) > 99 || strings.ContainsAny(x.Subject, "\r\n") || len(x.Body) > 256<<10 || x.Attributes["severity"] != "high" || x.Attributes["account"] != "111122223333" || x.Deduplication != "m-1" || x.Group == "" {
			t.Errorf("got subject %q, %d bytes, attributes %v", x.Subject, len(x.Body), x.Attributes)
		}
		for _, c := range x.Subject {
			if c > '~' {
				t.Errorf("subject %q is not ASCII", x.Subject)
			}
		}
	}
	p.err = &PermanentError{errors.New("no such topic")}
	if err := NewSNS("arn:aws:sns:eu-central-1:111122223333:a", p).Send(t.Context(), []Message{sample()}); !Permanent(err) || len(p.got) != 3 || p.got[2].Group != "" {
		t.Errorf("got %v", err)
	}
}

// TestValidURL: who could read on the way gets nothing.
func TestValidURL(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{"https://a.example": true, "http://127.0.0.1:80/x": true, "http://[::1]:1": true, "http://localhost:1": true,
		"http://a.example": false, "https://u:p@a.example": false, "ftp://a.example": false, "": false, "a.example": false, "http://127.0.0.1.evil.example": false} {
		if err := validURL(text); (err == nil) != good {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
