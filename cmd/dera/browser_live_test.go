package main

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"dera.example/dera"
	"dera.example/dera/engine"
)

// browserLive sees what is new without loading a page, and keeps what somebody writes.
func browserLive(t *testing.T, b *browser) {
	w := openWorld(t, nil, "redis-test")
	inbox, findings := w.enter(b, "alice", 1280), w.enter(b, "alice", 1280)
	findings.open(w.base + "/findings")
	for _, x := range []*tab{inbox, findings} {
		x.do(chromedp.Evaluate("window.loadedOnce = true", nil))
	}
	inbox.keys("r")
	inbox.keys("half a sent")
	w.happens("bastion-eu")
	for _, x := range []*tab{inbox, findings} {
		x.until("document.querySelector('#list').innerText.includes('bastion-eu')")
		if !evaluated[bool](x, "window.loadedOnce === true") {
			t.Error("the page was loaded again")
		}
	}
	inbox.keys("ence")
	if got := evaluated[string](inbox, "document.activeElement.value"); got != "half a sentence" {
		t.Errorf("of what was written stays %q", got)
	}
	if status := inbox.loads(pressed(kb.Enter)); status != 200 {
		t.Fatalf("the rejection has status %d", status)
	}
	inbox.has("Rejected")
	w.is(w.plan("bastion-eu").ID, dera.Waiting)
	inbox.calm("inbox")
	findings.calm("findings")
}

// browserLiveFocus has the focus on "Approve" when a worse plan comes first: Enter approves the plan that
// the person saw, or none.
func browserLiveFocus(t *testing.T, b *browser) {
	w := openWorld(t, nil, "analytics-reports")
	x := w.enter(b, "alice", 1280)
	seen := evaluated[string](x, "document.querySelector('.chosen .digest code').innerText")
	x.keys("a")
	w.happens("bastion-eu")
	x.until("document.querySelector('#list').innerText.includes('bastion-eu')")
	if got := evaluated[string](x, "document.querySelector('.chosen .digest code').innerText"); got != seen {
		t.Errorf("the plan beside the list is %s, want %s as before", got, seen)
	}
	if !evaluated[bool](x, "document.activeElement.matches('button.yes')") {
		t.Error("the approval does not have the focus any more")
	}
	w.is(w.plan("bastion-eu").ID, dera.Waiting)
}

// browserLiveStop writes on the page of stops while somebody else stops: no form becomes another.
func browserLiveStop(t *testing.T, b *browser) {
	w := openWorld(t, nil)
	x := b.tab(t, 1280)
	x.open(w.link("alice"))
	x.open(w.base + "/stop")
	x.do(chromedp.SendKeys(".stopping input[name=reason]", "an incident in the sh", chromedp.ByQuery))
	other := dera.Stop{Account: w.world.accts[1].ID, Reason: "a release"}
	if err := (engine.Switch{Store: w.session.store, Now: w.now}).Stop(t.Context(), other, w.session.person()); err != nil {
		t.Fatal(err)
	}
	x.until("document.querySelector('form.stopped') !== null")
	x.keys("op")
	if got := evaluated[string](x, "document.activeElement.form.className + ': ' + document.activeElement.value"); got != "stopping: an incident in the shop" {
		t.Errorf("what was written is in the form %q", got)
	}
	if status := x.loads(pressed(kb.Enter)); status != 200 {
		t.Fatalf("the stop has status %d", status)
	}
	x.has("an incident in the shop", "a release")
	stops, err := w.session.store.Stops(t.Context())
	if err != nil || len(stops) != 2 {
		t.Errorf("there are %d stops, want 2: %v", len(stops), err)
	}
	x.calm("stop")
}
