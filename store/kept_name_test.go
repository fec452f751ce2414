package store_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// TestCounterNames: a counter whose name others wrote is counted under one that every database takes.
func TestCounterNames(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + t.TempDir() + "/dera.db", Sealer: storetest.Vault(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Commit(t.Context(), store.Batch{Counts: map[string]int64{"logs_skipped/a\x00b\xff": 1, "n": 2}}); err != nil {
		t.Fatal(err)
	}
	counts, err := s.Counters(t.Context())
	if err != nil || counts["n"] != 2 || len(counts) != 2 {
		t.Errorf("got %v, %v", counts, err)
	}
	for name := range counts {
		if !utf8.ValidString(name) || strings.Contains(name, "\x00") {
			t.Errorf("got the name %q", name)
		}
	}
}
