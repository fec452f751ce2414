package store_test

import (
	"errors"
	"testing"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// TestAccess_forged: who can write to the database cannot change who asked, and for what.
func TestAccess_forged(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	s := storetest.Open(t, db, storetest.NewClock())
	a, b := dera.Access{ID: "a-1", Account: "111122223333", Took: []string{"r-1"}, By: dera.Actor{Name: "alice", How: "sts"}}, dera.Access{ID: "a-2", Account: "111122223333", Took: []string{"r-1"}}
	if err := s.Commit(t.Context(), store.Batch{Accesses: []dera.Access{a, b}}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.SQL(t).ExecContext(t.Context(), `UPDATE accesses SET body = (SELECT body FROM accesses WHERE id = 'a-2') WHERE id = 'a-1'`); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Access(t.Context(), "a-1"); !errors.Is(err, store.ErrTorn) {
		t.Errorf("got %+v, %v, want ErrTorn", got, err)
	}
}
