package console_test

import (
	"bufio"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/console"
)

// TestWholePlanIsShown: a plan that changes a policy and more is shown with all that it changes.
func TestWholePlanIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, r := w.finding(1, dera.High)
	w.run(t)
	func() {
		defer w.locked()()
		r.Plan.Changes = append(r.Plan.Changes, dera.Change{Operation: "s3:PutPublicAccessBlock", Diff: []string{"+ BlockPublicAcls"}})
		w.plans[r.ID] = r
		w.policy = "--- before\n+++ after\n@@ -1,2 +1 @@\n {\n-  everyone\n"
	}()
	v := w.decider(t)
	for _, path := range []string{"/?r=" + r.ID, "/r/" + r.ID} {
		got := v.get(t, path).body
		for _, want := range []string{"+ BlockPublicAcls", "− tcp 22 from 0.0.0.0/0", "− &#32; everyone"} {
			if want = strings.ReplaceAll(want, "&#32;", ""); !strings.Contains(got, want) {
				t.Errorf("%s: is without %q\n%s", path, want, got)
			}
		}
	}
}

// TestLinkOnlyByHand: a page elsewhere puts nobody into the session of somebody else, and what fetches a
// link ahead does not use it up.
func TestLinkOnlyByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, err := w.links.Make(dera.Actor{Name: person, How: "console"})
	if err != nil {
		t.Fatal(err)
	}
	nobody := visitor{&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, w.server.URL}
	ask := func(method, header, value string) answer {
		r, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+"/in?"+url.Values{"t": {token}}.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			r.Header.Set(header, value)
		}
		return nobody.do(t, r)
	}
	for _, got := range []answer{ask("HEAD", "", ""), ask("GET", "Sec-Fetch-Site", "cross-site"), ask("GET", "Sec-Fetch-Site", "same-site"), ask("GET", "Sec-Purpose", "prefetch")} {
		if got.status != http.StatusForbidden || got.header.Get("Set-Cookie") != "" {
			t.Errorf("got %d and %q, want 403", got.status, got.header.Get("Set-Cookie"))
		}
	}
	w.onceErr = errors.New("away")
	if got := ask("GET", "Sec-Fetch-Site", "none"); got.status != http.StatusServiceUnavailable || strings.Contains(got.body, "not valid any more") {
		t.Errorf("not checked: got %d\n%s", got.status, got.body)
	}
	w.onceErr = nil
	got := ask("GET", "Sec-Fetch-Site", "none")
	if _, port, _ := strings.Cut(w.server.Listener.Addr().String(), ":"); got.status != http.StatusSeeOther || !strings.Contains(got.header.Get("Set-Cookie"), "dera_console_"+port+"=") {
		t.Errorf("by hand: got %d and %q", got.status, got.header.Get("Set-Cookie"))
	}
}

// TestRefusedIsNotReplaced: only a plan that does not wait any more is replaced by one that does.
func TestRefusedIsNotReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f, r := w.finding(1, dera.High)
	w.run(t)
	v := w.decider(t)
	form := url.Values{"digest": {r.Digest}}
	next := r
	next.ID, next.State, next.Digest = "r-next", dera.Resolved, strings.Repeat("ab", 32)
	func() {
		defer w.locked()()
		f.Remediation = next.ID
		w.plans[next.ID], w.findings[f.ID] = next, f
	}()
	w.refuse = &console.Refused{Why: "the person is the cause"}
	if got := v.post(t, "/r/"+r.ID+"/approve", form); got.status != http.StatusConflict || !strings.Contains(got.body, "the person is the cause") || strings.Contains(got.body, "waits now") {
		t.Errorf("refused for another reason: got %d\n%s", got.status, got.body)
	}
	w.refuse = errors.New("the connection broke after the commit")
	if got := v.post(t, "/r/"+r.ID+"/approve", form); got.status != http.StatusServiceUnavailable || strings.Contains(got.body, "Nothing was") || !strings.Contains(got.body, "not known whether") {
		t.Errorf("failed: got %d\n%s", got.status, got.body)
	}
	w.refuse = nil
	func() {
		defer w.locked()()
		r.State, next.State = dera.Superseded, dera.Waiting
		w.plans[r.ID], w.plans[next.ID] = r, next
	}()
	got := v.post(t, "/r/"+r.ID+"/approve", form)
	if got.status != http.StatusConflict || !strings.Contains(got.body, "waits now") || !strings.Contains(got.body, next.Digest) {
		t.Errorf("moved, before the list has it: got %d\n%s", got.status, got.body)
	}
}

// TestConflictWithAnEmptyList: the plan that waits now is shown before the list has it.
func TestConflictWithAnEmptyList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t) // the list is empty
	v := w.decider(t)
	_, r := w.finding(1, dera.Critical)
	got := v.post(t, "/r/"+r.ID+"/approve", url.Values{"digest": {r.Digest}})
	if got.status != http.StatusUnprocessableEntity || strings.Contains(got.body, "Nothing waits") || !strings.Contains(got.body, r.Digest) {
		t.Errorf("got %d\n%s", got.status, got.body)
	}
}

// TestSecondClick: who clicks twice is not said that nothing was done.
func TestSecondClick(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, r := w.finding(1, dera.High)
	w.run(t)
	v := w.decider(t)
	func() {
		defer w.locked()()
		r.State, r.Approval = dera.Applying, &dera.Approval{Approver: person, Approved: true, Digest: r.Digest, At: w.now}
		w.plans[r.ID] = r
	}()
	form := url.Values{"digest": {r.Digest}, "reason": {"x"}}
	if got := v.post(t, "/r/"+r.ID+"/approve", form); got.status != http.StatusSeeOther {
		t.Errorf("the second click: got %d\n%s", got.status, got.body)
	}
	w.refuse = &console.Refused{Why: "it is applying"}
	if got := v.post(t, "/r/"+r.ID+"/reject", form); got.status != http.StatusConflict {
		t.Errorf("a rejection after the approval: got %d", got.status)
	}
	w.advance(2 * time.Minute)
	if got := v.post(t, "/r/"+r.ID+"/approve", form); got.status != http.StatusConflict {
		t.Errorf("long after: got %d", got.status)
	}
}

// TestStopsAsTheyAre: the banner follows the stops, the page of stops says "Stopped" while it is so, and a
// stop that was given again is not lifted by who saw the one before.
func TestStopsAsTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t)
	v := w.decider(t)
	set := func(list ...dera.Stop) { defer w.locked()(); w.stopped = list }
	banner := func() bool { return strings.Contains(v.get(t, "/").body, "Stopped everywhere") }
	set(dera.Stop{Reason: "incident", By: person, At: w.Now()})
	w.await(t, banner)
	seen := w.Now().Format(time.RFC3339Nano)
	if got := v.get(t, "/stop?account=&control=&done=stopped").body; !strings.Contains(got, "Stopped.<") || !strings.Contains(got, seen) {
		t.Errorf("stopped:\n%s", got)
	}
	w.advance(time.Second)
	set(dera.Stop{Reason: "another incident", By: "bob", At: w.Now()})
	form := url.Values{"reason": {"over"}, "at": {seen}}
	if got := v.post(t, "/resume", form); got.status != http.StatusUnprocessableEntity || len(w.ordered()) > 0 || !strings.Contains(got.body, "another incident") {
		t.Errorf("another stop: got %d and %q\n%s", got.status, w.ordered(), got.body)
	}
	form.Set("at", w.Now().Format(time.RFC3339Nano))
	if got := v.post(t, "/resume", form); got.status != http.StatusSeeOther {
		t.Errorf("the stop that was seen: got %d\n%s", got.status, got.body)
	}
	set()
	if got := v.get(t, "/stop?account=&control=&done=stopped").body; strings.Contains(got, "Stopped.<") {
		t.Errorf("resumed since:\n%s", got)
	}
	w.await(t, func() bool { return !banner() })
}

// TestStreamOfAPageThatMissedSomething: a page that was made before the stream began, or whose stream was
// closed for a while, hears of it; and no bound of the server on a request ends the stream.
func TestStreamOfAPageThatMissedSomething(t *testing.T) {
	t.Parallel()
	const bound = 300 * time.Millisecond
	w := newWorld(t, func(s *http.Server) { s.ReadTimeout = bound })
	w.run(t)
	v := w.visitor(t, dera.Actor{})
	open := func(since, last string) *bufio.Scanner {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/live?since="+since, nil)
		if err != nil {
			t.Fatal(err)
		}
		if last != "" {
			r.Header.Set("Last-Event-ID", last)
		}
		res, err := v.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return bufio.NewScanner(res.Body)
	}
	for _, s := range []*bufio.Scanner{open("-1", ""), open("0", "77777")} {
		if !s.Scan() || s.Text() != "event: changed" {
			t.Errorf("got %q, want that there is news", s.Text())
		}
	}
	s := open("", "")
	<-time.After(3 * bound)
	w.finding(1, dera.High)
	for s.Scan() {
		if s.Text() == "event: changed" {
			return
		}
	}
	t.Error("the stream ended with the bound on reading a request")
}

// TestClock: a plan whose time is over is not said to have some left.
func TestClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.finding(1, dera.High)
	w.run(t)
	w.advance(80 * time.Hour)
	v := w.visitor(t, dera.Actor{})
	if got := v.get(t, "/").body; strings.Contains(got, "-") && strings.Contains(got, " s left") || !strings.Contains(got, "expired") {
		t.Errorf("got\n%s", got)
	}
}

// TestBegunIsNotNothing: of a rollback that ended otherwise than it was ordered, nobody says that nothing
// was done.
func TestBegunIsNotNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, r := w.finding(1, dera.High)
	w.run(t)
	v := w.decider(t)
	for begun, want := range map[bool]string{true: "It did not end as ordered: the rest", false: "Nothing was done: the rest"} {
		w.refuse = &console.Refused{Why: "the rest", Begun: begun}
		if got := v.post(t, "/r/"+r.ID+"/rollback", url.Values{"reason": {"x"}}); got.status != http.StatusConflict || !strings.Contains(got.body, want) {
			t.Errorf("got %d, want %q\n%s", got.status, want, got.body)
		}
	}
	func() { defer w.locked()(); w.away = errors.New("host=secret.example") }()
	w.await(t, func() bool { return strings.Contains(v.get(t, "/findings").body, "does not answer") })
	if got := v.get(t, "/findings").body; strings.Contains(got, "secret.example") {
		t.Errorf("the page has the error of the database\n%s", got)
	}
}

// TestSilentStore: a store that does not even fail is said not to answer.
func TestSilentStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t)
	v := w.decider(t)
	w.hangs.Store(true)
	w.await(t, func() bool {
		w.advance(time.Minute)
		return strings.Contains(v.get(t, "/findings").body, "does not answer")
	})
}
