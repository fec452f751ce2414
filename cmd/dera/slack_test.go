package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/awssim"
	"dera.example/dera/sink"
)

const testSigning = "8f742231b10e8888abcd99yyyzzz85a5"

// freeAddress is an address of this machine on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// slackRun is dera run with a message about a waiting plan in a Slack that is not one.
type slackRun struct {
	*controllerRun
	t       *testing.T
	slack   *fakeSlack
	address string
	cloud   *awssim.Cloud
	group   string
	plan    dera.Remediation
	message string // as it was posted
}

func startSlack(t *testing.T) *slackRun {
	t.Helper()
	s := &slackRun{t: t, slack: newFakeSlack(t), address: freeAddress(t), cloud: awssim.New(awssim.Config{Seed: 21})}
	account := s.cloud.Account("111122223333")
	s.group = openSSH(t, account.Region("us-east-1"), "web")
	serving(t, s.cloud, account.Credentials())
	t.Setenv("TEST_SLACK_TOKEN", "xoxb-of-the-test")
	t.Setenv("TEST_SLACK_SIGNING", testSigning)
	config := "notify: {sinks: [{name: chat, kind: slack, url: '" + s.slack.URL + "', channel: '#sec', token_env: TEST_SLACK_TOKEN}], default: chat}\n" +
		"listen: {address: '" + s.address + "', slack: {signing_secret_env: TEST_SLACK_SIGNING, workspaces: [T0HOME00], response_base: '" + s.slack.URL + "/actions/', users: {U012AB3CD: 'arn:aws:iam::111122223333:user/alice', U012AB3CE: 'arn:aws:iam::111122223333:user/bob'}}}\n"
	s.controllerRun = startConfigured(t, config, "--mode", "review", "--sweep", "1h")
	s.eventually(t, "it listens", func() bool { return strings.Contains(s.errOut.String(), "dera listens") })
	id := ""
	s.eventually(t, "a plan waits", func() bool {
		m := regexp.MustCompile(`waiting (r-[0-9a-f]{20}) .*` + s.group).FindStringSubmatch(s.out.String())
		if m != nil {
			id = m[1]
		}
		return m != nil
	})
	out, errOut, _ := said(t, "show", id, "-o", "json", "--data", s.data)
	var v struct {
		Remediation dera.Remediation
		Findings    []app.FindingView
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.Remediation.Digest == "" {
		t.Fatalf("show %s: %v\n%s%s", id, err, out, errOut)
	}
	s.plan = v.Remediation
	cfg, err := loadConfig(strings.TrimSuffix(s.data, "data") + "config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sinks, err := (&session{app: &cli{now: time.Now}, config: cfg}).sinks()
	if err != nil {
		t.Fatal(err)
	}
	m := sink.Message{ID: "m-1", What: sink.WhatWaiting, At: time.Now(), Severity: s.plan.Severity, Title: "SSH is open", Remediation: id, Digest: s.plan.Digest, State: s.plan.State}
	if err := sinks["chat"].Send(t.Context(), []sink.Message{m}); err != nil {
		t.Fatal(err)
	}
	s.message = s.slack.posted("/chat.postMessage")[0]
	return s
}

// click is a click on a button of the message by a Slack user: the status of the answer,
// and what it says in Slack.
func (s *slackRun) click(user, action, trigger string, change func(value string) string) (int, string) {
	s.t.Helper()
	var posted struct {
		Blocks []map[string]any `json:"blocks"`
	}
	if err := json.Unmarshal([]byte(s.message), &posted); err != nil {
		s.t.Fatal(err)
	}
	value := ""
	for _, b := range posted.Blocks {
		list, _ := b["elements"].([]any)
		for _, e := range list {
			if button, _ := e.(map[string]any); button["action_id"] == action {
				value, _ = button["value"].(string)
			}
		}
	}
	if value == "" {
		s.t.Fatalf("no button %s in %s", action, s.message)
	}
	if change != nil {
		value = change(value)
	}
	path := "/actions/" + trigger
	payload, err := json.Marshal(map[string]any{
		"type": "block_actions", "trigger_id": trigger, "team": map[string]string{"id": "T0HOME00"}, "user": map[string]string{"id": user, "team_id": "T0HOME00"}, "response_url": s.slack.URL + path,
		"message": map[string]any{"blocks": posted.Blocks}, "actions": []any{map[string]string{"action_id": action, "value": value}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.send(url.Values{"payload": {string(payload)}}.Encode(), path)
}

func (s *slackRun) send(body, path string) (int, string) {
	s.t.Helper()
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://"+s.address+"/slack/actions", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", sink.SlackSignature(testSigning, stamp, []byte(body)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, strings.Join(s.slack.posted(path), "\n")
}

// open reports whether the group is open to the internet.
func (s *slackRun) open() bool {
	g, ok := s.cloud.Snapshot().Group(s.group)
	return ok && slices.ContainsFunc(g.Rules, func(r awssim.Rule) bool { return r.FromPort == 22 && r.CIDR == "0.0.0.0/0" })
}

// TestSlackApproves: a plan waits, a message has its buttons, a click approves it under the
// name that the configuration gives, dera fixes it, and the message says so. Who is not
// named, a plan that is another one, and a second click approve nothing.
func TestSlackApproves(t *testing.T) {
	s := startSlack(t)
	if code, text := s.click("U0EVIL000", sink.ActionApprove, "1", nil); code != 200 || !strings.Contains(text, "does not know who you are") || strings.Contains(text, `"replace_original":true`) {
		t.Errorf("an unknown user: got %d, %s", code, text)
	}
	other := func(v string) string { return strings.Replace(v, s.plan.Digest[:12], "000000000000", 1) }
	if code, text := s.click("U012AB3CD", sink.ActionApprove, "2", other); code != 200 || !strings.Contains(text, "the digest is not that of the plan") || !strings.Contains(text, s.plan.Digest[:12]) {
		t.Errorf("another plan: got %d, %s", code, text)
	}
	none := func(v string) string { return strings.Replace(v, s.plan.ID, "r-00000000000000000000", 1) }
	if code, text := s.click("U012AB3CD", sink.ActionApprove, "3", none); code != 200 || !strings.Contains(text, "no such remediation") {
		t.Errorf("no plan: got %d, %s", code, text)
	}
	if !s.open() {
		t.Fatal("it is fixed before anybody approved it")
	}
	code, text := s.click("U012AB3CD", sink.ActionApprove, "4", nil)
	if code != 200 || !strings.Contains(text, "Approved by arn:aws:iam::111122223333:user/alice") || !strings.Contains(text, `"replace_original":true`) || strings.Contains(text, "dera_approve") {
		t.Errorf("the click: got %d, %s", code, text)
	}
	s.eventually(t, "it is fixed", func() bool { return !s.open() && strings.Contains(s.out.String(), "resolved") })
	if code, text := s.click("U012AB3CE", sink.ActionReject, "5", nil); code != 200 || !strings.Contains(text, "Not done") || !strings.Contains(text, "resolved") {
		t.Errorf("a click after it: got %d, %s", code, text)
	}
	out, _, _ := said(t, "show", s.plan.ID, "-o", "json", "--data", s.data)
	var v struct{ Remediation dera.Remediation }
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.Remediation.Approval == nil || v.Remediation.Approval.HowEstablished != "slack" || v.Remediation.Approval.Approver != "arn:aws:iam::111122223333:user/alice" {
		t.Errorf("recorded: got %v, %+v", err, v.Remediation.Approval)
	}
	s.stop(t)
	if all := s.out.String() + s.errOut.String(); strings.Contains(all, "xoxb") || strings.Contains(all, testSigning) {
		t.Error("a secret is in the log")
	}
}

// TestSlackClicksTwice: the same request again is refused, and two people who click at the
// same time are one answer.
func TestSlackClicksTwice(t *testing.T) {
	s := startSlack(t)
	type answer struct {
		code int
		text string
	}
	answers := make(chan answer, 4)
	for i := range 4 {
		go func() {
			code, text := s.click([]string{"U012AB3CD", "U012AB3CE"}[i%2], sink.ActionReject, fmt.Sprint("r", i), nil)
			answers <- answer{code, text}
		}()
	}
	rejected := 0
	for range 4 {
		a := <-answers
		if a.code != 200 || a.text == "" {
			t.Errorf("got %d, %s", a.code, a.text)
		}
		if strings.Contains(a.text, "Rejected by") {
			rejected++
		}
	}
	if rejected != 1 || !s.open() {
		t.Errorf("got %d rejections, want one; open %t", rejected, s.open())
	}
	s.stop(t)
}

// TestListen: what is not asked for is not there, and the health says what it is.
func TestListen(t *testing.T) {
	s := startSlack(t)
	for path, want := range map[string]int{"GET /healthz": 200, "GET /readyz": 200, "GET /metrics": 404, "POST /healthz": 405, "GET /slack/actions": 405, "POST /hooks/events": 404, "GET /": 404, "POST /slack/actions": 415} {
		method, path, _ := strings.Cut(path, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.address+path, bytes.NewReader(nil))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s %s: got %d, want %d", method, path, resp.StatusCode, want)
		}
	}
	c, err := net.Dial("tcp", s.address) // one that says nothing does not hold up the end
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s.stop(t)
}
