package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera/awssim"
	"dera.example/dera/sink"
)

// TestCodeReviews: a plan that waits for a resource that Terraform owns becomes an issue
// with the change, once; one that nobody's code owns does not.
func TestCodeReviews(t *testing.T) {
	var mu sync.Mutex
	var issues []map[string]any
	github := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch path := strings.TrimPrefix(r.URL.Path, "/repos/acme/infra"); {
		case path == "/issues" && r.Method == http.MethodPost:
			var in map[string]any
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
				t.Error(err)
			}
			in["html_url"] = "https://github.example/1"
			issues = append(issues, in)
			_ = json.NewEncoder(w).Encode(in)
		case path == "/issues":
			_ = json.NewEncoder(w).Encode(issues)
		case path == "/pulls":
			_, _ = io.WriteString(w, "[]")
		case path == "/git/ref/heads/main":
			_, _ = io.WriteString(w, `{"object":{"sha":"c0"}}`)
		default:
			_, _ = io.WriteString(w, `{"tree":[]}`)
		}
	}))
	t.Cleanup(github.Close)
	cloud := awssim.New(awssim.Config{Seed: 31})
	account := cloud.Account("111122223333")
	region := account.Region("us-east-1")
	owned, free := openSSH(t, region, "web"), openSSH(t, region, "free")
	if err := region.Tag(t.Context(), owned, map[string]string{"managed-by": "terraform", "owner": "team-a"}); err != nil {
		t.Fatal(err)
	}
	serving(t, cloud, account.Credentials())
	t.Setenv("TEST_GITHUB", "token-of-the-test")
	dir := t.TempDir()
	path := fileIn(t, dir, "dera.yaml", "version: 1\nsettle: 10ms\nmode: review\nnotify: {code: {github: {url: '"+github.URL+"', token_env: TEST_GITHUB, repositories: [{repository: acme/infra}]}}}\n")
	data := filepath.Join(dir, "data")
	if out, errOut, code := said(t, "scan", "--config", path, "--data", data); code != exitNo {
		t.Fatalf("scan: got %d\n%s%s", code, out, errOut)
	}
	a := &cli{now: time.Now, out: io.Discard, err: io.Discard}
	a.flags.config, a.flags.data = path, data
	s, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.store.Close()
	sinks, err := s.sinks()
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := said(t, "findings", "-o", "json", "--config", path, "--data", data)
	var messages []sink.Message
	for _, id := range regexp.MustCompile(`r-[0-9a-f]{20}`).FindAllString(text, -1) {
		messages = append(messages, sink.Message{ID: id, What: sink.WhatWaiting, Title: "SSH is open", Remediation: id})
	}
	messages = append(messages, sink.Message{ID: "m", What: sink.WhatWaiting, Remediation: "r-00000000000000000000"}, sink.Message{ID: "n", What: sink.WhatAlarm})
	if len(messages) < 4 {
		t.Fatalf("got %d plans, want two at least\n%s", len(messages)-2, text)
	}
	for range 2 {
		if err := sinks[sink.CodeSink].Send(t.Context(), messages); err != nil {
			t.Fatal(err)
		}
	}
	if len(issues) != 1 || !strings.Contains(issues[0]["body"].(string), owned) || strings.Contains(issues[0]["body"].(string), free) || !strings.Contains(issues[0]["body"].(string), "```diff\n--- ") {
		t.Errorf("got %d issues, want one about %s: %v", len(issues), owned, issues)
	}
	if d := s.config.routes().Route(messages[0], time.Now()); len(d) != 1 || d[0].Sink != sink.CodeSink {
		t.Errorf("routed to %v, want %s", d, sink.CodeSink)
	}
}
