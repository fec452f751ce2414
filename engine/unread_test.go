package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	s3account "dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"
)

// unreadPlaces are the places that are unread, as the store keeps them.
func (w *world) unreadPlaces() (out []string) {
	w.t.Helper()
	list, err := w.store.Places(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range list {
		if !p.Unread.IsZero() {
			out = append(out, fmt.Sprintf("%s %s tried=%t", p.Type, p.Resource, p.Why != ""))
		}
	}
	return out
}

// TestUnreadPlacesAreKept: what a sweep did not read is unread for whoever asks
// later, until it is read.
func TestUnreadPlacesAreKept(t *testing.T) {
	t.Parallel()
	w := newBucketWorld(t, nil)
	look := func() {
		for _, s := range w.engine.Scopes() {
			_ = w.engine.LookNow(t.Context(), dera.Event{Source: "scan", Name: "scan", Scope: s, Time: w.clock.Now()}, false)
		}
	}
	check := func(what string, want ...string) {
		t.Helper()
		if got := w.unreadPlaces(); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	check("before anything")
	if err := w.engine.Expect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.unreadPlaces()); n != len(w.engine.Scopes()) {
		t.Errorf("before the first look: got %d places, want all", n)
	}
	look()
	check("all was read")

	denied := w.cloud.Inject(awssim.Fault{Match: awssim.Match{Operation: "ListBuckets"}, Kind: awssim.Denied})
	look()
	check("places", s3account.Name+"  tried=true", bucket.Name+"  tried=true")
	denied.Remove()
	look()
	check("the place again")

	denied = w.cloud.Inject(awssim.Fault{Match: sickCalls("s3", "GetBucketAcl", "reports"), Kind: awssim.Rewrite, Answer: says(200, proxy)})
	look()
	check("one resource", bucket.Name+" reports tried=true")
	w.clock.Advance(1e9)
	look()
	check("one resource, after another sweep", bucket.Name+" reports tried=true")
	denied.Remove()
	if err := w.engine.LookNow(t.Context(), w.bucketEvent("reports"), false); err != nil {
		t.Fatal(err)
	}
	check("the resource again")
}
