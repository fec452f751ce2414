package source

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"dera.example/dera/cloudtrail"
)

// Replays remembers the IDs of messages, so that one is taken once. It is safe for concurrent
// use, over all processes that share it.
type Replays interface {
	// Seen reports whether the ID was taken, in the last ten minutes at least.
	Seen(ctx context.Context, id string) (bool, error)
}

// WebhookConfig configures a webhook. Secret, Accounts, Watch, Handle and Replays are mandatory.
type WebhookConfig struct {
	// Secret is the signing secret, whsec_ and base64 of 24 to 64 bytes. It reaches no log and no
	// error.
	Secret   string
	Accounts []string
	Watch    cloudtrail.Watch
	// Handle commits a delivery; its Tests and Kinds are filled in as for a queue. The ID of the
	// message is the only Taken of the delivery, to be committed with it.
	Handle  Handler
	Replays Replays
	Log     *slog.Logger     // discards if nil
	Now     func() time.Time // time.Now if nil
}

// The bounds of a webhook.
const (
	webhookName      = "webhook"
	webhookTolerance = 5 * time.Minute
	webhookSize      = 256 << 10
	webhookWork      = 30 * time.Second
	mostWebhookID    = 128
	leastSecret      = 24
	mostSecret       = 64
	secretPrefix     = "whsec_"
)

// webhook is the handler. It is safe for concurrent use.
type webhook struct {
	cfg   WebhookConfig
	key   []byte
	sieve sieve
}

// NewWebhook returns a handler that takes signed messages as hints where to look, by the
// Standard Webhooks specification: webhook-id, webhook-timestamp and webhook-signature (v1). A
// message is an envelope of EventBridge, a finding in ASFF or OCSF, or an object with resource
// or resources (ARNs), or type, id, account and region. It answers 204 once the hints are
// committed and for an ID that was taken, 400 for what cannot be read, 401 for what is not
// signed with the secret in the last five minutes, 413 for what is too large, and 503 where it
// is to be sent again.
//
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func NewWebhook(cfg WebhookConfig) (http.Handler, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(cfg.Secret), secretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	switch {
	case !ok || err != nil || len(key) < leastSecret || len(key) > mostSecret:
		return nil, fmt.Errorf("configure webhook: the secret is not %s and base64 of %d to %d bytes", secretPrefix, leastSecret, mostSecret)
	case cfg.Handle == nil || cfg.Replays == nil:
		return nil, errors.New("configure webhook: Handle and Replays are required")
	case len(cfg.Watch.Calls()) == 0:
		return nil, errors.New("configure webhook: no calls are watched")
	}
	if err := validAccounts(cfg.Accounts); err != nil {
		return nil, fmt.Errorf("configure webhook: %w", err)
	}
	cfg.Secret = ""
	cfg.Log = orElse(cfg.Log, slog.New(slog.DiscardHandler))
	cfg.Now = clock(cfg.Now)
	return &webhook{cfg: cfg, key: key, sieve: newSieve(webhookName, cfg.Watch, cfg.Accounts, false)}, nil
}

// ServeHTTP implements http.Handler.
func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(code int, says string) { http.Error(w, says, code) }
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		answer(http.StatusMethodNotAllowed, "send a message by POST")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, webhookSize))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		answer(http.StatusRequestEntityTooLarge, fmt.Sprintf("a message has %d bytes at most", webhookSize))
		return
	case err != nil:
		answer(http.StatusBadRequest, "the message could not be read")
		return
	}
	id := r.Header.Get("webhook-id")
	if !h.signed(id, r.Header.Get("webhook-timestamp"), r.Header.Get("webhook-signature"), body) {
		answer(http.StatusUnauthorized, "the message is not signed with the secret, or not lately")
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), webhookWork)
	defer cancel()
	seen, err := h.cfg.Replays.Seen(ctx, id)
	if err != nil {
		h.later(ctx, w, err)
		return
	}
	if seen {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	d := h.sieve.posted(Message{ID: webhookName + "/" + id, Body: string(body)}, h.cfg.Now().UTC())
	d.Taken = id
	if err := h.cfg.Handle(ctx, d); err != nil {
		h.later(ctx, w, err)
		return
	}
	if d.Counts.Malformed > 0 { // it is counted and kept: to send it again would change nothing
		answer(http.StatusBadRequest, d.Kept[0].Why)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// later asks for the message again: nothing of it is committed.
func (h *webhook) later(ctx context.Context, w http.ResponseWriter, err error) {
	h.cfg.Log.WarnContext(ctx, "a message goes back", "source", webhookName, "err", err)
	w.Header().Set("Retry-After", "30")
	http.Error(w, "it could not be committed: send it again", http.StatusServiceUnavailable)
}

// signed reports whether one of the signatures is that of the secret over ID, time and body, and
// the time is now. The comparison takes as long for any signature.
func (h *webhook) signed(id, at, signatures string, body []byte) bool {
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" || len(id) > mostWebhookID || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return false
	}
	if off := h.cfg.Now().Sub(time.Unix(seconds, 0)); off > webhookTolerance || off < -webhookTolerance {
		return false
	}
	mac := hmac.New(sha256.New, h.key)
	fmt.Fprintf(mac, "%s.%s.", id, at)
	mac.Write(body)
	want := mac.Sum(nil)
	good := false
	for i, s := range strings.Fields(signatures) {
		text, ok := strings.CutPrefix(s, "v1,")
		got, err := base64.StdEncoding.DecodeString(text)
		good = i < 8 && ok && err == nil && hmac.Equal(got, want) || good
	}
	return good
}
