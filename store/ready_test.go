package store_test

import (
	"path/filepath"
	"testing"

	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// TestReadyAsksByAWrite: a database that answers and takes no writes is not ready from the first commit on
// that failed, and is again when it takes them, before anybody commits.
func TestReadyAsksByAWrite(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "dera.db"), Sealer: storetest.Vault(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	take := func(takes bool) {
		if err := s.TakeWrites(t.Context(), takes); err != nil {
			t.Fatal(err)
		}
	}
	before := s.Transactions()
	if err := s.Ready(t.Context()); err != nil || s.Transactions() != before {
		t.Fatalf("got %v, and %d transactions, want that it reads", err, s.Transactions()-before)
	}
	take(false)
	if err := s.Commit(t.Context(), store.Batch{Counts: map[string]int64{"x": 1}}); !store.Away(err) {
		t.Fatalf("commit: got %v", err)
	}
	if err := s.Ready(t.Context()); !store.Away(err) {
		t.Errorf("ready: got %v, want that the database is away", err)
	}
	take(true)
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("ready when it takes writes: got %v", err)
	}
}
