package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"dera.example/dera/awssim"
)

// fakeSlack takes messages, and answers to clicks.
type fakeSlack struct {
	*httptest.Server
	mu    sync.Mutex
	posts map[string][]string // bodies by path
	auth  []string
}

func newFakeSlack(t *testing.T) *fakeSlack {
	t.Helper()
	f := &fakeSlack{posts: map[string][]string{}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.posts[r.URL.Path] = append(f.posts[r.URL.Path], string(body))
		f.auth = append(f.auth, r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, `{"ok":true}`)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeSlack) posted(path string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.posts[path]...)
}

// TestNotifyTest: each sink is tried, what came back is printed, and no secret is.
func TestNotifyTest(t *testing.T) {
	slack := newFakeSlack(t)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }))
	t.Cleanup(broken.Close)
	t.Setenv("TEST_SLACK_TOKEN", "xoxb-of-the-test")
	t.Setenv("TEST_HOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	dir := t.TempDir()
	good := "{name: chat, kind: slack, url: '" + slack.URL + "', channel: '#sec', token_env: TEST_SLACK_TOKEN}"
	bad := "{name: hook, kind: webhook, url: '" + broken.URL + "/secret-path', token_env: TEST_HOOK}"
	path := fileIn(t, dir, "dera.yaml", "version: 1\nnotify: {sinks: ["+good+", "+bad+"], default: chat, routes: [{severity: high, sinks: [chat], digest: daily}]}\n")
	out, errOut, code := said(t, "notify", "test", "--config", path, "--data", filepath.Join(dir, "data"))
	if code != exitNo || !strings.Contains(out, "chat: took it") || !strings.Contains(out, "hook: failed: ") || !strings.Contains(out, "404") || !strings.Contains(out, "would not be tried again") {
		t.Errorf("got %d\n%s%s", code, out, errOut)
	}
	if all := out + errOut; strings.Contains(all, "xoxb") || strings.Contains(all, "whsec") || strings.Contains(all, "secret-path") {
		t.Errorf("a secret is printed:\n%s", all)
	}
	if posts := slack.posted("/chat.postMessage"); len(posts) != 1 || !strings.Contains(posts[0], "A test of dera") || slack.auth[0] != "Bearer xoxb-of-the-test" {
		t.Errorf("got %q, %q", posts, slack.auth)
	}
	if out, _, code := said(t, "notify", "test", "chat", "--config", path, "--data", filepath.Join(dir, "data")); code != exitGood || strings.Contains(out, "hook") {
		t.Errorf("one: got %d\n%s", code, out)
	}
	if _, errOut, code := said(t, "notify", "test", "pager", "--config", path, "--data", filepath.Join(dir, "data")); code != exitUsage || !strings.Contains(errOut, "chat, hook") {
		t.Errorf("one that is not there: got %d\n%s", code, errOut)
	}
	t.Setenv("TEST_HOOK", "")
	if _, errOut, code := said(t, "notify", "test", "--config", path, "--data", filepath.Join(dir, "data")); code != exitNo || !strings.Contains(errOut, "TEST_HOOK is not set") {
		t.Errorf("a secret that is missing: got %d\n%s", code, errOut)
	}
	if out, _, code := said(t, "notify", "list", "--config", path, "--data", filepath.Join(dir, "data")); code != exitGood || !strings.Contains(out, "route 0: severity at least high to chat, as a digest of 24h0m0s") {
		t.Errorf("list: got %d\n%s", code, out)
	}
	none := fileIn(t, dir, "none.yaml", "version: 1\n")
	if _, errOut, code := said(t, "notify", "test", "--config", none, "--data", filepath.Join(dir, "data")); code != exitUsage || !strings.Contains(errOut, "notify.sinks") {
		t.Errorf("no sinks: got %d\n%s", code, errOut)
	}
}

// TestNotifyListOfAFinding: which message about it would go where.
func TestNotifyListOfAFinding(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 12})
	account := cloud.Account("111122223333")
	openSSH(t, account.Region("us-east-1"), "web")
	serving(t, cloud, account.Credentials())
	t.Setenv("TEST_PD", "key")
	dir := t.TempDir()
	path := fileIn(t, dir, "dera.yaml", "version: 1\nsettle: 10ms\naccounts: [{id: '111122223333', ou: prod, owner: team-a}]\n"+
		"notify: {sinks: [{name: pager, kind: pagerduty, token_env: TEST_PD}, {name: mail, kind: email, url: 'localhost:25', from: a@b.c, to: [x@b.c]}], owners_first: 15m, owners: {team-a: {email: a@b.c}}, "+
		"routes: [{what: [fixed], sinks: [mail], digest: daily}, {ou: prod, what: [waiting, failed], sinks: [pager], owner: true}]}\n")
	data := filepath.Join(dir, "data")
	if out, errOut, code := said(t, "scan", "--config", path, "--data", data); code != exitNo {
		t.Fatalf("scan: got %d\n%s%s", code, out, errOut)
	}
	out, _, _ := said(t, "findings", "--config", path, "--data", data, "-o", "json")
	var list []struct{ ID, Severity string }
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) == 0 {
		t.Fatalf("findings: %v\n%s", err, out)
	}
	out, errOut, code := said(t, "notify", "list", "--finding", list[0].ID, "--config", path, "--data", data)
	for _, want := range []string{list[0].ID, "owner team-a", "waiting: ", "pager", "team-a/email at once", "fixed: ", "rejected: nobody: no route matches"} {
		if code != exitGood || !strings.Contains(out, want) {
			t.Errorf("got %d without %q\n%s%s", code, want, out, errOut)
		}
	}
}
