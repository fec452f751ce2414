package oidc_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"dera.example/dera/console"
	"dera.example/dera/console/oidc"
	"dera.example/dera/console/oidc/oidctest"
)

// TestAway: a provider that does not answer, or that lies about itself, is no refusal of a person, and is asked
// again.
func TestAway(t *testing.T) {
	t.Parallel()
	says := func(key string, value any) func(*world) http.HandlerFunc {
		return func(i *world) http.HandlerFunc {
			d := i.Discovery()
			d[key] = value
			return func(w http.ResponseWriter, _ *http.Request) { oidctest.Answer(w, d) }
		}
	}
	for name, answer := range map[string]func(*world) http.HandlerFunc{
		"down": func(*world) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }
		},
		"slow": func(*world) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		},
		"leads_elsewhere": func(i *world) http.HandlerFunc {
			return http.RedirectHandler(i.URL+"/other", http.StatusFound).ServeHTTP
		},
		"without_end":           func(*world) http.HandlerFunc { return endless },
		"another_issuer":        says("issuer", "https://other.example.com"),
		"a_token_without_tls":   says("token_endpoint", "http://login.example.com/token"),
		"keys_without_tls":      says("jwks_uri", "http://login.example.com/keys"),
		"a_sign_in_without_tls": says("authorization_endpoint", "http://login.example.com/authorize"),
		"a_script":              says("authorization_endpoint", "javascript:alert(1)"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Replace("/.well-known/openid-configuration", answer(w))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var refused *console.Refused
			if got, err := w.provider.Begin(ctx, attempt()); err == nil || errors.As(err, &refused) || len(err.Error()) > 500 {
				t.Errorf("got %q and %v", got, err)
			}
			w.Replace("/.well-known/openid-configuration", nil)
			if _, err := w.signIn(t); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
	w := newWorld(t)
	w.Replace("/token", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	var refused *console.Refused
	if _, err := w.signIn(t); err == nil || errors.As(err, &refused) {
		t.Errorf("without tokens: got %v", err)
	}
	if _, err := oidc.New(oidc.Config{}); err == nil {
		t.Error("a provider without a name is taken")
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write([]byte(strings.Repeat(" ", 1<<16))); err != nil {
			return
		}
	}
}
