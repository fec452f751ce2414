package app_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/store"
)

// TestPlaces: what is not known is never taken for read.
func TestPlaces(t *testing.T) {
	t.Parallel()
	everywhere := func(store.Place) bool { return true }
	scope := dera.Scope{Account: "1", Region: "a", Type: "t"}
	long := app.KeptUnread(scope, errors.New(strings.Repeat("x\x00", 1<<14)))
	untried := store.Place{Account: "1", Region: "b", Type: "t", Unread: ago(1), Tried: ago(1)}
	read := store.Place{Account: "1", Region: "c", Type: "t", Read: ago(1)}
	denied := store.Place{Account: "1", Region: "a", Type: "t", Unread: ago(2), Tried: ago(1), Why: app.KeptUnread(scope, errors.New("denied"))}
	cut := denied
	cut.Why = long[:min(len(long), 4<<10)] // as the store keeps it
	for _, tt := range []struct {
		name    string
		list    []store.Place
		known   bool
		nothing bool
		unread  int
	}{
		{"empty", nil, false, true, 0},
		{"of_an_earlier_version", nil, true, false, 0},
		{"first_scan_was_interrupted_at_once", []store.Place{untried}, false, true, 1},
		{"first_scan_was_interrupted", []store.Place{untried, read}, false, false, 1},
		{"all_read", []store.Place{read}, false, false, 0},
		{"denied", []store.Place{denied, read}, false, false, 1},
		{"long", []store.Place{cut}, false, false, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := app.NewPlaces(tt.list, everywhere, tt.known)
			if p.Nothing != tt.nothing || len(p.Unread) != tt.unread {
				t.Fatalf("got %+v, want nothing %t and %d unread", p, tt.nothing, tt.unread)
			}
			for _, u := range p.Unread {
				if u.Account != "1" || u.Region == "" || u.Problem == "" || u.Error == "" || u.Since == nil {
					t.Errorf("got %+v, want all of it", u)
				}
			}
		})
	}
	if p := app.NewPlaces([]store.Place{denied, read}, func(store.Place) bool { return false }, false); len(p.Unread) > 0 || p.Nothing {
		t.Errorf("not covered: got %+v", p)
	}
	one := denied
	one.Resource = "sg-1"
	f := dera.Finding{Account: "1", Region: "a", ResourceType: "t", Resource: "arn:aws:ec2:a:1:security-group/sg-1", LastSeen: ago(3)}
	later, other := f, f
	later.LastSeen, other.Resource = ago(1), "arn:aws:ec2:a:1:security-group/sg-2"
	for _, tt := range []struct {
		place store.Place
		f     dera.Finding
		want  bool
	}{{denied, f, true}, {denied, later, false}, {denied, other, true}, {one, f, true}, {one, other, false}, {untried, f, false}} {
		if got := app.NewPlaces([]store.Place{tt.place}, everywhere, true).Misses(tt.f); got != tt.want {
			t.Errorf("%+v misses %s seen %s: got %t", tt.place, tt.f.Resource, tt.f.LastSeen.Format(time.DateOnly), got)
		}
	}
}
