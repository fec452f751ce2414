package source

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera/services"
)

var errAway = errors.New("the database is away")

// posting is a webhook with a store of its own.
type posting struct {
	http.Handler
	mu    sync.Mutex
	taken map[string]bool
	got   []Delivery
	fails error
}

func (p *posting) Seen(_ context.Context, id string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken[id], nil
}

const webhookKey = "0123456789abcdef0123456789abcdef"

var postedAt = time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)

func newPosting(t *testing.T, log *slog.Logger) *posting {
	t.Helper()
	p := &posting{taken: map[string]bool{}}
	h, err := NewWebhook(WebhookConfig{
		Secret: "whsec_" + base64.StdEncoding.EncodeToString([]byte(webhookKey)) + "\n", Accounts: []string{ours}, Watch: services.Watch(), Replays: p, Log: log, Now: func() time.Time { return postedAt },
		Handle: func(_ context.Context, d Delivery) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.fails != nil {
				return p.fails
			}
			p.got, p.taken[d.Taken] = append(p.got, d), true
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Handler = h
	return p
}

func signature(key, id string, at time.Time, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (p *posting) post(id string, at time.Time, signature, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/hooks/events", strings.NewReader(body))
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("webhook-signature", signature)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

// TestWebhook_signed: what is not signed with the secret, or not lately, reaches nothing.
func TestWebhook_signed(t *testing.T) {
	t.Parallel()
	body := `{"resource":"` + groupARN + `"}`
	good := signature(webhookKey, "m-1", postedAt, body)
	for name, tc := range map[string]struct {
		id, signature, body string
		at                  time.Time
		want                int
	}{
		"good":               {"m-1", good, body, postedAt, http.StatusNoContent},
		"one_of_several":     {"m-1", "v1a,x v1,AAAA " + good, body, postedAt, http.StatusNoContent},
		"just_in_time":       {"m-1", signature(webhookKey, "m-1", postedAt.Add(-5*time.Minute), body), body, postedAt.Add(-5 * time.Minute), http.StatusNoContent},
		"too_old":            {"m-1", signature(webhookKey, "m-1", postedAt.Add(-5*time.Minute-time.Second), body), body, postedAt.Add(-5*time.Minute - time.Second), http.StatusUnauthorized},
		"from_the_future":    {"m-1", signature(webhookKey, "m-1", postedAt.Add(6*time.Minute), body), body, postedAt.Add(6 * time.Minute), http.StatusUnauthorized},
		"another_secret":     {"m-1", signature("another", "m-1", postedAt, body), body, postedAt, http.StatusUnauthorized},
		"another_id":         {"m-2", good, body, postedAt, http.StatusUnauthorized},
		"another_time":       {"m-1", good, body, postedAt.Add(time.Second), http.StatusUnauthorized},
		"another_body":       {"m-1", good, body + " ", postedAt, http.StatusUnauthorized},
		"no_signature":       {"m-1", "", body, postedAt, http.StatusUnauthorized},
		"no_id":              {"", signature(webhookKey, "", postedAt, body), body, postedAt, http.StatusUnauthorized},
		"too_large":          {"m-1", signature(webhookKey, "m-1", postedAt, strings.Repeat(" ", webhookSize+1)), strings.Repeat(" ", webhookSize+1), postedAt, http.StatusRequestEntityTooLarge},
		"asymmetric_version": {"m-1", strings.Replace(good, "v1,", "v1a,", 1), body, postedAt, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			p := newPosting(t, slog.New(slog.NewTextHandler(&log, nil)))
			w := p.post(tc.id, tc.at, tc.signature, tc.body)
			if w.Code != tc.want || len(p.got) == 1 != (tc.want == http.StatusNoContent) {
				t.Errorf("got %d %s and %d deliveries, want %d", w.Code, w.Body, len(p.got), tc.want)
			}
			if said := log.String() + w.Body.String(); strings.Contains(said, webhookKey) || strings.Contains(said, "whsec_") {
				t.Errorf("the secret is in %q", said)
			}
		})
	}
}

// TestWebhook_messages: each form is a hint, and hearsay.
func TestWebhook_messages(t *testing.T) {
	t.Parallel()
	v2 := strings.TrimSuffix(strings.SplitN(ocsf("EC2.13", groupARN, ""), `"findings":[`, 2)[1], `]}}`)
	for name, tc := range map[string]struct {
		body string
		code int
		want Counts
	}{
		"resource":       {`{"resource":"` + groupARN + `","reason":"a ticket"}`, 204, Counts{Hinted: 1}},
		"resources":      {`{"resources":["` + groupARN + `","arn:aws:s3:::files"],"account":"` + ours + `","region":"eu-west-1"}`, 204, Counts{Hinted: 1}},
		"type_and_id":    {`{"type":"AWS::EC2::SecurityGroup","id":"sg-1","account":"` + ours + `","region":"eu-west-1"}`, 204, Counts{Hinted: 1}},
		"asff":           {asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, ""), 204, Counts{Hinted: 1}},
		"ocsf":           {v2, 204, Counts{Hinted: 1}},
		"envelope":       {imported(asff("security-control/EC2.13", "AwsEc2SecurityGroup", groupARN, "")), 204, Counts{Hinted: 1}},
		"cloudtrail":     {envelope(ours, authorize, "sg-1", 1), 204, Counts{Hinted: 1}},
		"test":           {TestEvent("t-1"), 204, Counts{Test: 1}},
		"foreign":        {`{"resource":"arn:aws:ec2:eu-west-1:999999999999:security-group/sg-1"}`, 204, Counts{Foreign: 1}},
		"of_nobody":      {`{"resource":"arn:aws:kinesis:eu-west-1:` + ours + `:stream/s"}`, 204, Counts{Unmapped: 1}},
		"without_a_name": {`{"reason":"x"}`, 400, Counts{Malformed: 1}},
		"no_account":     {`{"resource":"arn:aws:s3:::files"}`, 400, Counts{Malformed: 1}},
		"no_arn":         {`{"resource":"sg-1","account":"` + ours + `"}`, 400, Counts{Malformed: 1}},
		"no_json":        {`hello`, 400, Counts{Malformed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPosting(t, nil)
			w := p.post("m-1", postedAt, signature(webhookKey, "m-1", postedAt, tc.body), tc.body)
			tc.want.Received = 1
			if w.Code != tc.code || len(p.got) != 1 || p.got[0].Counts != tc.want || p.got[0].Taken != "m-1" {
				t.Fatalf("got %d %s, %+v, want %d and %+v", w.Code, w.Body, p.got, tc.code, tc.want)
			}
			for _, e := range p.got[0].Events {
				if e.Authenticated || e.Now || e.Source != webhookName {
					t.Errorf("got %+v, want hearsay", e)
				}
			}
		})
	}
}

// TestWebhook_commits_first: it answers that it took a message only once that is committed; one
// that comes again is taken once.
func TestWebhook_commits_first(t *testing.T) {
	t.Parallel()
	p := newPosting(t, nil)
	body := `{"resource":"` + groupARN + `"}`
	post := func() *httptest.ResponseRecorder {
		return p.post("m-1", postedAt, signature(webhookKey, "m-1", postedAt, body), body)
	}
	p.fails = errAway
	if w := post(); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), errAway.Error()) {
		t.Errorf("while the database is away: got %d %s, want that it is sent again", w.Code, w.Body)
	}
	p.fails = nil
	for range 3 {
		if w := post(); w.Code != http.StatusNoContent {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	}
	if len(p.got) != 1 {
		t.Errorf("got %d deliveries of one message, want 1", len(p.got))
	}
	r := httptest.NewRecorder()
	if p.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/hooks/events", nil)); r.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: got %d", r.Code)
	}
}

func TestNewWebhook_refuses(t *testing.T) {
	t.Parallel()
	p := &posting{}
	good := WebhookConfig{Secret: "whsec_" + base64.StdEncoding.EncodeToString([]byte(webhookKey)), Accounts: []string{ours}, Watch: services.Watch(), Replays: p, Handle: func(context.Context, Delivery) error { return nil }}
	for name, change := range map[string]func(*WebhookConfig){
		"no_secret":    func(c *WebhookConfig) { c.Secret = "" },
		"no_prefix":    func(c *WebhookConfig) { c.Secret = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=" },
		"short_secret": func(c *WebhookConfig) { c.Secret = "whsec_c2hvcnQ=" },
		"no_base64":    func(c *WebhookConfig) { c.Secret = "whsec_not base64 at all, and long enough" },
		"no_accounts":  func(c *WebhookConfig) { c.Accounts = nil },
		"no_handler":   func(c *WebhookConfig) { c.Handle = nil },
		"no_replays":   func(c *WebhookConfig) { c.Replays = nil },
	} {
		c := good
		change(&c)
		if _, err := NewWebhook(c); err == nil || strings.Contains(err.Error(), "not base64 at all") {
			t.Errorf("%s: got %v, want an error without the secret", name, err)
		}
	}
	if _, err := NewWebhook(good); err != nil {
		t.Error(err)
	}
}
