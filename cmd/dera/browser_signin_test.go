package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"dera.example/dera"
	"dera.example/dera/console/oidc/oidctest"
	"dera.example/dera/engine"
)

// browserSignIn: people sign in at another site, come back with a session, may what their groups say, and
// their approval is recorded with how their identity was established.
func browserSignIn(t *testing.T, b *browser) {
	user := func(name, group string) map[string]any {
		return map[string]any{"sub": "id-of-" + name, "email": name + "@example.com", "email_verified": true, "groups": []string{group}}
	}
	issuer := oidctest.New(t, user("vera", "viewers"))
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(oidctest.Secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := openWorld(t, func(d *demo) {
		d.session.config.Console.OIDC = oidcConfig{
			Issuer: issuer.URL, ClientID: oidctest.ClientID, SecretFile: secret, Viewers: []string{"viewers"}, Approvers: []string{"approvers"}, Admins: []string{"admins"},
		}
	}, "redis-test")
	r := w.plan("redis-test")
	enter := func() *tab {
		t.Helper()
		x := b.tab(t, 1280)
		if status := x.open(w.base + "/?r=" + r.ID); status != 401 {
			t.Fatalf("without a session: got %d", status)
		}
		x.mu.Lock()
		x.problems = nil // a page with status 401 is one
		x.mu.Unlock()
		b.accessible(x, "where people sign in")
		x.press("#sign-in")
		x.until("location.pathname === \"/\" && document.readyState === \"complete\" && document.querySelector(\"#page\") !== null && !document.querySelector(\"#sign-in\")")
		return x
	}
	x := enter()
	x.has("vera@example.com", "view only", "takes the role approver")
	issuer.User(user("ada", "approvers"))
	x = enter()
	x.has("ada@example.com")
	if r.Severity == dera.Critical {
		x.do(chromedp.SendKeys("form[action$=approve] input[name=reason]", "known", chromedp.ByQuery))
	}
	x.press("button.yes")
	x.calm("after the approval")
	w.calm()
	got, err := w.session.store.Remediation(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := dera.Person{Issuer: issuer.URL, Subject: "id-of-ada", Name: "ada@example.com"}.String()
	if got.Approval == nil || got.Approval.Approver != want || got.Approval.HowEstablished != engine.HowOIDC {
		t.Errorf("recorded is %+v, want %s by oidc", got.Approval, want)
	}
	rollback := "document.querySelector('form[action$=rollback]') !== null"
	x.open(w.base + "/r/" + r.ID)
	if evaluated[bool](x, rollback) {
		t.Error("an approver is offered a rollback")
	}
	issuer.User(user("alan", "admins"))
	x = enter()
	x.open(w.base + "/r/" + r.ID)
	if got.State == dera.Resolved && !evaluated[bool](x, rollback) {
		t.Errorf("an admin is not offered a rollback:\n%s", x.text())
	}
	issuer.User(user("mallory", "everyone"))
	x = b.tab(t, 390)
	x.open(w.base + "/sign-in")
	x.has("None of the 1 groups", `"groups"`)
	x.fits("a refused sign-in")
}
