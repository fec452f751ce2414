package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"dera.example/dera"
)

// browserKeyboard approves with three keys: j for the next plan, a, Enter.
func browserKeyboard(t *testing.T, b *browser) {
	w := openWorld(t, nil, "bastion-eu", "analytics-reports", "invoice-worker")
	x := w.enter(b, "alice", 1280)
	first, second := listed(x, 0), listed(x, 1)
	if r := w.remediation(first); r.Severity != dera.Critical {
		t.Fatalf("the first plan is %s, want one that is critical", r.Severity)
	}
	r := w.remediation(second)
	if r.Severity == dera.Critical {
		t.Fatal("the second plan is critical too, so that three keys do not approve it")
	}
	if status := x.loads(pressed("j")); status != 200 {
		t.Fatalf("the next plan has status %d", status)
	}
	x.keys("a")
	if status := x.loads(pressed(kb.Enter)); status != 200 {
		t.Fatalf("the approval has status %d: %s", status, x.text())
	}
	x.has("Approved")
	w.is(second, dera.Resolved)
	w.is(first, dera.Waiting)
	if r := w.remediation(second); !r.Approved() || !strings.HasSuffix(r.Approval.Approver, "/alice") {
		t.Errorf("the approval is recorded as %+v, want one by alice", r.Approval)
	}
	x.open(w.base + "/r/" + second)
	x.shows("resolved")
	x.calm("keyboard")
}

// listed is the ID of a plan in the list of the page.
func listed(x *tab, i int) string {
	return evaluated[string](x, fmt.Sprintf("new URL(document.querySelectorAll('#list a')[%d].href).searchParams.get('r')", i))
}

func (w *browserWorld) remediation(id string) dera.Remediation {
	w.t.Helper()
	r, err := w.session.store.Remediation(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// browserFastKeys types faster than pages load: whatever that comes to, the plan that the person went
// away from is not approved.
func browserFastKeys(t *testing.T, b *browser) {
	w := openWorld(t, nil, "analytics-reports", "invoice-worker")
	x := w.enter(b, "alice", 1280)
	first := listed(x, 0)
	for _, key := range []string{"j", "a", kb.Enter} {
		x.keys(key)
	}
	x.until("location.search.includes('r=')")
	w.is(first, dera.Waiting)
}

// browserReject rejects with r, a reason, Enter.
func browserReject(t *testing.T, b *browser) {
	w := openWorld(t, nil, "redis-test")
	r := w.plan("redis-test")
	x := w.enter(b, "alice", 1280)
	x.keys("r")
	x.keys("the cache is public for a test until Friday")
	if status := x.loads(pressed(kb.Enter)); status != 200 {
		t.Fatalf("the rejection has status %d: %s", status, x.text())
	}
	x.has("Rejected")
	w.is(r.ID, dera.Rejected)
	if got := w.ingress("redis-test"); !slices.Contains(got, "0.0.0.0/0") {
		t.Errorf("the rejected plan was carried out: ingress from %v", got)
	}
	x.open(w.base + "/r/" + r.ID)
	x.has("rejected", "the cache is public for a test until Friday")
	x.calm("reject")
}
