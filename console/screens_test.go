package console_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/console"
)

// screens are those of a world.
type screens struct {
	*world
	unreadList error // the exemption list cannot be read
	accesses   []app.AccessView
	altered    bool // the log was changed
	made       int  // how often the rulebook was made
}

const rule = "ec2-securitygroup-admin-ports-open"

func (s *screens) Why(_ context.Context, text, _ string) (app.Why, error) {
	if !strings.Contains(text, "not authorized") {
		return app.Why{}, &console.Refused{Why: "it names no call"}
	}
	return app.Why{
		Question: app.Question{Call: &app.DeniedCall{Principal: "<b>someone</b>", Action: "s3:GetObject"}}, Answer: app.BlameYes,
		Did: []app.Culprit{{Remediation: "r-1", Record: 7, Why: "the statement was taken out", Took: []string{"- s3:GetObject"}, Undo: "dera rollback r-1"}},
	}, s.away
}

func (s *screens) Rulebook(_ context.Context, findings []dera.Finding) (v console.Rulebook, err error) {
	defer func() { defer s.locked()(); s.made++ }()
	mode := func(dera.Account, string) dera.Mode { return dera.Observe }
	v.Open = app.Candidates{Mode: mode, Now: s.Now}.Open(findings, nil)
	for i := range v.Open {
		since := s.Now().AddDate(0, 0, -20)
		v.Open[i].Since, v.Open[i].Over = &since, true
		if id := v.Open[i].Account; !slices.Contains(v.Accounts, id) {
			v.Accounts = append(v.Accounts, id)
		}
	}
	v.Accounts = append(v.Accounts, "300000000009")
	v.Unread = map[[2]string]bool{{"AWS::S3::Bucket", "300000000009"}: true}
	v.Mode = func(account, _ string) dera.Mode { return mode(dera.Account{ID: account}, "") }
	v.Rules = []console.Rule{
		{ID: rule, Title: "Admin ports open", Severity: "high", Type: "AWS::EC2::SecurityGroup", Why: "anyone enters", Fix: "the rule goes", Owner: "security", ReviewBy: "2027-01-01"},
		{ID: "s3-bucket-public", Title: "Public bucket", Severity: "critical", Type: "AWS::S3::Bucket"},
	}
	return v, s.away
}

func (s *screens) Exemptions() ([]dera.Exemption, string, error) {
	return []dera.Exemption{
		{ID: "later", Owner: "web", Reason: "a demo", Expires: s.Now().AddDate(1, 0, 0), Match: dera.ExemptionMatch{Controls: []string{rule}}},
		{ID: "first", Owner: "<i>ops</i>", Reason: "a bastion", Expires: s.Now().AddDate(0, 0, 3), Match: dera.ExemptionMatch{Tags: map[string]string{"role": "bastion"}}},
	}, "exemptions.yaml", s.unreadList
}

func (s *screens) Coverage(_ context.Context, findings []dera.Finding) (app.Coverage, error) {
	since := s.Now().Add(-time.Hour)
	places := app.Places{Unread: []app.Unreadable{{Account: "300000000009", Region: "us-east-1", Type: "AWS::S3::Bucket", Call: "s3:ListAllMyBuckets", Problem: "access denied", Since: &since}}}
	places.Unread = append(places.Unread, app.Unreadable{Problem: "error", Error: "the configuration cannot be used"})
	v := app.CoverageOf([]dera.Account{{ID: account, Name: "shop"}}, nil, places, findings)
	v.Sources = []app.SourceHeard{{Kind: "cloudtrail", Last: since}, {Kind: "config"}}
	v.Alarms = []dera.Alarm{{Key: "silent/x", Severity: dera.High, Title: "The source x is silent", Since: since}}
	return v, s.away
}

func (s *screens) Accesses(context.Context) ([]app.AccessView, error) { return s.accesses, s.away }

func (s *screens) Proved(_ context.Context, index int64) (console.Proved, error) {
	defer s.locked()()
	if s.altered {
		return console.Proved{}, fmt.Errorf("%w: another root", console.ErrAltered)
	}
	if index >= int64(len(s.log)) {
		return console.Proved{}, console.ErrNotFound
	}
	return console.Proved{Index: index, Size: int64(len(s.log)), Record: string(s.log[index]), Path: []string{"AAAA"}, Checkpoint: "dera/audit\n", Key: "dera/audit+1"}, s.away
}

// TestScreens: each page says what its command says, and names of others are text.
func TestScreens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f, _ := w.finding(1, dera.High)
	w.change(f.ID, func(f *dera.Finding) {
		f.Granted = &dera.GrantedUse{Principals: []string{"arn:aws:iam::" + account + ":role/<script>"}, Granted: 40, Used: 10, Unused: 30}
	})
	exempt, _ := w.finding(2, dera.Critical)
	w.change(exempt.ID, func(f *dera.Finding) {
		f.Disposition, f.Reasons = dera.Exempt, []dera.Reason{{Guardrail: "exemption", Disposition: dera.Exempt, Ref: "first@abc"}}
	})
	held, _ := w.finding(3, dera.High)
	w.change(held.ID, func(f *dera.Finding) {
		f.Reasons = []dera.Reason{{Guardrail: "mode", Disposition: dera.Alert, Why: "observed only"}}
	})
	w.run(t)
	v := w.visitor(t, dera.Actor{})
	w.await(t, func() bool { return strings.Contains(v.get(t, "/privilege").body, "40 granted, 10 used") })
	for path, wants := range map[string][]string{
		"/privilege":                {"30 ", "75 %", "&lt;script&gt;", "Nothing was asked"},
		"/rulebook":                 {rule, "s3-bucket-public", account, "Ready to be switched on", "mode: enforce", "not all read", ">2</a>"},
		"/rulebook?control=" + rule: {"anyone enters", "2027-01-01", "bastion"},
		"/exemptions":               {"exemptions.yaml", "first", "&lt;i&gt;ops&lt;/i&gt;", "tag role=bastion", "in 3 d"},
		"/accounts":                 {"shop", "300000000009", "s3:ListAllMyBuckets", "access denied", "never", "The source x is silent", "Not known: "},
		"/accounts?q=shop":          {"shop"},
		"/audit":                    {"dera audit verify", `href="/audit/0"`},
		"/audit/0":                  {"Verify in this browser", "data-verify", f.ID},
		"/why":                      {"Was it dera?"},
	} {
		got := v.get(t, path)
		if got.status != http.StatusOK {
			t.Errorf("%s: got %d\n%s", path, got.status, got.body)
		}
		for _, want := range wants {
			if !strings.Contains(got.body, want) {
				t.Errorf("%s does not say %q\n%s", path, want, got.body)
			}
		}
	}
	if got := v.get(t, "/accounts?q=shop"); strings.Contains(got.body, "300000000009") {
		t.Error("a search shows what does not fit it")
	}
	if got := v.get(t, "/exemptions").body; strings.Index(got, "first") > strings.Index(got, "later") {
		t.Error("the entry that expires first does not come first")
	}
	for _, path := range []string{"/audit/99", "/audit/-1", "/audit/x"} {
		if got := v.get(t, path); got.status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, got.status)
		}
	}
}

// TestScreensUnread: what cannot be read is not shown as nothing.
func TestScreensUnread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.finding(1, dera.High)
	w.run(t)
	v := w.visitor(t, dera.Actor{})
	w.screens.unreadList = &console.Refused{Why: "line 3: no owner"}
	if got := v.get(t, "/exemptions"); !strings.Contains(got.body, "line 3: no owner") {
		t.Errorf("the page does not say why the list cannot be read\n%s", got.body)
	}
	func() { defer w.locked()(); w.screens.altered = true }()
	if got := v.get(t, "/audit/0"); got.status != http.StatusInternalServerError || !strings.Contains(got.body, "is not what was signed of it") {
		t.Errorf("a record of a log that was changed: got %d\n%s", got.status, got.body)
	}
	func() { defer w.locked()(); w.away, w.screens.altered = errors.New("connection refused"), false }()
	for _, path := range []string{"/privilege", "/rulebook?control=x", "/accounts", "/audit", "/audit/0"} {
		if got := v.get(t, path); got.status != http.StatusServiceUnavailable {
			t.Errorf("%s while the database is away: got %d, want 503\n%s", path, got.status, got.body)
		}
	}
}

// TestWhyIsAsked: who may look may ask, from a page of the console alone.
func TestWhyIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t)
	v := w.visitor(t, dera.Actor{})
	ask := func(text string, change ...func(*http.Request)) answer {
		return v.post(t, "/why", url.Values{"error": {text}}, change...)
	}
	got := ask("User: x is not authorized to perform: s3:GetObject")
	for _, want := range []string{"Yes, it was dera", "&lt;b&gt;someone", `href="/r/r-1"`, `href="/audit/7"`, "dera rollback r-1"} {
		if got.status != http.StatusOK || !strings.Contains(got.body, want) {
			t.Errorf("got %d without %q\n%s", got.status, want, got.body)
		}
	}
	for text, want := range map[string]int{"": 422, "something": 422, strings.Repeat("x", 70<<10): 400} {
		if got := ask(text); got.status != want {
			t.Errorf("%.20q: got %d, want %d", text, got.status, want)
		}
	}
	other := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	if got := ask("User: x is not authorized", other); got.status != http.StatusForbidden {
		t.Errorf("from another site: got %d, want 403", got.status)
	}
	last := 0
	for range 12 {
		last = ask("User: x is not authorized").status
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("asked too often: got %d, want 429", last)
	}
}

// TestManyAccounts: the rulebook shows the accounts with the most findings, and says how many there are.
func TestManyAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 12 {
		f, _ := w.finding(i, dera.High)
		w.change(f.ID, func(f *dera.Finding) { f.Account = fmt.Sprintf("3000000000%02d", i) })
	}
	w.run(t)
	v := w.visitor(t, dera.Actor{})
	w.await(t, func() bool { return strings.Contains(v.get(t, "/rulebook").body, "5 more accounts with as many") })
	before := w.screens.made
	for range 20 {
		v.get(t, "/rulebook")
	}
	if w.screens.made != before {
		t.Errorf("at one moment the rulebook was made %d times more", w.screens.made-before)
	}
	if got := v.get(t, "/rulebook?account=300000000011"); !strings.Contains(got.body, `account=300000000011`) || strings.Contains(got.body, "300000000003") {
		t.Errorf("one account was chosen\n%s", got.body)
	}
}
