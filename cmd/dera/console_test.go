package main

import (
	"errors"
	"strings"
	"testing"

	"dera.example/dera/console"
	"dera.example/dera/remediate"
	"dera.example/dera/store"
)

// TestConsoleAddress: the console is reached from this machine alone.
func TestConsoleAddress(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"127.0.0.1:9480": true, "localhost:9480": true, "[::1]:9480": true, "127.0.0.9:0": true,
		":9480": false, "0.0.0.0:9480": false, "10.0.0.1:9480": false, "console.example:9480": false, "9480": false, "": false, "[::]:9480": false, "localhost.example:1": false,
	} {
		if err := (consoleConfig{}).consoleAddress(address); (err == nil) != ok {
			t.Errorf("%q: got %v, want it taken: %t", address, err, ok)
		}
	}
	signIn := oidcConfig{Issuer: "https://login.example.com"}
	for name, tt := range map[string]struct {
		cfg  consoleConfig
		want string
	}{
		"no_sign_in":  {consoleConfig{URL: "https://dera.example.com"}, "console.oidc"},
		"no_url":      {consoleConfig{OIDC: signIn}, "console.url"},
		"both":        {consoleConfig{URL: "https://dera.example.com", OIDC: signIn}, ""},
		"only_by_tls": {consoleConfig{Cert: "c", Key: "k", OIDC: signIn}, "console.url"},
	} {
		err := tt.cfg.consoleAddress("0.0.0.0:9480")
		if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
		if err := tt.cfg.consoleAddress("127.0.0.1:9480"); err != nil {
			t.Errorf("%s, on this machine: got %v", name, err)
		}
	}
}

// TestConsoleBeforeOneWasServed: a link leads to a console that there is.
func TestConsoleBeforeOneWasServed(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for _, want := range []string{"there is no data", "no console was served"} {
		var out, errOut strings.Builder
		if code := run(t.Context(), []string{"console", "--data", data}, strings.NewReader(""), &out, &errOut); code != exitFailed || out.Len() > 0 || !strings.Contains(errOut.String(), want) {
			t.Errorf("got %d, %q and %q, want %d and %q", code, out.String(), errOut.String(), exitFailed, want)
		}
		if code := run(t.Context(), []string{"stop", "--reason", "make the data", "--data", data}, strings.NewReader(""), &out, &errOut); code != exitGood {
			t.Fatalf("stop: %d %s", code, errOut.String())
		}
	}
}

// listError cannot be compared, as an error of a library may be.
type listError struct{ list []string }

func (e listError) Error() string { return strings.Join(e.list, "; ") }

// TestUnable: of an order that failed it is said whether something was begun, whatever failed.
func TestUnable(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err   error
		begun bool
		want  string
	}{
		"waits_for_another":       {&remediate.LaterError{Why: "r-2 is under way on the same resource"}, false, "r-2 is under way"},
		"begun_and_waits":         {&remediate.LaterError{Why: "AWS does not show it yet"}, true, "AWS does not show it yet"},
		"refused":                 {&remediate.RefusedError{Why: "someone else changed it"}, false, "someone else changed it"},
		"refused_after_the_order": {remediate.ErrStopped, true, remediate.ErrStopped.Error()},
		"not_comparable":          {listError{[]string{"a", "b"}}, true, "a; b"},
	} {
		var refused *console.Refused
		if err := unable(tt.err, tt.begun); !errors.As(err, &refused) || refused.Begun != tt.begun || !strings.Contains(refused.Why, tt.want) {
			t.Errorf("%s: got %v, want %q, begun: %t", name, err, tt.want, tt.begun)
		}
	}
	if err := unable(store.ErrNotFound, false); !errors.Is(err, console.ErrNotFound) {
		t.Errorf("an unknown ID: got %v", err)
	}
}
