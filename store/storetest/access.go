package storetest

import (
	"errors"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/store"
)

// accesses are all kept, each once; an end is set once.
func accesses(w *world) {
	ctx, now := w.Context(), w.clock.Now()
	ask := func(id, typ string, at time.Time, until time.Time, took ...string) dera.Access {
		return dera.Access{ID: id, Principal: "arn:aws:iam::111122223333:role/app", Account: account, Type: typ, Name: "app", Actions: []string{"sqs:CreateQueue"},
			Until: until.UTC(), Took: took, Reason: "<&>", By: dera.Actor{Name: "alice", How: "sts"}, At: at.UTC()}
	}
	check := func(what string, got []dera.Access, want ...dera.Access) {
		w.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("%s: got (+) and want (-):\n%s", what, diff)
		}
	}
	check("none", must(w.store.Accesses(ctx))(w))
	first, good, other := ask("a-1", group, now, now.Add(time.Hour), "r-1", "r-2"), ask("a-2", group, now.Add(time.Second), time.Time{}, "r-2"), ask("a-3", "another", now.Add(2*time.Second), now.Add(time.Hour), "r-3")
	good.Until = time.Time{}
	w.commit(store.Batch{Accesses: []dera.Access{other, good}})
	w.commit(store.Batch{Accesses: []dera.Access{first}})
	w.commit(store.Batch{Accesses: []dera.Access{first}}) // a commit that is made again
	check("all, the oldest first", must(w.store.Accesses(ctx))(w), first, good, other)
	check("in a place", must(w.store.AccessesIn(ctx, account, group))(w), first, good)
	check("in another account", must(w.store.AccessesIn(ctx, "444455556666", group))(w))
	check("after a remediation", must(w.store.AccessesAfter(ctx, "r-2"))(w), first, good)
	check("none is due", must(w.store.AccessesDue(ctx))(w))
	if got := must(w.store.Access(ctx, "a-2"))(w); !cmp.Equal(got, good) {
		w.Errorf("got %+v, want %+v", got, good)
	}
	if _, err := w.store.Access(ctx, "a-4"); !errors.Is(err, store.ErrNotFound) {
		w.Errorf("one that is not there: got %v, want %v", err, store.ErrNotFound)
	}
	w.clock.Advance(time.Hour)
	check("due, and none that is for good", must(w.store.AccessesDue(ctx))(w), first, other)
	first.End = &dera.AccessEnd{State: dera.AccessEnded, At: w.clock.Now().UTC(), Why: "its time is over"}
	w.commit(store.Batch{Accesses: []dera.Access{first}})
	check("an end", must(w.store.AccessesDue(ctx))(w), other)
	again := first
	again.End = &dera.AccessEnd{State: dera.AccessLeft, At: w.clock.Now().UTC()}
	if err := w.store.Commit(ctx, store.Batch{Accesses: []dera.Access{again}}); !errors.Is(err, store.ErrConflict) {
		w.Errorf("a second end: got %v, want %v", err, store.ErrConflict)
	}
	if got := must(w.store.Access(ctx, "a-1"))(w); !cmp.Equal(got, first) {
		w.Errorf("got %+v, want %+v", got, first)
	}
}
