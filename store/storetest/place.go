package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera/store"
)

// places: what could not be read stays unread, since the first try, until it is
// read; what nobody has tried yet is unread too.
func places(w *world) {
	ctx, begin := w.Context(), w.clock.Now()
	at := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Minute) }
	place := func(region, resource string) store.Place {
		return store.Place{Account: account, Region: region, Type: "t", Resource: resource}
	}
	unread := func(region, resource, why string, n int) store.Place {
		p := place(region, resource)
		p.Unread, p.Tried, p.Why = at(n), at(n), why
		return p
	}
	sweep := func(region string, since, n int) store.PlaceRead {
		return store.PlaceRead{Account: account, Region: region, Type: "t", Since: at(since), At: at(n)}
	}
	check := func(what string, want ...store.Place) {
		w.Helper()
		if diff := cmp.Diff(want, must(w.store.Places(ctx))(w)); diff != "" {
			w.Errorf("%s: got (+) and want (-):\n%s", what, diff)
		}
	}
	check("nothing")
	w.commit(store.Batch{Expected: []store.Place{unread("a", "", "", 0), unread("b", "", "", 0)}})
	check("expected", unread("a", "", "", 0), unread("b", "", "", 0))
	w.commit(store.Batch{Unread: []store.Place{unread("a", "", "denied", 1), unread("a", "x", "denied", 1), unread("a", "y", "bad \x00\xff", 1)}})
	w.commit(store.Batch{Unread: []store.Place{unread("a", "", "throttled", 2), unread("a", "y", "denied", 5)}, Read: []store.PlaceRead{sweep("b", 1, 2)}})
	a, b, y := unread("a", "", "throttled", 1), place("b", ""), unread("a", "y", "denied", 1)
	a.Tried, y.Tried, b.Read = at(2), at(5), at(2)
	check("tried again", a, unread("a", "x", "denied", 1), y, b)
	w.commit(store.Batch{Expected: []store.Place{unread("a", "", "", 3), unread("b", "", "", 3)}})
	check("expected again", a, unread("a", "x", "denied", 1), y, b)
	w.commit(store.Batch{Read: []store.PlaceRead{sweep("a", 4, 6)}}) // y was tried while it went on
	a = place("a", "")
	a.Read = at(6)
	check("swept", a, y, b)
	w.commit(store.Batch{Read: []store.PlaceRead{{Account: account, Region: "a", Type: "t", Resources: []string{"y", "z"}, At: at(7)}}})
	check("read alone", a, b)
	w.commit(store.Batch{Unread: []store.Place{unread("a", "", "denied", 8)}})
	again := unread("a", "", "denied", 8)
	again.Read = a.Read
	check("unread again", again, b)
}
