package sink

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func fixed() time.Time { return time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC) }

func sample() Message {
	return Message{ID: "m-1", What: WhatWaiting, At: fixed(), Severity: dera.High, Title: "SSH is open to the internet", Why: "production: the account is production",
		Account: "111122223333", Region: "eu-central-1", Control: "ec2-securitygroup-admin-ports-open", Resource: "arn:aws:ec2:eu-central-1:111122223333:security-group/sg-1",
		Findings: []string{"f-1"}, Remediation: "r-1", Digest: strings.Repeat("ab", 32), State: dera.Waiting, Owner: "team-a", Diff: []string{"- tcp/22 from 0.0.0.0/0"},
		Commands: []string{"dera approve r-1 --digest abababababab"}, Record: 7, Until: fixed().Add(72 * time.Hour)}
}

// seen is one request that a receiver got.
type seen struct {
	method, path, body string
	header             http.Header
}

// receiver is a server that misbehaves as it is asked to.
type receiver struct {
	mu       sync.Mutex
	requests []seen
	answer   http.HandlerFunc // nil answers well
	good     http.HandlerFunc
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(req.Body, 1<<20)) // a broken request is judged by what it says
	r.mu.Lock()
	r.requests = append(r.requests, seen{req.Method, req.URL.RequestURI(), string(body), req.Header})
	answer := r.answer
	r.mu.Unlock()
	if answer == nil {
		answer = r.good
	}
	answer(w, req)
}

func (r *receiver) all() []seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]seen(nil), r.requests...)
}

func (r *receiver) misbehave(f http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

func ok(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

// httpSenders are all senders over HTTP, each to a base URL.
func httpSenders() map[string]struct {
	make func(url string, c *http.Client) (Sink, error)
	good http.HandlerFunc
} {
	type maker = struct {
		make func(url string, c *http.Client) (Sink, error)
		good http.HandlerFunc
	}
	return map[string]maker{
		"webhook": {func(url string, c *http.Client) (Sink, error) {
			return NewWebhook(WebhookConfig{URL: url + "/x", Secret: testSecret, Client: c, Now: fixed})
		}, ok("")},
		"slack": {func(url string, c *http.Client) (Sink, error) {
			return NewSlack(SlackConfig{URL: url, Token: testSecret, Channel: "#a", Buttons: true, Client: c, Now: fixed})
		}, ok(`{"ok":true}`)},
		"pagerduty": {func(url string, c *http.Client) (Sink, error) {
			return NewPagerDuty(PagerDutyConfig{URL: url, Key: testSecret, Client: c, Now: fixed})
		}, ok(`{"status":"success"}`)},
		"jira": {func(url string, c *http.Client) (Sink, error) {
			return NewJira(JiraConfig{URL: url, User: "a@example.com", Token: testSecret, Project: "SEC", Client: c, Now: fixed})
		}, ok(`{"issues":[]}`)},
	}
}

// TestSendersStandMisbehavingReceivers: what is tried again, for how long a receiver is
// left in peace, what is a dead letter, and that no secret is in an error.
func TestSendersStandMisbehavingReceivers(t *testing.T) {
	t.Parallel()
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			fmt.Fprintf(w, "no: %s %s\x1b[31m", testSecret, req.Header.Get("Authorization")) // echoes the secret
		}
	}
	tests := []struct {
		name      string
		answer    http.HandlerFunc
		permanent bool
		wait      time.Duration // -1 for none
	}{
		{"too_many_with_seconds", status(429, "Retry-After", "30"), false, 30 * time.Second},
		{"too_many_with_a_time", status(429, "Retry-After", fixed().Add(90*time.Second).Format(http.TimeFormat)), false, 90 * time.Second},
		{"too_many_for_years", status(429, "Retry-After", "999999999999"), false, -1},
		{"too_many_for_a_year", status(429, "Retry-After", "31536000"), false, time.Hour},
		{"unavailable_with_a_wait", status(503, "Retry-After", "0"), false, 0},
		{"broken", status(500), false, -1},
		{"bad_gateway", status(502), false, -1},
		{"token_not_valid", status(401), false, -1},
		{"forbidden", status(403), false, -1},
		{"bad_request", status(400), true, -1},
		{"not_there", status(404), true, -1},
		{"connection_reset", func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = c.(*net.TCPConn).SetLinger(0)
				_ = c.Close()
			}
		}, false, -1},
		{"cut_off_in_the_answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		}, false, -1},
		{"huge_answer", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("a", mostAnswer+10))
		}, false, -1},
	}
	for kind, of := range httpSenders() {
		for _, tt := range tests {
			t.Run(kind+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				r := &receiver{answer: tt.answer, good: of.good}
				server := httptest.NewServer(r)
				t.Cleanup(server.Close)
				s, err := of.make(server.URL, Client(nil))
				if err != nil {
					t.Fatal(err)
				}
				err = s.Send(t.Context(), []Message{sample()})
				if err == nil {
					t.Fatal("got no error")
				}
				wait, asked := RetryAfter(err)
				if Permanent(err) != tt.permanent || asked != (tt.wait >= 0) && tt.name != "too_many_for_years" || asked && tt.wait >= 0 && wait != tt.wait {
					t.Errorf("got permanent %t, wait %s %t, want %t, %s: %v", Permanent(err), wait, asked, tt.permanent, tt.wait, err)
				}
				if strings.Contains(err.Error(), testSecret) || strings.Contains(err.Error(), base64.StdEncoding.EncodeToString([]byte("a@example.com:"+testSecret))) || strings.Contains(err.Error(), "/x") || strings.ContainsAny(err.Error(), "\x1b\n") || len(err.Error()) > 500 {
					t.Errorf("the error holds a secret, control characters or too much: %q", err)
				}
				r.misbehave(nil)
				if err := s.Send(t.Context(), []Message{sample()}); err != nil {
					t.Errorf("again: got %v", err)
				}
			})
		}
		t.Run(kind+"/timeout", func(t *testing.T) {
			t.Parallel()
			end := make(chan struct{})
			r := &receiver{answer: func(_ http.ResponseWriter, req *http.Request) { <-end }, good: of.good}
			server := httptest.NewServer(r)
			t.Cleanup(server.Close)
			t.Cleanup(func() { close(end) })
			c := Client(nil)
			c.Timeout = 50 * time.Millisecond
			s, err := of.make(server.URL, c)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Send(t.Context(), []Message{sample()}); err == nil || Permanent(err) || !strings.Contains(err.Error(), "in time") {
				t.Errorf("got %v, want an error that is tried again", err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := s.Send(ctx, []Message{sample()}); err == nil || Permanent(err) {
				t.Errorf("after the end: got %v, want an error that is tried again", err)
			}
		})
		t.Run(kind+"/redirect", func(t *testing.T) {
			t.Parallel()
			other := &receiver{good: of.good}
			elsewhere := httptest.NewServer(other)
			t.Cleanup(elsewhere.Close)
			r := &receiver{good: of.good, answer: func(w http.ResponseWriter, req *http.Request) {
				http.Redirect(w, req, elsewhere.URL+"/steal", http.StatusTemporaryRedirect)
			}}
			server := httptest.NewServer(r)
			t.Cleanup(server.Close)
			s, err := of.make(server.URL, Client(nil))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Send(t.Context(), []Message{sample()}); err == nil || Permanent(err) || len(other.all()) != 0 {
				t.Errorf("got %v and %d requests at the other host, want an error and none", err, len(other.all()))
			}
		})
		t.Run(kind+"/unknown_certificate", func(t *testing.T) {
			t.Parallel()
			r := &receiver{good: of.good}
			server := httptest.NewUnstartedServer(r)
			server.Config.ErrorLog = nil
			server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
			server.StartTLS()
			t.Cleanup(server.Close)
			s, err := of.make(server.URL, Client(nil))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Send(t.Context(), []Message{sample()}); err == nil || Permanent(err) || len(r.all()) != 0 {
				t.Errorf("got %v and %d requests, want an error and none", err, len(r.all()))
			}
		})
	}
}

// TestSendersAfterEffect: the answer to a message that was taken is lost; the same again
// has the same ID, by which the receiver knows it.
func TestSendersAfterEffect(t *testing.T) {
	t.Parallel()
	ids := map[string]func(s seen) string{
		"webhook": func(s seen) string { return s.header.Get("webhook-id") },
		"slack": func(s seen) string {
			var got struct {
				Metadata struct {
					Payload map[string]string `json:"event_payload"`
				} `json:"metadata"`
			}
			_ = json.Unmarshal([]byte(s.body), &got)
			return got.Metadata.Payload["id"]
		},
		"pagerduty": func(s seen) string {
			var got struct {
				Key string `json:"dedup_key"`
			}
			_ = json.Unmarshal([]byte(s.body), &got)
			return got.Key
		},
	}
	for kind, id := range ids {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			of := httpSenders()[kind]
			r := &receiver{good: of.good, answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }}
			server := httptest.NewServer(r)
			t.Cleanup(server.Close)
			s, err := of.make(server.URL, Client(nil))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Send(t.Context(), []Message{sample()}); err == nil {
				t.Fatal("got no error")
			}
			r.misbehave(nil)
			if err := s.Send(t.Context(), []Message{sample()}); err != nil {
				t.Fatal(err)
			}
			got := r.all()
			if len(got) != 2 || id(got[0]) == "" || id(got[0]) != id(got[1]) {
				t.Errorf("got IDs %q, want twice the same", []string{id(got[0]), id(got[1])})
			}
		})
	}
}
