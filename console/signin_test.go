package console_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/console"
)

const publicURL = "https://dera.example.com"

// provider lets in whom a test says.
type provider struct {
	person console.Person
	err    error
	last   console.Attempt
}

func (p *provider) Begin(_ context.Context, a console.Attempt) (string, error) {
	p.last = a
	return "https://login.example.com/authorize?state=" + a.State, p.err
}

func (p *provider) Finish(_ context.Context, a console.Attempt, _ url.Values) (console.Person, error) {
	if a != p.last {
		return console.Person{}, errors.New("another attempt")
	}
	return p.person, p.err
}

// browser keeps cookies as they are set, and asks the console under a name.
type browser struct {
	handler http.Handler
	host    string
	cookies map[string]*http.Cookie
}

func (b *browser) ask(t *testing.T, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	r.Host = b.host
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	res := w.Result()
	for _, c := range res.Cookies() {
		b.cookies[c.Name] = c
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return res
}

// signInWorld is a console at a public address and on this machine.
func signInWorld(t *testing.T) (*world, *provider, func(host string) *browser) {
	t.Helper()
	w, p := newWorld(t), &provider{person: console.Person{Actor: dera.Actor{Name: "https://login.example.com|1|ada@example.com", How: "oidc"}, Role: console.Approver}}
	c, err := console.New(console.Config{
		Store: w, Overview: w.overview, Shown: w.shown, Orders: w, Links: w.links, Hosts: []string{"127.0.0.1:9480"}, URL: publicURL, SignIn: p, SessionFor: time.Hour,
		Flags: " --data d", Version: "test", Now: w.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	h := c.Handler()
	return w, p, func(host string) *browser { return &browser{h, host, map[string]*http.Cookie{}} }
}

// TestSignInAndOut: the session is that of who signed in, ends after its time, and its cookie stays at home.
func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	w, p, open := signInWorld(t)
	b := open("dera.example.com")
	if got := b.ask(t, "GET", "/findings?q=a"); got.StatusCode != http.StatusUnauthorized || got.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("without a session: got %d", got.StatusCode)
	}
	signIn := func() *http.Response {
		t.Helper()
		got := b.ask(t, "GET", "/sign-in?next=/stop", "Sec-Fetch-Site", "same-origin")
		c := b.cookies["__Host-dera_console_signin"]
		if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "https://login.example.com/") || c == nil || c.SameSite != http.SameSiteLaxMode || !c.Secure || !c.HttpOnly {
			t.Fatalf("begin: got %d and %+v", got.StatusCode, c)
		}
		return b.ask(t, "GET", "/signed-in?code=x&state="+p.last.State, "Sec-Fetch-Site", "cross-site")
	}
	got := signIn()
	c := b.cookies["__Host-dera_console"]
	if got.StatusCode != http.StatusOK || c == nil || c.SameSite != http.SameSiteStrictMode || !c.Secure || !c.HttpOnly || len(b.cookies) != 1 || p.last.Return != publicURL+"/signed-in" {
		t.Fatalf("signed in: got %d, %+v and %+v", got.StatusCode, c, p.last)
	}
	if got := b.ask(t, "GET", "/stop"); got.StatusCode != http.StatusOK {
		t.Errorf("with a session: got %d", got.StatusCode)
	}
	w.advance(61 * time.Minute)
	if got := b.ask(t, "GET", "/stop"); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("after an hour: got %d", got.StatusCode)
	}
	signIn()
	b.ask(t, "POST", "/out", "Sec-Fetch-Site", "same-origin")
	b.cookies[c.Name] = c // whoever kept it
	if got := b.ask(t, "GET", "/stop"); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("after leaving: got %d", got.StatusCode)
	}
}

// TestSignInOfAnother: what was not begun in this browser, a moment ago, for the first time, is refused.
func TestSignInOfAnother(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(w *world, p *provider, b, other *browser) (state string)
		status int
	}{
		"as_it_should_be": {func(_ *world, p *provider, _, _ *browser) string { return p.last.State }, 200},
		"another_state":   {func(*world, *provider, *browser, *browser) string { return "other" }, 403},
		"no_state":        {func(*world, *provider, *browser, *browser) string { return "" }, 403},
		"another_browser": {func(_ *world, p *provider, b, other *browser) string { b.cookies = other.cookies; return p.last.State }, 403},
		"a_forged_cookie": {func(_ *world, p *provider, b, _ *browser) string {
			for _, c := range b.cookies {
				c.Value = "e" + c.Value[1:]
				c.Value = c.Value[:len(c.Value)-2] + "AA"
			}
			return p.last.State
		}, 403},
		"long_after": {func(w *world, p *provider, _, _ *browser) string { w.advance(11 * time.Minute); return p.last.State }, 403},
		"refused": {func(_ *world, p *provider, _, _ *browser) string {
			p.err = &console.Refused{Why: "no group"}
			return p.last.State
		}, 403},
		"not_answered": {func(_ *world, p *provider, _, _ *browser) string { p.err = errors.New("away"); return p.last.State }, 503},
		"used": {func(w *world, p *provider, _, _ *browser) string {
			w.once["console/signin/"+p.last.State] = true
			return p.last.State
		}, 403},
		"a_link_of_the_same_key": {func(w *world, p *provider, b, _ *browser) string {
			for _, c := range b.cookies {
				c.Value, _ = w.links.Make(dera.Actor{Name: person, How: "console"})
			}
			return ""
		}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, p, open := signInWorld(t)
			b, other := open("dera.example.com"), open("dera.example.com")
			other.ask(t, "GET", "/sign-in")
			b.ask(t, "GET", "/sign-in")
			got := b.ask(t, "GET", "/signed-in?code=x&state="+tt.change(w, p, b, other))
			if in := b.cookies["__Host-dera_console"] != nil; got.StatusCode != tt.status || in != (tt.status == 200) {
				t.Errorf("got %d, in: %t, want %d", got.StatusCode, in, tt.status)
			}
		})
	}
}

// TestNobodyIsLedElsewhere: after signing in a person goes on with a page of the console.
func TestNobodyIsLedElsewhere(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"/stop": "/stop", "/findings?q=a b": "/", "/findings?q=a": "/findings?q=a", "": "/", "stop": "/", "//evil.example": "/", "/\\evil.example": "/", "https://evil.example": "/", "/%2Fevil.example": "/",
		"javascript:alert(1)": "/", "/sign-in": "/", "/signed-in?code=x": "/", "/out": "/", "/\tx": "/", "/" + strings.Repeat("a", 3000): "/", `/"><script>`: `/&#34;&gt;&lt;script&gt;`,
	} {
		_, p, open := signInWorld(t)
		b := open("dera.example.com")
		b.ask(t, "GET", "/sign-in?"+url.Values{"next": {next}}.Encode())
		got := b.ask(t, "GET", "/signed-in?code=x&state="+p.last.State)
		text := make([]byte, 10_000)
		n, _ := got.Body.Read(text)
		if !strings.Contains(string(text[:n]), `content="0; url=`+want+`"`) {
			t.Errorf("%q: want %q\n%s", next, want, text[:n])
		}
	}
}

// TestSignInElsewhere: people sign in where the cookie counts and by their own hand, and links count on this
// machine alone.
func TestSignInElsewhere(t *testing.T) {
	t.Parallel()
	w, _, open := signInWorld(t)
	here, there := open("127.0.0.1:9480"), open("dera.example.com")
	if got := here.ask(t, "GET", "/sign-in?next=/stop"); got.Header.Get("Location") != publicURL+"/sign-in?next=%2Fstop" {
		t.Errorf("on this machine: got %d to %s", got.StatusCode, got.Header.Get("Location"))
	}
	if got := there.ask(t, "GET", "/sign-in", "Sec-Fetch-Site", "cross-site"); got.StatusCode != http.StatusOK || len(there.cookies) > 0 {
		t.Errorf("from another site: got %d and %d cookies", got.StatusCode, len(there.cookies))
	}
	token, err := w.links.Make(dera.Actor{Name: person, How: "console"})
	if err != nil {
		t.Fatal(err)
	}
	if got := there.ask(t, "GET", "/in?t="+token); got.StatusCode != http.StatusForbidden || len(there.cookies) > 0 {
		t.Errorf("a link at the public address: got %d", got.StatusCode)
	}
	if got := here.ask(t, "GET", "/in?t="+token); got.StatusCode != http.StatusSeeOther || got.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("a link on this machine: got %d", got.StatusCode)
	}
	if got := open("evil.example").ask(t, "GET", "/"); got.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another name: got %d", got.StatusCode)
	}
	if _, err := console.New(console.Config{URL: publicURL}); err == nil {
		t.Error("a public address without a sign-in is taken")
	}
}

// TestTooOften: who orders or enters too often waits, and is heard again afterwards.
func TestTooOften(t *testing.T) {
	t.Parallel()
	w, p, open := signInWorld(t)
	b := open("dera.example.com")
	b.ask(t, "GET", "/sign-in")
	b.ask(t, "GET", "/signed-in?state="+p.last.State)
	order := func() *http.Response { return b.ask(t, "POST", "/resume", "Sec-Fetch-Site", "same-origin") }
	for range 30 {
		if got := order(); got.StatusCode != http.StatusForbidden { // it takes an admin
			t.Fatalf("an order: got %d", got.StatusCode)
		}
	}
	if got := order(); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") != "2" {
		t.Errorf("one too many: got %d, Retry-After %s", got.StatusCode, got.Header.Get("Retry-After"))
	}
	w.advance(3 * time.Second)
	if got := order(); got.StatusCode != http.StatusForbidden {
		t.Errorf("after a while: got %d", got.StatusCode)
	}
	last := 0
	for range 70 {
		last = b.ask(t, "GET", "/in?t=x").StatusCode
	}
	if last != http.StatusTooManyRequests || b.ask(t, "GET", "/sign-in").StatusCode != http.StatusTooManyRequests {
		t.Errorf("entering too often: got %d", last)
	}
}
