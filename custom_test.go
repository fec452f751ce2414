package dera

import (
	"strings"
	"testing"
)

// TestCustomDiff: who approves a custom fix sees as whom and with what it and its undo run.
func TestCustomDiff(t *testing.T) {
	t.Parallel()
	in := CustomInput{
		Document: "Acme-Fix", Version: "3", Hash: "h1", Content: "c1", Role: "arn:aws:iam::111122223333:role/fix", Parameters: map[string][]string{"A": {"x", "y"}},
		Undo: &CustomInput{Document: "Acme-Undo", Version: "4", Hash: "h2", Content: "c2", Role: "arn:aws:iam::111122223333:role/admin", Parameters: map[string][]string{"B": {"z"}}},
	}
	got := strings.Join(in.Diff(), "\n")
	for _, want := range []string{"Acme-Fix version 3 (hash h1)", "SHA-256 c1", "role/fix", "A = x, y", "Acme-Undo version 4 (hash h2)", "SHA-256 c2", "role/admin", "B = z"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s\nwant %q in it", got, want)
		}
	}
}
