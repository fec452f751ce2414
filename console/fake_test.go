package console_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/console"
	"dera.example/dera/store"
)

const (
	account = "300000000001"
	person  = "arn:aws:sts::300000000001:assumed-role/security/ada"
)

// world is a store in memory with a console on it.
type world struct {
	app.OverviewStore // what is not faked is not asked for

	mu       sync.Mutex
	now      time.Time
	findings map[string]dera.Finding
	plans    map[string]dera.Remediation
	stopped  []dera.Stop
	log      [][]byte
	away     error
	orders   []string
	refuse   error
	once     map[string]bool
	onceErr  error
	hangs    atomic.Bool // the store does not answer at all
	policy   string

	screens *screens
	links   console.Links
	console *console.Console
	server  *httptest.Server
}

func newWorld(t testing.TB, change ...func(*http.Server)) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), findings: map[string]dera.Finding{}, plans: map[string]dera.Remediation{}, once: map[string]bool{}}
	w.links = console.Links{Now: w.Now, Once: w.first, Seal: func(p []byte) string {
		mac := hmac.New(sha256.New, []byte("key"))
		mac.Write(p)
		return hex.EncodeToString(mac.Sum(nil))
	}}
	w.server = httptest.NewUnstartedServer(nil)
	w.screens = &screens{world: w}
	var err error
	w.console, err = console.New(console.Config{
		Store: w, Overview: w.overview, Shown: w.shown, Orders: w, Screens: w.screens, Links: w.links, Hosts: []string{w.server.Listener.Addr().String()},
		Flags: " --data d", Version: "test", Now: w.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.server.Config.Handler = w.console.Handler()
	for _, f := range change {
		f(w.server.Config)
	}
	w.server.Start()
	t.Cleanup(w.server.Close)
	return w
}

// run keeps the console up to date until the test ends.
func (w *world) run(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.console.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	v := w.visitor(t, dera.Actor{})
	w.await(t, func() bool { return v.get(t, "/").status == http.StatusOK })
}

func (w *world) await(t testing.TB, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it did not come to pass")
		}
	}
}

func (w *world) locked() func() { w.mu.Lock(); return w.mu.Unlock }

func (w *world) Now() time.Time { defer w.locked()(); return w.now }

func (w *world) advance(d time.Duration) { defer w.locked()(); w.now = w.now.Add(d) }

func (w *world) first(_ context.Context, key string, _ time.Duration) (bool, error) {
	defer w.locked()()
	if w.onceErr != nil {
		return false, w.onceErr
	}
	seen := w.once[key]
	w.once[key] = true
	return !seen, nil
}

// finding opens a finding with a plan that waits, and records it.
func (w *world) finding(i int, severity dera.Severity) (f dera.Finding, r dera.Remediation) {
	defer w.locked()()
	name := fmt.Sprintf("sg-%d", i)
	f = dera.Finding{
		ID: fmt.Sprintf("f-%020d", i), Control: "ec2-securitygroup-admin-ports-open", Partition: "aws", Account: account, Region: "us-east-1",
		Resource: dera.ARN("arn:aws:ec2:us-east-1:" + account + ":security-group/" + name), ResourceName: "web", Severity: severity,
		Title: "Security group allows SSH from the internet", Why: "Rule tcp 22", Disposition: dera.Review, State: dera.FindingOpen,
		Reasons:   []dera.Reason{{Guardrail: "bastion", Disposition: dera.Review, Why: "its name looks like that of a bastion"}},
		FirstSeen: w.now, LastSeen: w.now, Remediation: fmt.Sprintf("r-%020d", i),
	}
	r = dera.Remediation{
		ID: f.Remediation, Control: f.Control, Findings: []string{f.ID}, Severity: severity, State: dera.Waiting, Digest: fmt.Sprintf("%064d", i), CreatedAt: w.now,
		Expires: w.now.Add(72 * time.Hour), Steps: []dera.Step{{State: dera.Waiting, At: w.now, Why: "decided: review"}},
		Plan: dera.Plan{Account: account, Region: "us-east-1", Resource: f.Resource, Changes: []dera.Change{{Operation: "ec2:RevokeSecurityGroupIngress", Diff: []string{"- tcp 22 from 0.0.0.0/0"}}}},
	}
	w.findings[f.ID], w.plans[r.ID] = f, r
	w.record(dera.RecordFinding, f.ID)
	return f, r
}

// record writes a record; the caller holds the lock.
func (w *world) record(kind dera.RecordKind, findings ...string) {
	text, _ := json.Marshal(dera.AuditRecord{Kind: kind, Findings: findings}) // plain data
	w.log = append(w.log, text)
}

// change changes a finding, and records it.
func (w *world) change(id string, f func(*dera.Finding)) {
	defer w.locked()()
	one := w.findings[id]
	f(&one)
	w.findings[id] = one
	w.record(dera.RecordFinding, id)
}

func (w *world) Findings(context.Context) (out []dera.Finding, err error) {
	defer w.locked()()
	for _, f := range w.findings {
		out = append(out, f)
	}
	return out, w.away
}

func (w *world) Finding(_ context.Context, id string) (dera.Finding, error) {
	defer w.locked()()
	f, ok := w.findings[id]
	if !ok {
		return f, store.ErrNotFound
	}
	return f, w.away
}

func (w *world) RemediationsIn(_ context.Context, s dera.State) (out []dera.Remediation, err error) {
	defer w.locked()()
	for _, r := range w.plans {
		if r.State == s {
			out = append(out, r)
		}
	}
	return out, w.away
}

func (w *world) Stops(context.Context) ([]dera.Stop, error) {
	defer w.locked()()
	return w.stopped, w.away
}

func (w *world) LogSize(ctx context.Context) (int64, error) {
	if w.hangs.Load() {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	defer w.locked()()
	return int64(len(w.log)), w.away
}

func (w *world) Leaves(_ context.Context, from, n int64) ([][]byte, error) {
	defer w.locked()()
	return w.log[from : from+n], w.away
}

func (w *world) overview(ctx context.Context, from app.OverviewStore) (v app.Overview, err error) {
	list, err := from.Findings(ctx)
	v.Open = []app.OpenCount{{Severity: dera.High, Review: len(list)}}
	if err == nil {
		v.Stops, err = from.Stops(ctx)
	}
	return v, err
}

func (w *world) shown(_ context.Context, id string) (d console.Detail, err error) {
	defer w.locked()()
	if w.away != nil {
		return d, w.away
	}
	f, ok := w.findings[id]
	r, isPlan := w.plans[id]
	switch {
	case ok:
		r, isPlan = w.plans[f.Remediation]
		d.Finding = &f
	case isPlan:
		f = w.findings[r.Findings[0]]
	default:
		return d, console.ErrNotFound
	}
	d.About = &f
	if isPlan {
		d.Remediation = &r
	}
	d.Policy = w.policy
	e := app.Explain(f, d.Remediation, w.now)
	d.Explanation = &e
	return d, nil
}

// order notes an order, and refuses it where the test says so.
func (w *world) order(format string, args ...any) error {
	defer w.locked()()
	if w.refuse != nil {
		return w.refuse
	}
	w.orders = append(w.orders, fmt.Sprintf(format, args...))
	return nil
}

func (w *world) Approve(_ context.Context, id, digest, reason string, by dera.Actor) error {
	w.mu.Lock()
	moved := w.plans[id].Digest != digest || w.plans[id].State != dera.Waiting
	w.mu.Unlock()
	if moved {
		return &console.Refused{Why: "the digest is not that of the plan"}
	}
	return w.order("approve %s %s %q by %s (%s)", id, digest, reason, by.Name, by.How)
}

func (w *world) Reject(_ context.Context, id, reason string, by dera.Actor) error {
	return w.order("reject %s %q by %s", id, reason, by.Name)
}

func (w *world) Rollback(_ context.Context, id, reason string, partial bool, by dera.Actor) error {
	return w.order("roll back %s %q partial %t by %s", id, reason, partial, by.Name)
}

func (w *world) Stop(_ context.Context, s dera.Stop, by dera.Actor) error {
	return w.order("stop %s %q by %s", s.Where(), s.Reason, by.Name)
}

func (w *world) Resume(_ context.Context, s dera.Stop, by dera.Actor) error {
	return w.order("resume %s %q by %s", s.Where(), s.Reason, by.Name)
}

// ordered are the orders that were carried out.
func (w *world) ordered() []string { defer w.locked()(); return append([]string{}, w.orders...) }

// visitor is a browser without a screen.
type visitor struct {
	client *http.Client
	base   string
}

// visitor enters with a link for an actor; the zero one is view only.
func (w *world) visitor(t testing.TB, by dera.Actor) visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := visitor{&http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, w.server.URL}
	token, err := w.links.Make(by)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.get(t, "/in?"+url.Values{"t": {token}}.Encode()); got.status != http.StatusSeeOther {
		t.Fatalf("enter: got %d\n%s", got.status, got.body)
	}
	return v
}

func (w *world) decider(t testing.TB) visitor {
	t.Helper()
	return w.visitor(t, dera.Actor{Name: person, How: "console"})
}

// answer is what the console answered.
type answer struct {
	status int
	body   string
	header http.Header
}

func (v visitor) do(t testing.TB, r *http.Request) answer {
	t.Helper()
	res, err := v.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, string(text), res.Header}
}

func (v visitor) get(t testing.TB, path string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v.do(t, r)
}

// post sends a form as a page of the console does.
func (v visitor) post(t testing.TB, path string, form url.Values, change ...func(*http.Request)) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, f := range change {
		f(r)
	}
	return v.do(t, r)
}
