package awssim

import (
	"fmt"
	"testing"
	"time"
)

// newTestState returns a state whose clock is moved by hand.
func newTestState() (*regionState, *time.Time) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s := newRegionState(place{"111111111111", "us-east-1"}, newIDSource(1), func() time.Time { return now })
	return s, &now
}

func TestTableRollback(t *testing.T) {
	t.Parallel()
	s, _ := newTestState()
	rows := newTable[group](s)
	old, changed, fresh := &group{name: "old"}, &group{name: "changed"}, &group{name: "fresh"}
	rows.put("a", old)
	rows.put("c", old)
	s.commit()
	writes := s.writes

	rows.put("a", changed)
	rows.put("a", nil)
	rows.put("b", fresh)
	rows.put("c", nil)
	s.rollback()
	if got := rows.get("a", view{}); got != old {
		t.Errorf("changed and deleted row: got %+v, want it as it was", got)
	}
	if got := rows.get("b", view{}); got != nil {
		t.Errorf("new row: got %+v, want none", got)
	}
	n := 0
	for range rows.all {
		n++
	}
	if n != 2 || rows.dead != 0 || s.writes != writes || len(rows.order) != 2 {
		t.Errorf("after rollback: got %d rows, %d dead, %d in order, %d writes more", n, rows.dead, len(rows.order), s.writes-writes)
	}
	rows.put("b", fresh)
	s.commit()
	if got := rows.get("b", view{}); got != fresh || s.writes != writes+1 {
		t.Errorf("put again: got %+v and %d writes more, want it and one", got, s.writes-writes)
	}
}

func TestTableViews(t *testing.T) {
	t.Parallel()
	s, now := newTestState()
	rows := newTable[group](s)
	for _, name := range []string{"first", "second", "third"} {
		rows.put("a", &group{name: name})
		s.commit()
		*now = now.Add(time.Minute)
	}
	rows.put("a", nil)
	s.commit()
	tests := []struct {
		name string
		view view
		want string // empty: the row is not there
	}{
		{"present", view{}, ""},
		{"a_moment_ago", view{lag: time.Second}, "third"},
		{"a_minute_ago", view{lag: time.Minute}, "third"},
		{"more_than_a_minute_ago", view{lag: time.Minute + time.Second}, "second"},
		{"before_it_was", view{lag: time.Hour}, ""},
		{"one_write_ago", view{behind: 1}, "third"},
		{"three_writes_ago", view{behind: 3}, "first"},
		{"before_every_write", view{behind: 100}, ""},
		{"the_older_of_both", view{behind: 1, lag: 2 * time.Minute}, "second"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if row := rows.get("a", tt.view); row != nil {
				got = row.name
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestTableForgets shows that a table under steady change does not grow.
func TestTableForgets(t *testing.T) {
	t.Parallel()
	s, now := newTestState()
	rows := newTable[group](s)
	rows.put("stays", &group{})
	s.commit()
	for i := range 5_000 {
		rows.put("stays", &group{})
		rows.put(fmt.Sprint(i), &group{})
		rows.put(fmt.Sprint(i), nil)
		s.commit()
		*now = now.Add(10 * time.Second)
	}
	perLag := int(remembered / (10 * time.Second))
	if got := len(rows.rows["stays"].versions); got > perLag+2 {
		t.Errorf("versions of one row: got %d, want %d at most", got, perLag+2)
	}
	if got := len(rows.order); got > 4*perLag || got != len(rows.rows) {
		t.Errorf("rows: got %d in order and %d by ID, want %d at most", got, len(rows.rows), 4*perLag)
	}
	n := 0
	for range rows.all {
		n++
	}
	if n != 1 {
		t.Errorf("got %d rows, want the one that stays", n)
	}
}
