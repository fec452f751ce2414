package sink

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Webhook posts messages as JSON, signed as standard-webhooks says.
//
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
type Webhook struct {
	url  string
	key  []byte
	now  func() time.Time
	post poster
}

// WebhookConfig is to whom and with what key.
type WebhookConfig struct {
	URL    string
	Secret string // whsec_ and base64, of 24 to 64 bytes
	Client *http.Client
	Now    func() time.Time
}

// NewWebhook returns the sender.
func NewWebhook(cfg WebhookConfig) (*Webhook, error) {
	if err := validURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(cfg.Secret, "whsec_"))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("the signing secret is not whsec_ and base64 of 24 to 64 bytes, as standard-webhooks asks for: printf 'whsec_%s' \"$(openssl rand -base64 32)\" makes one")
	}
	return &Webhook{url: cfg.URL, key: key, now: cfg.Now, post: poster{client: cfg.Client, secrets: []string{cfg.Secret, cfg.URL}, now: cfg.Now}}, nil
}

// webhookBody is the body of a request: one message, or messages of a digest.
type webhookBody struct {
	Type      string    `json:"type"` // dera.waiting and the like
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// Send implements Sink.
func (w *Webhook) Send(ctx context.Context, list []Message) error {
	if len(list) == 0 {
		return nil
	}
	body := webhookBody{Type: "dera." + list[0].What, Timestamp: list[0].At.UTC(), Data: list[0]}
	if len(list) > 1 {
		body.Type, body.Data = "dera."+WhatDigest, map[string]any{"messages": list}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return &PermanentError{fmt.Errorf("write the message: %w", err)}
	}
	id, at := IDOf(list), strconv.FormatInt(w.now().Unix(), 10)
	_, err = w.post.do(ctx, call{method: http.MethodPost, url: w.url, raw: text, header: map[string]string{
		"webhook-id": id, "webhook-timestamp": at, "webhook-signature": "v1," + WebhookSignature(w.key, id, at, text),
	}})
	return err
}

// WebhookSignature is the signature of standard-webhooks, without its version.
func WebhookSignature(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body) // a hash takes everything
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
