package engine_test

import (
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/services"
)

// blame asks whether dera refused a connection at a time.
func (w *world) blame(from, to string, port uint16, at time.Time) app.Why {
	w.t.Helper()
	size, err := w.store.LogSize(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	q := app.Question{Connection: &app.RefusedConnection{From: from, To: to, Port: port, Protocol: "tcp"}, At: &at}
	if err := q.Validate(); err != nil {
		w.t.Fatal(err)
	}
	out, err := app.Whyer{Store: w.store, Types: services.Types(), Now: w.clock.Now(), Size: size}.Ask(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestWhy: of a port that dera closed the record says so, before the fix, while it is in
// effect, and after its rollback; what it did not close is ruled out.
func TestWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.group("web", tcp(22, 22, "0.0.0.0/0"), tcp(443, 443, "0.0.0.0/0"), tcp(22, 22, "198.51.100.0/24"))
	start := w.clock.Now()
	w.clock.Advance(time.Hour)
	w.look(id)
	fix := w.in(id, dera.Resolved)
	w.clock.Advance(time.Hour)
	during := w.clock.Now()
	w.clock.Advance(time.Hour)
	if _, err := w.rollback(fix.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Hour)
	tests := []struct {
		name string
		from string
		port uint16
		at   time.Time
		want app.Blame
	}{
		{"before_the_fix", "203.0.113.7", 22, start, app.BlameNo},
		{"while_it_was_in_effect", "203.0.113.7", 22, during, app.BlameYes},
		{"as_it_was_made", "203.0.113.7", 22, start.Add(time.Hour), app.BlameUnknown},
		{"after_the_rollback", "203.0.113.7", 22, w.clock.Now(), app.BlameNo},
		{"from_where_it_stayed_open", "198.51.100.7", 22, during, app.BlameNo},
		{"a_port_that_stayed_open", "203.0.113.7", 443, during, app.BlameNo},
	}
	for _, tt := range tests {
		got := w.blame(tt.from, id, tt.port, tt.at)
		if got.Answer != tt.want {
			t.Errorf("%s: got %+v, want %s", tt.name, got, tt.want)
		}
		if tt.want == app.BlameYes && (got.Did[0].Remediation != fix.ID || got.Did[0].Undo != "") {
			t.Errorf("%s: got %+v, want %s, which is rolled back already", tt.name, got.Did, fix.ID)
		}
	}
	leaves, err := w.store.Leaves(t.Context(), w.blame("203.0.113.7", id, 22, during).Did[0].Record, 1)
	if err != nil || len(leaves) != 1 {
		t.Fatalf("got %d records, %v", len(leaves), err)
	}
}
