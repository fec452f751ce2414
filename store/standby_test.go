package store_test

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
)

// TestNoStandbyIsRead: a stand-by is behind by as much as its replay is. What it says of a stop or a lease may be over
// on the primary, and a write to AWS rests on it.
func TestNoStandbyIsRead(t *testing.T) {
	t.Parallel()
	primary := postgres.Start(t, postgres.Config{})
	at := primary.URL(t)
	if err := open(t, at); err != nil { // makes the schema
		t.Fatal(err)
	}
	standby := primary.Standby(t)
	dir := func(s *postgres.Server) string { return url.QueryEscape(filepath.Dir(s.Socket())) }
	only := strings.Replace(at, dir(primary), dir(standby), 1)
	late, err := sql.Open("pgx", only)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = late.Close() }()
	if _, err := late.ExecContext(t.Context(), "SELECT pg_wal_replay_pause()"); err != nil {
		t.Fatal(err)
	}
	both := strings.Replace(at, dir(primary), dir(standby)+","+dir(primary), 1)
	for name, at := range map[string]string{"any": both, "prefers_the_standby": both + "&target_session_attrs=prefer-standby"} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), store.Config{URL: at, Sealer: storetest.Vault(t, 1)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			stop := dera.Stop{Account: "111122223333", Reason: name, At: time.Unix(1, 0).UTC()}
			if err := s.Commit(t.Context(), store.Batch{Stops: []dera.Stop{stop}}); err != nil {
				t.Errorf("stop: got %v, want it on the primary", err)
			}
			if list, err := s.Stops(t.Context()); err != nil || len(list) != 1 || list[0].Reason != name {
				t.Errorf("stops: got %+v (%v), want what was committed just now", list, err)
			}
		})
	}
	for _, more := range []string{"", "&target_session_attrs=standby", "&target_session_attrs=read-only"} {
		err := open(t, only+more)
		if text, _ := store.Unreached(err); !store.Away(err) || !strings.Contains(text, "standby") {
			t.Errorf("open a stand-by%s: got %v (%q), want that the database is away, and why", more, err, text)
		}
	}
}
