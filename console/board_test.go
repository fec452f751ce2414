package console_test

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
)

// TestFollows: what the audit log tells is shown without a restart: a finding that comes, is resolved, or was
// removed for its age; and a database that is away is said, with what was known before.
func TestFollows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.finding(1, dera.High)
	w.run(t)
	v := w.visitor(t, dera.Actor{})
	lists := func(id string) bool { return strings.Contains(v.get(t, "/findings").body, id) }
	w.await(t, func() bool { return lists(fmt.Sprintf("f-%020d", 1)) })
	f, r := w.finding(2, dera.Critical)
	w.await(t, func() bool { return lists(f.ID) && strings.Contains(v.get(t, "/").body, r.ID) })
	now := w.Now()
	w.change(f.ID, func(f *dera.Finding) { f.State, f.ResolvedAt = dera.FindingResolved, &now })
	w.await(t, func() bool { return !lists(f.ID) })
	if got := v.get(t, "/findings?state=resolved"); !strings.Contains(got.body, f.ID) {
		t.Errorf("resolved findings have no %s\n%s", f.ID, got.body)
	}
	func() {
		defer w.locked()()
		delete(w.findings, f.ID)
		w.record(dera.RecordRetention)
	}()
	w.await(t, func() bool { return !strings.Contains(v.get(t, "/findings?state=all").body, f.ID) })
	func() { defer w.locked()(); w.away = errors.New("connection refused") }()
	w.await(t, func() bool { return strings.Contains(v.get(t, "/findings").body, "does not answer") })
	if !lists(fmt.Sprintf("f-%020d", 1)) {
		t.Error("what was known is not shown any more")
	}
	if got := v.get(t, "/f/f-1"); got.status != http.StatusServiceUnavailable {
		t.Errorf("a finding while the database is away: got %d, want 503", got.status)
	}
	func() { defer w.locked()(); w.away = nil }()
	w.await(t, func() bool { return !strings.Contains(v.get(t, "/findings").body, "does not answer") })
}

// TestBeforeTheFirstRead: nothing is shown that nobody has read.
func TestBeforeTheFirstRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(t, dera.Actor{})
	for _, path := range []string{"/", "/overview", "/findings"} {
		if got := v.get(t, path); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: got %d, want 503 and when to come back", path, got.status)
		}
	}
}

// TestLive: a stream says when there is something new, and ends with the session.
func TestLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.finding(1, dera.High)
	w.run(t)
	v := w.decider(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := v.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("got %d and %s", res.StatusCode, got)
	}
	in := bufio.NewScanner(res.Body)
	next := func(prefix string) string {
		for in.Scan() {
			if strings.HasPrefix(in.Text(), prefix) {
				return in.Text()
			}
		}
		t.Fatalf("the stream ended before %q", prefix)
		return ""
	}
	next(":")
	w.finding(2, dera.Low)
	next("event: changed")
	w.advance(13 * time.Hour)
	w.finding(3, dera.Low)
	next("data: the session is over")
	in.Scan() // the empty line that ends the event
	if in.Scan() {
		t.Errorf("the stream goes on with %q", in.Text())
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 250 {
		f, _ := w.finding(i, []dera.Severity{dera.Low, dera.Medium, dera.High}[i%3])
		w.change(f.ID, func(f *dera.Finding) {
			f.Owner = []string{"ada", "bob & sons"}[i%2]
			if i == 7 {
				f.Disposition = dera.Exempt
			}
		})
	}
	w.run(t)
	v := w.visitor(t, dera.Actor{})
	for _, tt := range []struct {
		query string
		want  []string
		none  []string
	}{
		{"", []string{"249 of 250", "1 to 100 here", "from=100", "dera findings --data d"}, []string{"Earlier"}},
		{"?from=200", []string{"201 to 249 here", "Earlier"}, []string{">Next"}},
		{"?from=-5", []string{"1 to 100 here"}, nil},
		{"?from=9999", []string{"201 to 249 here"}, []string{"No finding fits"}},
		{"?severity=high", []string{"83 of 250"}, []string{"severity low\"", "dera findings"}}, // of the command it is that and worse
		{"?severity=critical&account=1", []string{"0 of 250", "dera findings --severity=critical --account=1 --data d"}, nil},
		{"?account=1%3B+touch+x%0A", []string{"0 of 250", `account 1; touch x`}, []string{"dera findings"}},
		{"?decision=review", nil, []string{"dera findings"}}, // which has no such flag
		{"?severity=urgent", []string{"249 of 250"}, nil},
		{"?resource=arn%3Ax", []string{"0 of 250", "resource arn:x"}, nil},
		{"?q=SG-13", []string{"11 of 250", "sg-13", "sg-139"}, []string{"sg-14 "}},
		{"?q=%3Cscript%3E", []string{"0 of 250", "&lt;script&gt;"}, []string{"<script>"}},
		{"?owner=bob+%26+sons&severity=low", []string{"42 of 250", "owner bob &amp; sons", `href="/findings?severity=low"`}, nil},
		{"?group=owner", []string{"ada", "owner=bob+%26+sons"}, []string{"sg-1 "}},
		{"?group=nonsense", []string{"1 to 100 here"}, nil},
		{"?decision=exempt", []string{"1 of 250", "sg-7 "}, nil},
		{"?state=all", []string{"250 of 250"}, nil},
	} {
		got := v.get(t, "/findings"+tt.query)
		text := strings.Join(strings.Fields(strings.ReplaceAll(got.body, "<", " <")), " ")
		for _, want := range tt.want {
			if got.status != http.StatusOK || !strings.Contains(text, want) {
				t.Errorf("%s: got %d without %q", tt.query, got.status, want)
			}
		}
		for _, none := range tt.none {
			if strings.Contains(text, none) {
				t.Errorf("%s: has %q", tt.query, none)
			}
		}
	}
}

// TestHostileNames: what others may name is text, whatever it says.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const hostile = `<script>alert(1)</script>" onmouseover="x` + "\u202e\x1b[2J"
	f, r := w.finding(1, dera.High)
	w.change(f.ID, func(f *dera.Finding) {
		f.Title, f.ResourceName, f.Owner, f.Why, f.LastActor, f.Reasons[0].Why = hostile, hostile, hostile, hostile, hostile, hostile
		f.LastFailure = &dera.FixFailure{Remediation: r.ID, State: dera.Failed, Why: hostile}
		f.OwnerSource = "tag"
	})
	func() {
		defer w.locked()()
		r.Plan.Changes[0].Diff = []string{"- " + hostile, "+ " + hostile}
		r.Notes, r.Failure, r.Recorded, r.Unexpected = []string{hostile}, hostile, hostile, []string{hostile}
		w.plans[r.ID] = r
		w.stopped = []dera.Stop{{Reason: hostile, By: hostile, At: w.now}}
	}()
	w.run(t)
	v := w.decider(t)
	for _, path := range []string{"/", "/overview", "/findings", "/findings?group=owner", "/f/" + f.ID, "/r/" + r.ID, "/stop", "/f/" + "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/?r=%3Cscript%3Ealert(1)%3C/script%3E", "/?done=approved&id=%3Cscript%3Ealert(1)"} {
		got := v.get(t, path)
		for _, bad := range []string{"<script>alert", `" onmouseover="`, "\u202e", "\x1b"} {
			if strings.Contains(got.body, bad) {
				t.Errorf("%s: has %q", path, bad)
			}
		}
	}
}
