package console

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
)

// SignIn is an identity provider at which people sign in. What it does not let in is a *Refused, in words
// for the person; any other error is that it could not be asked.
type SignIn interface {
	// Begin is the address of the provider at which the attempt goes on.
	Begin(ctx context.Context, a Attempt) (string, error)
	// Finish is who came back from there, with what the provider gave them along.
	Finish(ctx context.Context, a Attempt, answer url.Values) (Person, error)
}

// Person is who signed in, and what they may do.
type Person struct {
	dera.Actor
	Role Role
}

// Attempt is one attempt of one browser to sign in. It ends after attemptFor, or when it is used.
type Attempt struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"` // of PKCE (RFC 7636)
	Next     string    `json:"next"`     // the page to go on with
	Expires  time.Time `json:"expires"`
	Return   string    `json:"-"` // the address that the provider leads back to
}

const (
	attemptCookie  = "dera_console_signin"
	attemptFor     = 10 * time.Minute
	attemptContext = "dera console sign-in v1\x00"
	returnPath     = "/signed-in"
	mostAnswers    = 8 // people at a time who come back, each of which asks the provider
)

// base is the address under which people sign in.
func (c *Console) base() string {
	if c.cfg.URL != "" {
		return c.cfg.URL
	}
	return "http://" + c.cfg.Hosts[0]
}

// outside reports whether a request came by the public address, where nobody enters with a link.
func (c *Console) outside(r *http.Request) bool {
	u, err := url.Parse(c.cfg.URL)
	return err == nil && u.Host != "" && strings.EqualFold(r.Host, u.Host)
}

// secure reports whether a browser reaches the console with TLS.
func (c *Console) secure(r *http.Request) bool { return r.TLS != nil || c.outside(r) }

// cookie is one of the console. With TLS no other host and no page without TLS can set one of its name
// (RFC 6265bis, 4.1.3.2).
func (c *Console) cookie(r *http.Request, name string) *http.Cookie {
	name = cookieOf(r, name)
	if c.secure(r) {
		name = "__Host-" + name
	}
	return &http.Cookie{Name: name, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.secure(r)}
}

// local is the path of a page of the console, "/" for what is none: nobody is led elsewhere.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || len(next) > 2000 ||
		!strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.HasPrefix(u.Path, "//") || strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return "/"
	}
	for _, own := range []string{"/sign-in", returnPath, "/in", "/live", "/out"} {
		if u.Path == own {
			return "/"
		}
	}
	return next
}

// signIn leads to the identity provider.
func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	next := local(r.URL.Query().Get("next"))
	if base, err := url.Parse(c.base()); err == nil && !strings.EqualFold(r.Host, base.Host) { // where the cookie of the attempt counts
		http.Redirect(w, r, c.base()+"/sign-in?"+url.Values{"next": {next}}.Encode(), http.StatusSeeOther)
		return
	}
	if _, ok := c.sessions.of(r, true); ok && byHand(r) { // another site led here, and the cookie came along only now
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	if r.Method != http.MethodGet || !byHand(r) {
		c.door(w, r, http.StatusOK, next, "Sign in", "Another page led here.")
		return
	}
	a := Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), Next: next, Expires: c.cfg.Now().Add(attemptFor).UTC(), Return: c.base() + returnPath}
	address, err := c.cfg.SignIn.Begin(r.Context(), a)
	if err != nil {
		c.unasked(w, r, next, err)
		return
	}
	payload, err := json.Marshal(a)
	if err != nil {
		c.unasked(w, r, next, err)
		return
	}
	cookie := c.cookie(r, attemptCookie)
	cookie.Value, cookie.MaxAge = sealed(c.cfg.Links.Seal, attemptContext, payload), int(attemptFor.Seconds())
	cookie.SameSite = http.SameSiteLaxMode // the provider, another site, leads back
	http.SetCookie(w, cookie)
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// attempt is the one that this browser began, with the state that came back; it counts once.
func (c *Console) attempt(r *http.Request) (a Attempt, ok bool, err error) {
	cookie, err := r.Cookie(c.cookie(r, attemptCookie).Name)
	if err != nil {
		return a, false, nil
	}
	payload, ok := unsealed(c.cfg.Links.Seal, attemptContext, cookie.Value)
	if !ok || json.Unmarshal(payload, &a) != nil || a.State == "" || c.cfg.Now().After(a.Expires) {
		return a, false, nil
	}
	if subtle.ConstantTimeCompare([]byte(r.URL.Query().Get("state")), []byte(a.State)) != 1 {
		return a, false, nil
	}
	a.Return = c.base() + returnPath
	first, err := c.cfg.Links.Once(r.Context(), "console/signin/"+a.State, 2*attemptFor)
	return a, first, err
}

// signedIn begins a session for who comes back from the identity provider.
func (c *Console) signedIn(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.Header.Get("Sec-Purpose") != "" {
		c.door(w, r, http.StatusForbidden, "/", "Not signed in", "This address was fetched by a program.")
		return
	}
	select {
	case c.answers <- struct{}{}:
		defer func() { <-c.answers }()
	default:
		w.Header().Set("Retry-After", "5")
		c.door(w, r, http.StatusServiceUnavailable, "/", "Not signed in", "Too many people sign in at this moment. Try it again.")
		return
	}
	a, ok, err := c.attempt(r)
	switch {
	case err != nil:
		c.unasked(w, r, "/", err)
		return
	case !ok: // nothing of the address is shown: anybody can have made it
		c.door(w, r, http.StatusForbidden, "/", "Not signed in", "This sign-in was not begun in this browser, is older than 10 minutes, or was used. Begin again.")
		return
	}
	used := c.cookie(r, attemptCookie)
	used.MaxAge, used.SameSite = -1, http.SameSiteLaxMode
	http.SetCookie(w, used)
	who, err := c.cfg.SignIn.Finish(r.Context(), a, r.URL.Query())
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		c.cfg.Log.WarnContext(r.Context(), "a sign-in to the console was refused", "err", err)
		c.door(w, r, http.StatusForbidden, a.Next, "Not signed in", app.Plain(refused.Why))
		return
	case err != nil:
		c.unasked(w, r, a.Next, err)
		return
	}
	c.sessions.end(r) // who was here before
	session := c.cookie(r, cookieName)
	session.Value = c.sessions.begin(visitor{who.Actor, who.Role}, c.cfg.SessionFor)
	http.SetCookie(w, session)
	c.cfg.Log.InfoContext(r.Context(), "someone entered the console", "principal", who.Name)
	// A redirect would still count as one of the other site, without the cookie: the page itself goes on.
	c.whole(w, r, http.StatusOK, hop(a.Next))
}

// unasked is the answer where the identity provider, or the database, could not be asked.
func (c *Console) unasked(w http.ResponseWriter, r *http.Request, next string, err error) {
	c.cfg.Log.ErrorContext(r.Context(), "nobody can sign in to the console", "err", err)
	c.door(w, r, http.StatusServiceUnavailable, next, "Not signed in", "The identity provider, or the database, did not answer as it must; the log of dera says why. Try it again.")
}
