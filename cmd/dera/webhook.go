package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"dera.example/dera/app"
	"dera.example/dera/services"
	"dera.example/dera/source"
	"dera.example/dera/store"
)

// webhookPattern is where signed messages are taken.
const webhookPattern = "POST /hooks/events"

// webhook returns the pattern and the handler of the webhook, or nil where the configuration
// names no secret.
func (s *session) webhook(log *slog.Logger) (string, http.Handler, error) {
	secret, err := s.config.Sources.Webhook.secret()
	if err != nil || secret == "" {
		return "", nil, err
	}
	ingest := s.ingest()
	take := func(ctx context.Context, d source.Delivery) error {
		if err := ingest(ctx, d); !errors.Is(err, store.ErrTaken) {
			return err
		}
		return nil // another process has committed it
	}
	h, err := source.NewWebhook(source.WebhookConfig{
		Secret: secret, Accounts: s.accountIDs(), Watch: services.Watch(), Handle: app.Noting(s.store, take), Replays: taken{s.store}, Log: log, Now: s.app.now,
	})
	return webhookPattern, h, err
}

// taken remembers signed messages in the database.
type taken struct{ store *store.Store }

var _ source.Replays = taken{}

// Seen implements source.Replays.
func (t taken) Seen(ctx context.Context, id string) (bool, error) { return t.store.Taken(ctx, id) }

func (c webhookConfig) on() bool { return c.SecretEnv != "" || c.SecretFile != "" }

// secret reads the signing secret from where the configuration says.
func (c webhookConfig) secret() (string, error) {
	switch {
	case c.SecretEnv != "":
		v := os.Getenv(c.SecretEnv)
		if v == "" {
			return "", usage("sources.webhook.secret_env: the environment variable %s is empty: set it to the signing secret", c.SecretEnv)
		}
		return v, nil
	case c.SecretFile != "":
		text, err := os.ReadFile(c.SecretFile)
		if err != nil {
			return "", fmt.Errorf("sources.webhook.secret_file: %w", err)
		}
		return string(text), nil
	}
	return "", nil
}
