package main

import (
	"strings"
	"testing"
)

// TestConsoleAddress: the console is reached from this machine alone.
func TestConsoleAddress(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"127.0.0.1:9480": true, "localhost:9480": true, "[::1]:9480": true, "127.0.0.9:0": true,
		":9480": false, "0.0.0.0:9480": false, "10.0.0.1:9480": false, "console.example:9480": false, "9480": false, "": false, "[::]:9480": false, "localhost.example:1": false,
	} {
		if err := consoleAddress(address); (err == nil) != ok {
			t.Errorf("%q: got %v, want it taken: %t", address, err, ok)
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
