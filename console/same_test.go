package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dera.example/dera"
)

// TestTogether: plans of one shape are approved together, each with the digest that was shown.
func TestTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, one := w.finding(1, dera.High)
	_, two := w.finding(2, dera.High)
	_, worse := w.finding(3, dera.Critical) // another shape
	w.run(t)
	v := w.decider(t)
	w.await(t, func() bool { return strings.Contains(v.get(t, "/?r="+one.ID).body, "2 plans change the same") })
	if got := v.get(t, "/?r="+worse.ID); strings.Contains(got.body, "change the same") {
		t.Errorf("a plan of another shape is offered with others\n%s", got.body)
	}
	page := v.get(t, "/same?r="+one.ID)
	for _, r := range []dera.Remediation{one, two} {
		if !strings.Contains(page.body, `value="`+r.ID+" "+r.Digest+`"`) {
			t.Errorf("the page has no plan %s with its digest\n%s", r.ID, page.body)
		}
	}
	if strings.Contains(page.body, worse.ID) {
		t.Error("the page has a plan of another shape")
	}
	both := url.Values{"r": {one.ID}, "plan": {one.ID + " " + one.Digest, two.ID + " " + two.Digest}}
	for name, form := range map[string]url.Values{
		"none":           {"r": {one.ID}},
		"another shape":  {"r": {one.ID}, "plan": {one.ID + " " + one.Digest, worse.ID + " " + worse.Digest}},
		"another digest": {"r": {one.ID}, "plan": {one.ID + " " + one.Digest, two.ID + " " + one.Digest}},
		"no digest":      {"r": {one.ID}, "plan": {one.ID, two.ID}},
	} {
		if got := v.post(t, "/same", form); got.status < 400 || len(w.ordered()) != 0 {
			t.Errorf("%s: got %d and orders %q\n%s", name, got.status, w.ordered(), got.body)
		}
	}
	viewer := w.visitor(t, dera.Actor{})
	if got := viewer.post(t, "/same", both); got.status != http.StatusForbidden || len(w.ordered()) != 0 {
		t.Errorf("view only: got %d and orders %q", got.status, w.ordered())
	}
	got := v.post(t, "/same", both)
	if got.status != http.StatusOK || !strings.Contains(got.body, "2 of 2 plans were approved") || len(w.ordered()) != 2 {
		t.Fatalf("got %d and orders %q\n%s", got.status, w.ordered(), got.body)
	}
}

// TestTogetherMoved: a plan that moved since the page was made is not approved, and the page says so.
func TestTogetherMoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, one := w.finding(1, dera.Critical)
	_, two := w.finding(2, dera.Critical)
	w.run(t)
	v := w.decider(t)
	w.await(t, func() bool { return strings.Contains(v.get(t, "/?r="+one.ID).body, "2 plans change the same") })
	func() { // after the snapshot, before the order
		defer w.locked()()
		r := w.plans[two.ID]
		r.Digest = strings.Repeat("f", 64)
		w.plans[two.ID] = r
	}()
	form := url.Values{"r": {one.ID}, "plan": {one.ID + " " + one.Digest, two.ID + " " + two.Digest}}
	if got := v.post(t, "/same", form); got.status != http.StatusUnprocessableEntity || len(w.ordered()) != 0 {
		t.Fatalf("critical without a reason: got %d and orders %q", got.status, w.ordered())
	}
	form.Set("reason", "seen")
	got := v.post(t, "/same", form)
	if got.status != http.StatusConflict || !strings.Contains(got.body, "1 of 2 plans were approved") || len(w.ordered()) != 1 || !strings.Contains(w.ordered()[0], one.ID) {
		t.Fatalf("got %d and orders %q\n%s", got.status, w.ordered(), got.body)
	}
}
