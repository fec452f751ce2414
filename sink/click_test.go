package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
)

// clickWorld is a handler with what it calls.
type clickWorld struct {
	mu     sync.Mutex
	seen   map[string]bool
	orders []Click
	slack  *receiver
	url    string
	down   bool
	broken bool
}

func newClicks(t *testing.T) (*clickWorld, *SlackClicks) {
	t.Helper()
	w := &clickWorld{seen: map[string]bool{}, slack: &receiver{good: ok("ok")}}
	server := httptest.NewServer(w.slack)
	t.Cleanup(server.Close)
	w.url = server.URL
	s, err := NewSlackClicks(ClicksConfig{
		Secret: "8f742231b10e8888abcd99yyyzzz85a5", Workspaces: []string{"T0HOME"}, Client: Client(nil), Base: server.URL + "/actions/", Now: fixed, Log: slog.New(slog.DiscardHandler),
		Once: func(_ context.Context, key string, _ time.Duration) (bool, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.down {
				return false, errors.New("the database is away")
			}
			first := !w.seen[key]
			w.seen[key] = true
			return first, nil
		},
		Who: func(u string) (dera.Actor, bool) {
			return dera.Actor{Name: "arn:aws:iam::111122223333:user/alice", How: "slack"}, u == "U012AB3CD"
		},
		Do: func(_ context.Context, c Click) Done {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.orders = append(w.orders, c)
			if w.broken {
				panic("broken")
			}
			return Done{Text: "approved by <alice> & done", Final: true}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, s
}

// payload is what Slack sends of a click.
func (w *clickWorld) payload(change func(p map[string]any)) string {
	p := map[string]any{
		"type": "block_actions", "team": map[string]any{"id": "T0HOME"}, "user": map[string]any{"id": "U012AB3CD", "team_id": "T0HOME"}, "response_url": w.url + "/actions/T0/1/x",
		"message": map[string]any{"text": "x", "blocks": []any{map[string]any{"type": "header"}, map[string]any{"type": "actions"}}},
		"actions": []any{map[string]any{"action_id": ActionApprove, "value": `{"r":"r-1","d":"abc"}`}},
	}
	if change != nil {
		change(p)
	}
	text, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return url.Values{"payload": {string(text)}}.Encode()
}

// post sends a request to the handler; signed with its body unless change says otherwise.
func (w *clickWorld) post(t *testing.T, s *SlackClicks, body string, at time.Time, change func(*http.Request)) int {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/slack/actions", strings.NewReader(body))
	stamp := strconv.FormatInt(at.Unix(), 10)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", SlackSignature("8f742231b10e8888abcd99yyyzzz85a5", stamp, []byte(body)))
	if change != nil {
		change(req)
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, req)
	s.Wait()
	return rec.Code
}

// TestSlackSignature: the example of Slack's documentation.
func TestSlackSignature(t *testing.T) {
	t.Parallel()
	const body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	if got, want := SlackSignature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", []byte(body)), "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestClickIsRefused: what is not signed by Slack, old, replayed, malformed, or by nobody
// whom the configuration names orders nothing.
func TestClickIsRefused(t *testing.T) {
	t.Parallel()
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	tests := []struct {
		name    string
		payload func(p map[string]any)
		body    string
		at      time.Duration
		request func(*http.Request)
		code    int
		answers string // in Slack, to the user alone
	}{
		{name: "no_signature", request: header("X-Slack-Signature", ""), code: 401},
		{name: "forged", request: header("X-Slack-Signature", "v0="+strings.Repeat("0", 64)), code: 401},
		{name: "signed_for_another_time", request: header("X-Slack-Request-Timestamp", fmt.Sprint(fixed().Unix()+1)), code: 401},
		{name: "time_of_another_form", request: header("X-Slack-Request-Timestamp", fmt.Sprintf("0%d", fixed().Unix())), code: 401},
		{name: "old", at: -301 * time.Second, code: 401},
		{name: "from_the_future", at: 301 * time.Second, code: 401},
		{name: "json", request: header("Content-Type", "application/json"), code: 415},
		{name: "no_payload", body: "a=b", code: 400},
		{name: "two_payloads", body: "payload={}&payload={}", code: 400},
		{name: "no_json", body: "payload=a", code: 400},
		{name: "too_long", body: "payload=" + strings.Repeat("a", clickBody), code: 413},
		{name: "a_dialog", payload: func(p map[string]any) { p["type"] = "view_submission" }, code: 400},
		{name: "another_button", payload: func(p map[string]any) {
			p["actions"] = []any{map[string]any{"action_id": "delete_all", "value": "{}"}}
		}, code: 400},
		{name: "two_clicks_at_once", payload: func(p map[string]any) { p["actions"] = append(p["actions"].([]any), p["actions"].([]any)...) }, code: 400},
		{name: "unknown_user", payload: func(p map[string]any) { p["user"] = map[string]any{"id": "U999"} }, code: 200, answers: "does not know who you are"},
		{name: "same_id_in_another_workspace", payload: func(p map[string]any) { p["user"] = map[string]any{"id": "U012AB3CD", "team_id": "T0OTHER"} }, code: 200, answers: "from your Slack workspace"},
		{name: "other_workspace", payload: func(p map[string]any) {
			p["team"], p["user"] = map[string]any{"id": "T0OTHER"}, map[string]any{"id": "U012AB3CD"}
		}, code: 200, answers: "from your Slack workspace"},
		{name: "no_workspace", payload: func(p map[string]any) { p["team"], p["user"] = nil, map[string]any{"id": "U012AB3CD"} }, code: 200, answers: "from your Slack workspace"},
		{name: "no_user", payload: func(p map[string]any) { delete(p, "user") }, code: 200, answers: "does not know who you are"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, s := newClicks(t)
			body := tt.body
			if body == "" {
				body = w.payload(tt.payload)
			}
			if code := w.post(t, s, body, fixed().Add(tt.at), tt.request); code != tt.code || len(w.orders) > 0 {
				t.Errorf("got %d and %d orders, want %d and none", code, len(w.orders), tt.code)
			}
			said := ""
			for _, r := range w.slack.all() {
				said += r.body
			}
			if (tt.answers == "") != (said == "") || !strings.Contains(said, tt.answers) || strings.Contains(said, `"replace_original":true`) {
				t.Errorf("got in Slack %q, want %q", said, tt.answers)
			}
		})
	}
}

// TestClick: who clicked and what, once; the message loses its buttons.
func TestClick(t *testing.T) {
	t.Parallel()
	w, s := newClicks(t)
	body := w.payload(nil)
	if code := w.post(t, s, body, fixed(), nil); code != 200 || len(w.orders) != 1 {
		t.Fatalf("got %d and %d orders", code, len(w.orders))
	}
	if got, want := w.orders[0], (Click{ActionApprove, Button{Remediation: "r-1", Digest: "abc"}, dera.Actor{Name: "arn:aws:iam::111122223333:user/alice", How: "slack"}}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	said := w.slack.all()
	if len(said) != 1 || said[0].path != "/actions/T0/1/x" || !strings.Contains(said[0].body, `"replace_original":true`) || strings.Contains(said[0].body, `"actions"`) || !strings.Contains(said[0].body, `"type":"header"`) {
		t.Errorf("got %+v", said)
	}
	if code := w.post(t, s, body, fixed(), nil); code != 409 || len(w.orders) != 1 {
		t.Errorf("the same request again: got %d and %d orders, want 409 and one", code, len(w.orders))
	}
	w.down = true
	if code := w.post(t, s, w.payload(func(p map[string]any) { p["x"] = 1 }), fixed(), nil); code != 503 || len(w.orders) != 1 {
		t.Errorf("while the database is away: got %d and %d orders, want 503 and one", code, len(w.orders))
	}
	w.down, w.broken = false, true
	if code := w.post(t, s, w.payload(func(p map[string]any) { p["x"] = 2 }), fixed(), nil); code != 200 || !strings.Contains(w.slack.all()[1].body, "broke") {
		t.Errorf("an order that breaks: got %d", code)
	}
}

// TestClickAnswersSlackOnly: an address for the answer that is not Slack's gets nothing.
func TestClickAnswersSlackOnly(t *testing.T) {
	t.Parallel()
	w, s := newClicks(t)
	for address, good := range map[string]bool{
		"https://hooks.slack.com/actions/1": true, w.url + "/actions/1": true, w.url + "/other": false, "https://hooks.slack.com.evil.example/": false, "http://hooks.slack.com/": false,
		"https://hooks.slack.com@evil.example/": false, "https://evil.example/hooks.slack.com": false, "": false, "https://a:b@hooks.slack.com/": false, "http://169.254.169.254/": false,
	} {
		if got := s.mayPost(address); got != good {
			t.Errorf("%q: got %t, want %t", address, got, good)
		}
	}
	if code := w.post(t, s, w.payload(func(p map[string]any) { p["response_url"] = "http://127.0.0.1:1/x" }), fixed(), nil); code != 200 || len(w.orders) != 1 {
		t.Errorf("got %d and %d orders: the order counts", code, len(w.orders))
	}
}
