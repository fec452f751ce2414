package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"dera.example/dera"
)

// reason writes why.
func (x *tab) reason(form, text string) {
	x.t.Helper()
	x.do(chromedp.SetValue(fmt.Sprintf("form[action$=%q] input[name=reason]", form), text, chromedp.ByQuery))
}

// browserMovedPlan clicks on a page whose plan does not hold any more. Without scripts the page cannot
// bring itself up to date first.
func browserMovedPlan(t *testing.T, b *browser) {
	w := openWorld(t, nil, "redis-test")
	x := w.enter(b, "alice", 1280)
	x.scripts(false)
	x.open(w.base + "/")
	old := w.plan("redis-test")
	w.opens(2, "redis-test", 5432)
	moved := w.plan("redis-test")
	if moved.ID == old.ID && moved.Digest == old.Digest {
		t.Fatal("the plan is the same, so that this shows nothing")
	}
	x.reason("/approve", "as shown")
	if status := x.press("button.yes"); status != 409 {
		t.Errorf("the status is %d, want 409", status)
	}
	x.has("Nothing was approved", dera.ShortDigest(moved.Digest), "5432")
	w.is(moved.ID, dera.Waiting)
	if got := w.state(old.ID); got == dera.Resolved || got == dera.Ready {
		t.Errorf("the old plan is %s", got)
	}
	if got := w.ingress("redis-test"); slices.Equal(got, nil) || !slices.Contains(got, "0.0.0.0/0") {
		t.Errorf("something was carried out: ingress from %v", got)
	}
	x.reason("/approve", "as shown now")
	if status := x.press("button.yes"); status != 200 {
		t.Errorf("the new plan is approved with status %d: %s", status, x.text())
	}
	w.is(moved.ID, dera.Resolved)
}

// browserTwoApprovers has two people answer the same plan: one answer holds, and the other person sees that.
func browserTwoApprovers(t *testing.T, b *browser) {
	w := openWorld(t, nil, "redis-test")
	alice, bob := w.enter(b, "alice", 1280), w.enter(b, "bob", 1280)
	for _, x := range []*tab{alice, bob} {
		x.scripts(false)
		x.open(w.base + "/")
	}
	r := w.plan("redis-test")
	alice.reason("/approve", "the test is over")
	bob.reason("/approve", "the test is over, says bob")
	if status := alice.press("button.yes"); status != 200 {
		t.Fatalf("the approval has status %d: %s", status, alice.text())
	}
	alice.has("Approved")
	w.is(r.ID, dera.Resolved)
	if status := bob.press("button.yes"); status != 409 {
		t.Errorf("the answer that comes second has status %d, want 409", status)
	}
	bob.has("Nothing was")
	if a := w.remediation(r.ID).Approval; !strings.HasSuffix(a.Approver, "/alice") || a.Reason != "the test is over" {
		t.Errorf("what is recorded is %+v, want alice's answer", a)
	}
}

// browserEntry is refused with no session, with one that is not known, and with a link that was used.
func browserEntry(t *testing.T, b *browser) {
	w := openWorld(t, nil)
	x := b.tab(t, 390)
	enters := func(what string, status, want int64) {
		t.Helper()
		if status != want {
			t.Errorf("%s: the status is %d, want %d", what, status, want)
		}
		x.has("dera console")
		x.fits(what)
		b.accessible(x, what)
		if strings.Contains(x.text(), "Findings") {
			t.Errorf("%s: the page has tabs: %s", what, x.text())
		}
	}
	enters("no session", x.open(w.base+"/"), 401)
	x.do(network.SetCookie("dera_console_"+w.base[strings.LastIndexByte(w.base, ':')+1:], strings.Repeat("A", 26)).WithURL(w.base))
	enters("an unknown session", x.open(w.base+"/findings"), 401)
	link := w.link("alice")
	enters("a link that was changed", x.open(link+"x"), 403)
	if status := x.open(link); status != 200 {
		t.Fatalf("the link has status %d", status)
	}
	x.has("alice", "Findings")
	x = b.tab(t, 390)
	enters("a link that was used", x.open(link), 403)
	enters("then", x.open(w.base+"/"), 401)

	x = b.tab(t, 390)
	x.open(w.link("alice"))
	if status := x.open(w.base + "/nothing-here"); status != 404 {
		t.Errorf("a page that there is not has status %d", status)
	}
	x.has("There is no such page")
	b.accessible(x, "a page that there is not")
	x.press("form[action='/out'] button")
	x.has("You left the console")
	enters("left", x.open(w.base+"/"), 401)
}

// browserViewer may look and not order.
func browserViewer(t *testing.T, b *browser) {
	w := openWorld(t, nil, "redis-test")
	x := w.enter(b, "", 1280)
	r := w.plan("redis-test")
	for _, path := range []string{"/", "/r/" + r.ID, "/f/" + r.Findings[0], "/stop"} {
		x.open(w.base + path)
		x.has("view only")
		if n := evaluated[int](x, "document.querySelectorAll('main form button').length"); n != 0 {
			t.Errorf("%s has %d buttons to order something", path, n)
		}
	}
	for path, body := range map[string]string{
		"/r/" + r.ID + "/approve":  "reason=x&digest=" + r.Digest,
		"/r/" + r.ID + "/reject":   "reason=x",
		"/r/" + r.ID + "/rollback": "reason=x",
		"/stop":                    "reason=x",
		"/resume":                  "reason=x",
	} {
		if status := evaluated[int](x, fmt.Sprintf("fetch(%q, {method: 'POST', body: new URLSearchParams(%q)}).then((r) => r.status)", path, body)); status != 403 {
			t.Errorf("POST %s of a view-only session has status %d, want 403", path, status)
		}
	}
	w.is(r.ID, dera.Waiting)
	if stops, err := w.session.store.Stops(t.Context()); err != nil || len(stops) > 0 {
		t.Errorf("there are stops: %v %v", stops, err)
	}
}

// browserWithoutScript approves, rolls back, stops and resumes by forms alone.
func browserWithoutScript(t *testing.T, b *browser) {
	w := openWorld(t, nil, "redis-test")
	x := w.enter(b, "alice", 1280)
	x.scripts(false)
	x.open(w.base + "/")
	r := w.plan("redis-test")
	steps := []struct{ path, form, button, says string }{
		{"/", "/approve", "button.yes", "Approved"},
		{"/r/" + r.ID, "/rollback", ".rollback button", "The rollback of " + r.ID},
		{"/stop", "/stop", ".stopping button", "Stopped."},
		{"/stop", "/resume", ".stopped button", "Resumed."},
	}
	for _, s := range steps {
		x.open(w.base + s.path)
		if s.form == "/rollback" {
			x.do(chromedp.Click(".rollback summary", chromedp.ByQuery))
		}
		x.reason(s.form, "by a form alone")
		if status := x.press(s.button); status != 200 {
			t.Fatalf("%s has status %d: %s", s.form, status, x.text())
		}
		x.has(s.says)
		w.calm()
		switch state := w.state(r.ID); {
		case s.form == "/approve" && state != dera.Resolved, s.form == "/rollback" && state != dera.RolledBack:
			t.Fatalf("after %s the remediation is %s", s.form, state)
		}
	}
	if stops, err := w.session.store.Stops(t.Context()); err != nil || len(stops) > 0 {
		t.Errorf("the stop was not lifted: %v %v", stops, err)
	}
	x.calm("without scripts")
}
