package console

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"dera.example/dera"
)

// Links makes and checks links with which one person enters, once. A link holds who it is for, as STS
// established it when a command made the link; nobody without the key can make one.
type Links struct {
	// Seal is a keyed commitment to a payload: equal for equal payloads, and not to be made without
	// the key.
	Seal func(payload []byte) string
	// Once reports whether a key comes for the first time within ttl, whichever process is asked.
	Once func(ctx context.Context, key string, ttl time.Duration) (bool, error)
	Now  func() time.Time
}

// LinkFor is how long a link can be used.
const LinkFor = 10 * time.Minute

// linkContext tells payloads of links from what else is committed to with the same key.
const linkContext = "dera console link v1\x00"

// link is what a link says. Without a name it is for looking alone.
type link struct {
	Name    string    `json:"name,omitempty"`
	How     string    `json:"how,omitempty"`
	Expires time.Time `json:"expires"`
	Nonce   string    `json:"nonce"`
}

// Make makes the token of a link for a person; for the zero Actor, one for looking alone.
func (l Links) Make(by dera.Actor) (string, error) {
	payload, err := json.Marshal(link{Name: by.Name, How: by.How, Expires: l.Now().Add(LinkFor).UTC(), Nonce: rand.Text()})
	if err != nil {
		return "", err
	}
	return sealed(l.Seal, linkContext, payload), nil
}

var errLink = errors.New("the link is not valid here")

// take is who enters with a token, which is taken once.
func (l Links) take(ctx context.Context, token string) (dera.Actor, error) {
	payload, ok := unsealed(l.Seal, linkContext, token)
	if !ok {
		return dera.Actor{}, errLink
	}
	var v link
	if err := json.Unmarshal(payload, &v); err != nil || l.Now().After(v.Expires) {
		return dera.Actor{}, errLink
	}
	switch first, err := l.Once(ctx, "console/"+v.Nonce, 2*LinkFor); {
	case err != nil:
		return dera.Actor{}, err
	case !first:
		return dera.Actor{}, errLink
	}
	return dera.Actor{Name: v.Name, How: v.How}, nil
}

// sealed is a payload that nobody without the key can make, for one purpose; unsealed is the payload of it.
func sealed(seal func([]byte) string, purpose string, payload []byte) string {
	return base64.RawURLEncoding.EncodeToString(payload) + "." + base64.RawURLEncoding.EncodeToString([]byte(seal(append([]byte(purpose), payload...))))
}

func unsealed(seal func([]byte) string, purpose, token string) (payload []byte, ok bool) {
	text, mark, ok := strings.Cut(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(text)
	given, err2 := base64.RawURLEncoding.DecodeString(mark)
	if !ok || err != nil || err2 != nil {
		return nil, false
	}
	want := sha256.Sum256([]byte(seal(append([]byte(purpose), payload...))))
	return payload, sha256.Sum256(given) == want // of hashes, so that the time tells nothing
}

// visitor is who looks at a page.
type visitor struct {
	dera.Actor // the zero value may look alone
	role       Role
}

// decides reports whether the visitor may order something.
func (v visitor) decides() bool { return v.may(Approver) }

// may reports whether the visitor is known and has a role, or one that may more.
func (v visitor) may(role Role) bool { return v.Name != "" && v.How != "" && v.role >= role }

const (
	cookieName  = "dera_console"
	sessionFor  = 12 * time.Hour
	sessionIdle = 2 * time.Hour
	mostEntries = 1000 // sessions at a time
)

// sessions are those who entered, by the hash of what their browser keeps. They end with the process.
type sessions struct {
	now  func() time.Time
	name func(*http.Request) string // of the cookie

	mu   sync.Mutex
	list map[[32]byte]entry
}

type entry struct {
	visitor
	ends, idle time.Time
}

func newSessions(now func() time.Time, name func(*http.Request) string) *sessions {
	return &sessions{now: now, name: name, list: map[[32]byte]entry{}}
}

// cookieOf is the name of a cookie of a console. Browsers send cookies to every port of a host, so that
// two consoles on one machine would end each other's sessions with one name.
func cookieOf(r *http.Request, name string) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		return name + "_" + port
	}
	return name
}

// byHand reports whether a person opened a link, as far as the browser says: a page elsewhere, or a server
// on another port of this machine, must not put someone into the session of somebody else.
func byHand(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return r.Header.Get("Sec-Purpose") == ""
	}
	return false
}

// begin makes a session for a visitor, and returns what their browser keeps.
func (s *sessions) begin(v visitor, lasts time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for key, e := range s.list {
		if now.After(e.ends) || now.After(e.idle) {
			delete(s.list, key)
		}
	}
	for key := range s.list {
		if len(s.list) < mostEntries {
			break
		}
		delete(s.list, key) // whoever it was enters again
	}
	token := rand.Text()
	s.list[sha256.Sum256([]byte(token))] = entry{v, now.Add(lasts), now.Add(sessionIdle)}
	return token
}

// of is the visitor of a request, ok where there is a session. Only what a person does counts as use: a
// stream and what it leads to do not keep a session alive.
func (s *sessions) of(r *http.Request, use bool) (v visitor, ok bool) {
	cookie, err := r.Cookie(s.name(r))
	if err != nil {
		return v, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, now := sha256.Sum256([]byte(cookie.Value)), s.now()
	e, ok := s.list[key]
	if !ok || now.After(e.ends) || now.After(e.idle) {
		delete(s.list, key)
		return v, false
	}
	if use {
		e.idle = now.Add(sessionIdle)
		s.list[key] = e
	}
	return e.visitor, true
}

// key is what tells the session of a request from others, and opens none.
func (s *sessions) key(r *http.Request) string {
	cookie, err := r.Cookie(s.name(r))
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(cookie.Value))
	return string(sum[:])
}

func (s *sessions) end(r *http.Request) {
	if cookie, err := r.Cookie(s.name(r)); err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.list, sha256.Sum256([]byte(cookie.Value)))
	}
}

// enter begins a session for who has a link.
func (c *Console) enter(w http.ResponseWriter, r *http.Request) {
	if c.outside(r) { // the link can still be used
		c.door(w, r, http.StatusForbidden, "/", "Nobody enters with a link here", "Links are for a browser on the machine of dera.")
		return
	}
	if r.Method != http.MethodGet || !byHand(r) { // the link can still be used
		c.answer(w, r, http.StatusForbidden, visitor{}, "No session", message("Open this link yourself", "It was followed from another page, or fetched by a program. Copy it into the address bar if it is yours."))
		return
	}
	by, err := c.cfg.Links.take(r.Context(), r.URL.Query().Get("t"))
	if err != nil && !errors.Is(err, errLink) {
		c.cfg.Log.ErrorContext(r.Context(), "a link to the console could not be checked", "err", err)
		c.answer(w, r, http.StatusServiceUnavailable, visitor{}, "No session", message("This link could not be checked", "The database did not answer as it must; the log of dera says why. Try it again, or make another one with: dera console"+c.cfg.Flags))
		return
	}
	if err != nil {
		c.answer(w, r, http.StatusForbidden, visitor{}, "No session", message("This link is not valid any more", "One person enters with a link, once, within 10 minutes. Make another one with: dera console"+c.cfg.Flags))
		return
	}
	c.sessions.end(r) // who was here before
	cookie := c.cookie(r, cookieName)
	cookie.Value = c.sessions.begin(visitor{by, roleOf(by)}, sessionFor)
	http.SetCookie(w, cookie)
	c.cfg.Log.InfoContext(r.Context(), "someone entered the console", "principal", by.Name)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// roleOf is the role of who has a link: whoever can read the keys of dera may order everything, where it
// is known who it is.
func roleOf(by dera.Actor) Role {
	if by.Name == "" {
		return Viewer
	}
	return Admin
}

func (c *Console) leave(w http.ResponseWriter, r *http.Request) {
	c.sessions.end(r)
	cookie := c.cookie(r, cookieName)
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
	text := "Nobody can use this session any more."
	if c.cfg.SignIn != nil {
		text += " Your identity provider may still know you: to sign in again can take no password."
	}
	c.door(w, r, http.StatusOK, "/", "You left the console", text)
}

// door is a page with the ways to enter, and the page to go on with then.
func (c *Console) door(w http.ResponseWriter, r *http.Request, status int, next, head, text string) {
	signIn, command := "", ""
	if c.cfg.SignIn != nil {
		signIn = signInAt(c.base(), next)
	}
	if !c.outside(r) {
		command = "dera console" + c.cfg.Flags
	}
	c.answer(w, r, status, visitor{}, head, entrance(head, text, signIn, command))
}

// page is a handler for someone with a session.
type page func(w http.ResponseWriter, r *http.Request, v visitor)

// seen is for whoever has a session.
func (c *Console) seen(next page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, ok := c.sessions.of(r, r.Header.Get("HX-Request") == "")
		if !ok {
			next := "/"
			if r.Method == http.MethodGet {
				next = local(r.URL.RequestURI())
			}
			c.door(w, r, http.StatusUnauthorized, next, "No session", "Your session is over, or there was none.")
			return
		}
		next(w, r, v)
	}
}

// mostForm is how large what a person sends may be.
const mostForm = 64 << 10

// ordered is for whoever has a role: never by a request to read, nor by another site's page.
func (c *Console) ordered(role Role, next page) http.HandlerFunc {
	return c.seen(func(w http.ResponseWriter, r *http.Request, v visitor) {
		if c.often(w, r, v, ordersOfSession, c.sessions.key(r)) || c.often(w, r, v, ordersOfAddress, addressOf(r)) {
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostForm)
		switch err := r.ParseForm(); {
		case err != nil:
			c.answer(w, r, http.StatusBadRequest, v, "Not done", message("Nothing was done", "What was sent could not be read."))
		case v.Name == "":
			c.answer(w, r, http.StatusForbidden, v, "Not done", message("Nothing was done", "This session is view only. To decide, enter with a link of your own: dera console"+c.cfg.Flags))
		case !v.may(role):
			c.answer(w, r, http.StatusForbidden, v, "Not done", message("Nothing was done", "This takes the role "+role.String()+", and yours is "+v.role.String()+"."))
		default:
			next(w, r, v)
		}
	})
}
