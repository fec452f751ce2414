package store_test

import (
	"database/sql"
	"testing"

	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
)

// TestFailover: connections that lead to a server that takes no writes any more
// are let go of, so that the next ones lead to the one that does.
func TestFailover(t *testing.T) {
	t.Parallel()
	url := postgres.Start(t, postgres.Config{}).URL(t)
	if err := open(t, url); err != nil { // makes the schema
		t.Fatal(err)
	}
	admin, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close() }()
	primary := func(setting string) {
		for _, q := range []string{"SET default_transaction_read_only = off", "ALTER DATABASE " + name(t, admin) + " SET default_transaction_read_only = " + setting} {
			if _, err := admin.ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
	}
	admin.SetMaxOpenConns(1)
	primary("on") // of new connections
	s, err := store.Open(t.Context(), store.Config{URL: url, Sealer: storetest.Vault(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	count := store.Batch{Counts: map[string]int64{"x": 1}}
	if err := s.Commit(t.Context(), count); !store.Away(err) {
		t.Fatalf("commit to a server that is read-only: got %v, want that the database is away", err)
	}
	for range 2 { // a source that goes on to receive would lose messages to their dead-letter queue
		if err := s.Ready(t.Context()); !store.Away(err) {
			t.Errorf("ready on a server that is read-only: got %v, want that the database is away", err)
		}
	}
	primary("off")
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("ready after the failover: got %v", err)
	}
	if err := s.Commit(t.Context(), count); err != nil {
		t.Errorf("commit after the failover: got %v, want a new connection", err)
	}
}

func name(t *testing.T, db *sql.DB) (name string) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}
