package console_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/console"
)

func TestWhoGetsIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t)
	w.finding(1, dera.High)
	nobody := visitor{&http.Client{}, w.server.URL}
	for _, path := range []string{"/", "/overview", "/findings", "/f/f-1", "/r/r-1", "/stop", "/live", "/nothing"} {
		if got := nobody.get(t, path); got.status != http.StatusUnauthorized || strings.Contains(got.body, "SSH") {
			t.Errorf("%s without a session: got %d\n%s", path, got.status, got.body)
		}
	}
	token, err := w.links.Make(dera.Actor{Name: person, How: "console"})
	if err != nil {
		t.Fatal(err)
	}
	forged := func(change func(string) string) string { return change(token) }
	for name, bad := range map[string]string{
		"none": "", "changed": forged(func(s string) string { return "A" + s[1:] }), "cut": token[:len(token)-4], "no_seal": token[:strings.IndexByte(token, '.')],
	} {
		if got := nobody.get(t, "/in?"+url.Values{"t": {bad}}.Encode()); got.status != http.StatusForbidden {
			t.Errorf("link %s: got %d, want 403", name, got.status)
		}
	}
	in := "/in?" + url.Values{"t": {token}}.Encode()
	once := visitor{&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, w.server.URL}
	first := once.get(t, in)
	if cookie := first.header.Get("Set-Cookie"); first.status != http.StatusSeeOther || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") {
		t.Errorf("the link: got %d with the cookie %q", first.status, cookie)
	}
	if got := once.get(t, in); got.status != http.StatusForbidden {
		t.Errorf("the link again: got %d, want 403", got.status)
	}
	late, err := w.links.Make(dera.Actor{})
	if err != nil {
		t.Fatal(err)
	}
	w.advance(console.LinkFor + time.Second)
	if got := nobody.get(t, "/in?"+url.Values{"t": {late}}.Encode()); got.status != http.StatusForbidden {
		t.Errorf("a link that is too old: got %d, want 403", got.status)
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t)
	v := w.decider(t)
	for range 5 { // used, it goes on, for 12 hours at most
		w.advance(110 * time.Minute)
		if got := v.get(t, "/stop"); got.status != http.StatusOK {
			t.Fatalf("in use: got %d", got.status)
		}
	}
	w.advance(3 * time.Hour)
	if got := v.get(t, "/stop"); got.status != http.StatusUnauthorized || !strings.Contains(got.body, "dera console --data d") {
		t.Errorf("after 12 hours: got %d\n%s", got.status, got.body)
	}
	v = w.decider(t)
	w.advance(time.Hour)
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/stop", nil)
	r.Header.Set("HX-Request", "true") // a page that fetches itself again keeps nobody in
	v.do(t, r)
	w.advance(61 * time.Minute)
	if got := v.get(t, "/stop"); got.status != http.StatusUnauthorized {
		t.Errorf("two hours without use: got %d, want 401", got.status)
	}
	v = w.decider(t)
	v.post(t, "/out", nil)
	if got := v.get(t, "/stop"); got.status != http.StatusUnauthorized {
		t.Errorf("after leaving: got %d, want 401", got.status)
	}
}

// TestNobodyElseOrders: other sites, other names of this machine, and view-only sessions.
func TestNobodyElseOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, r := w.finding(1, dera.High)
	w.run(t)
	v, looks := w.decider(t), w.visitor(t, dera.Actor{})
	form := url.Values{"digest": {r.Digest}, "reason": {"why"}}
	for _, path := range []string{"/r/" + r.ID + "/approve", "/r/" + r.ID + "/reject", "/r/" + r.ID + "/rollback", "/stop", "/resume"} {
		for name, got := range map[string]answer{
			"another_site":      v.post(t, path, form, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }),
			"another_origin":    v.post(t, path, form, func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "https://evil.example") }),
			"who_looks":         looks.post(t, path, form),
			"without_session":   visitor{&http.Client{}, w.server.URL}.post(t, path, form),
			"by_a_request_read": v.get(t, path+"?"+form.Encode()),
		} {
			if name == "by_a_request_read" && (path == "/stop" && got.status == http.StatusOK || got.status == http.StatusNotFound || got.status == http.StatusMethodNotAllowed) {
				continue // the page of the same name
			}
			if got.status != http.StatusForbidden && got.status != http.StatusUnauthorized {
				t.Errorf("%s %s: got %d", name, path, got.status)
			}
		}
		if got := v.post(t, path, form, func(r *http.Request) { r.Host = "evil.example" }); got.status != http.StatusMisdirectedRequest {
			t.Errorf("another name, %s: got %d, want 421", path, got.status)
		}
	}
	if got := w.ordered(); len(got) > 0 {
		t.Errorf("got the orders %q, want none", got)
	}
	if got := looks.get(t, "/"); strings.Contains(got.body, `action="/r/`) || !strings.Contains(got.body, "view only") {
		t.Errorf("who looks has buttons:\n%s", got.body)
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, high := w.finding(1, dera.High)
	_, critical := w.finding(2, dera.Critical)
	w.run(t)
	v := w.decider(t)
	for _, tt := range []struct {
		name, path string
		form       url.Values
		status     int
		order      string // empty: nothing is ordered
	}{
		{"approve", "/r/" + high.ID + "/approve", url.Values{"digest": {high.Digest}}, 303, fmt.Sprintf("approve %s %s %q by %s (console)", high.ID, high.Digest, "", person)},
		{"without_a_digest", "/r/" + high.ID + "/approve", url.Values{}, 400, ""},
		{"critical_without_a_reason", "/r/" + critical.ID + "/approve", url.Values{"digest": {critical.Digest}, "reason": {"  "}}, 422, ""},
		{"critical_with_a_reason", "/r/" + critical.ID + "/approve", url.Values{"digest": {critical.Digest}, "reason": {"seen"}}, 303, fmt.Sprintf("approve %s %s %q by %s (console)", critical.ID, critical.Digest, "seen", person)},
		{"reason_too_long", "/r/" + high.ID + "/reject", url.Values{"reason": {strings.Repeat("x", 501)}}, 422, ""},
		{"reject_without_a_reason", "/r/" + high.ID + "/reject", url.Values{}, 422, ""},
		{"reject", "/r/" + high.ID + "/reject", url.Values{"reason": {"in use"}}, 303, fmt.Sprintf("reject %s %q by %s", high.ID, "in use", person)},
		{"unknown", "/r/r-none/approve", url.Values{"digest": {high.Digest}}, 404, ""},
		{"rollback", "/r/" + high.ID + "/rollback", url.Values{"reason": {"broke"}, "partial": {"yes"}}, 303, fmt.Sprintf("roll back %s %q partial true by %s", high.ID, "broke", person)},
		{"stop_without_a_reason", "/stop", url.Values{"account": {account}}, 422, ""},
		{"stop", "/stop", url.Values{"account": {account}, "reason": {"incident"}}, 303, fmt.Sprintf("stop account %s %q by %s", account, "incident", person)},
		{"resume", "/resume", url.Values{"account": {account}, "reason": {"over"}}, 303, fmt.Sprintf("resume account %s %q by %s", account, "over", person)},
		{"too_much", "/stop", url.Values{"reason": {strings.Repeat("x", 100<<10)}}, 400, ""},
	} {
		before := len(w.ordered())
		got := v.post(t, tt.path, tt.form)
		did := w.ordered()[before:]
		want := []string{}
		if tt.order != "" {
			want = []string{tt.order}
		}
		if got.status != tt.status || !slices.Equal(did, want) {
			t.Errorf("%s: got %d and %q, want %d and %q\n%s", tt.name, got.status, did, tt.status, want, got.body)
		}
	}
}

// TestMovedPlan: what is approved is what was shown. Where another plan waits meanwhile it is shown, and nothing is
// approved.
func TestMovedPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f, old := w.finding(1, dera.High)
	w.run(t)
	v := w.decider(t)
	func() {
		defer w.locked()()
		moved := old
		moved.State = dera.Superseded
		next := old
		next.ID, next.Digest = "r-next", strings.Repeat("ab", 32)
		next.Plan.Changes = []dera.Change{{Operation: "ec2:RevokeSecurityGroupIngress", Diff: []string{"- tcp 22-23 from 0.0.0.0/0"}}}
		f.Remediation = next.ID
		w.plans[old.ID], w.plans[next.ID], w.findings[f.ID] = moved, next, f
		w.record(dera.RecordDecision, f.ID)
	}()
	w.await(t, func() bool { return strings.Contains(v.get(t, "/").body, "r-next") })
	got := v.post(t, "/r/"+old.ID+"/approve", url.Values{"digest": {old.Digest}})
	if got.status != http.StatusConflict || !strings.Contains(got.body, "tcp 22-23") || !strings.Contains(got.body, "Nothing was approved") || len(w.ordered()) > 0 {
		t.Errorf("got %d and %q\n%s", got.status, w.ordered(), got.body)
	}
	w.refuse = &console.Refused{Why: "the person is the cause"}
	if got := v.post(t, "/r/r-next/approve", url.Values{"digest": {strings.Repeat("ab", 32)}}); got.status != http.StatusConflict || !strings.Contains(got.body, "the person is the cause") {
		t.Errorf("refused: got %d\n%s", got.status, got.body)
	}
	w.refuse = errors.New("secret of the database")
	if got := v.post(t, "/r/r-next/approve", url.Values{"digest": {strings.Repeat("ab", 32)}}); got.status != http.StatusServiceUnavailable || strings.Contains(got.body, "secret") {
		t.Errorf("failed: got %d\n%s", got.status, got.body)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.finding(1, dera.High)
	w.run(t)
	v := w.visitor(t, dera.Actor{})
	page := v.get(t, "/")
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		"Content-Type": "text/html; charset=utf-8", "Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := page.header.Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for _, part := range strings.Split(page.body, `"`) {
		if strings.HasPrefix(part, "/assets/") {
			if got := v.get(t, part); got.status != http.StatusOK || !strings.Contains(got.header.Get("Cache-Control"), "immutable") || len(got.body) == 0 {
				t.Errorf("%s: got %d with %d bytes", part, got.status, len(got.body))
			}
		}
	}
	if got := v.get(t, "/assets/../console.go"); got.status == http.StatusOK {
		t.Error("a file that is no asset was served")
	}
}
