package engine_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera"
)

// TestPastThatCannotBeRead: that the database does not say whether a resource has a past is an error of the look,
// and not a resource that AWS does not let dera read.
func TestPastThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(w *world) { w.mode = dera.Observe })
	id := w.group("web", tcp(443, 443, "10.0.0.0/8"))
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "dera.db"))
	if err == nil {
		t.Cleanup(func() { _ = db.Close() })
		w.authorize(id, tcp(22, 22, "0.0.0.0/0"))
		w.look(id)
		w.revoke(id, tcp(22, 22, "0.0.0.0/0"))
		_, err = db.ExecContext(t.Context(), `UPDATE findings SET body = '{'`)
	}
	if err != nil {
		t.Fatal(err)
	}
	err = w.engine.LookNow(t.Context(), w.event(id), false)
	if err == nil || !strings.Contains(err.Error(), "finding") {
		t.Errorf("got %v, want that the findings cannot be read", err)
	}
	if got := w.unreadPlaces(); len(got) > 0 {
		t.Errorf("unread: got %q, want none", got)
	}
}
