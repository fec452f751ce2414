package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

// asked is a custom action of Security Hub on a group.
func (w *world) asked(id string) dera.Event {
	ev := w.event(id)
	ev.Source, ev.Name, ev.Now, ev.Authenticated = "sqs", "the custom action Fix of Security Hub", true, true
	return ev
}

// TestNow_goes_first: what a person asks for goes before a thousand hints that wait, and is not
// lost where a later event names the same resource.
func TestNow_goes_first(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, last := w.group("a", tcp(22, 22, "0.0.0.0/0")), w.group("b", tcp(22, 22, "0.0.0.0/0"))
	w.ingest(w.event(first))
	w.ingest(w.asked(last), w.event(last))
	jobs, err := w.store.Claim(t.Context(), "x", 1, time.Minute)
	if err != nil || len(jobs) != 1 || !strings.Contains(jobs[0].Key, last) || !strings.Contains(string(jobs[0].Payload), `"now":true`) {
		t.Fatalf("got %+v, %v, want the look that was asked for", jobs, err)
	}
}

// TestNow_asks_again: a plan that nobody answered is made again, waits for the same approval, and
// says who asked as far as is known. A custom action that anybody could have sent does not.
func TestNow_asks_again(t *testing.T) {
	t.Parallel()
	for _, authenticated := range []bool{true, false} {
		w := newWorld(t)
		w.stop()
		id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
		w.look(id)
		w.clock.Advance(73 * time.Hour)
		w.drain()
		ev := w.asked(id)
		ev.Authenticated = authenticated
		w.ingest(ev)
		w.drain()
		want := []dera.State{dera.Expired}
		if authenticated {
			want = append(want, dera.Waiting)
		}
		list := w.remediations(id)
		if got := states(list); !slices.Equal(got, want) {
			t.Fatalf("authenticated %t: got %q, want %q", authenticated, got, want)
		}
		if notes := strings.Join(list[len(list)-1].Notes, " "); authenticated && !strings.Contains(notes, "Asked for by the custom action Fix of Security Hub") {
			t.Errorf("got the notes %q, want who asked", notes)
		}
		if got := w.ingress(id); len(got) == 0 {
			t.Error("it was closed without an approval")
		}
	}
}
