package console

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
)

//go:embed assets/*.js assets/*.css
var assets embed.FS

// Orders is what a person can order. Each is recorded with who gave it; one that is refused returns
// a *Refused, with nothing written unless it says so.
type Orders interface {
	// Approve approves the plan of a remediation that has the digest; it is carried out later.
	Approve(ctx context.Context, id, digest, reason string, by dera.Actor) error
	// Reject rejects the plan of a remediation that is not begun.
	Reject(ctx context.Context, id, reason string, by dera.Actor) error
	// Rollback takes back what a remediation changed, and returns when that has ended.
	Rollback(ctx context.Context, id, reason string, partial bool, by dera.Actor) error
	// Stop stops all changes in a scope, and Resume lifts the stop of the very scope.
	Stop(ctx context.Context, s dera.Stop, by dera.Actor) error
	Resume(ctx context.Context, s dera.Stop, by dera.Actor) error
}

// Refused is an order that is not carried out, and why in words for the person.
type Refused struct {
	Why   string
	Begun bool // it was begun, or may have been: something can be written
}

func (e *Refused) Error() string { return e.Why }

// ErrNotFound is that nothing has the ID.
var ErrNotFound = errors.New("nothing has this ID")

// Config is what a console shows and who may enter. All fields are required, but SignIn and URL.
type Config struct {
	Store Store
	// Overview makes the overview from a store that has the findings in memory.
	Overview func(context.Context, app.OverviewStore) (app.Overview, error)
	// Effects reads likewise what a review of effectiveness over any period is made of.
	Effects func(context.Context, app.OverviewStore) (app.EffectData, error)
	// Shown is what is known of a finding or a remediation, with its explanation and without what can
	// be a secret; ErrNotFound for an ID that there is not.
	Shown  func(ctx context.Context, id string) (Detail, error)
	Orders Orders
	// Screens is what pages show beside lists.
	Screens Screens
	// Links checks the links with which people enter on this machine.
	Links Links
	// SignIn lets people in whom an identity provider names, for SessionFor; nil where there is none.
	SignIn     SignIn
	SessionFor time.Duration
	// Hosts are the names under which it is reached on this machine, with the port, and URL is its public
	// address, https://NAME, or "". No other Host is answered, so that a page elsewhere cannot reach it by a
	// name of its own (DNS rebinding).
	Hosts []string
	URL   string
	// Flags are added to the commands that pages name.
	Flags   string
	Version string
	Now     func() time.Time
	Log     *slog.Logger
}

// Console is what Handler serves and Run keeps up to date.
type Console struct {
	cfg      Config
	board    *board
	sessions *sessions
	streams  chan struct{} // a slot for each open stream
	answers  chan struct{} // a slot for each who comes back from the identity provider
	limits   *limits
	paths    map[string]string
	later    *later
	reports  reports
	asking   chan struct{} // a slot for who asks why
	rules    lately[Rulebook]
	coverage lately[app.Coverage]
}

// mostStreams is how many pages are kept up to date at once; more of them stay as they were fetched.
const mostStreams = 128

// New makes a console. It shows nothing before Run has read the store once.
func New(cfg Config) (*Console, error) {
	if len(cfg.Hosts) == 0 && cfg.URL == "" || cfg.URL != "" && cfg.SignIn == nil {
		return nil, errors.New("console: a name is required, and a public one requires a sign-in")
	}
	c := &Console{cfg: cfg, board: newBoard(cfg), limits: newLimits(cfg.Now), streams: make(chan struct{}, mostStreams), asking: make(chan struct{}, 1), answers: make(chan struct{}, mostAnswers), paths: map[string]string{}}
	c.sessions = newSessions(cfg.Now, func(r *http.Request) string { return c.cookie(r, cookieName).Name })
	c.later = newLater(patience, c.endedLate, c.board.poke)
	files, err := fs.ReadDir(assets, "assets")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := fs.ReadFile(assets, "assets/"+f.Name())
		if err != nil {
			return nil, err
		}
		c.paths[f.Name()] = fmt.Sprintf("/assets/%s?v=%x", f.Name(), sha256.Sum256(text))[:len("/assets/?v=")+len(f.Name())+12]
	}
	return c, nil
}

// Run reads the store until ctx is done: what pages list is what it read last, a second ago at most
// where the store answers.
func (c *Console) Run(ctx context.Context) error { return c.board.run(ctx) }

// Handler answers requests.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", c.files())
	mux.HandleFunc("GET /in", c.entering(c.enter))
	if c.cfg.SignIn != nil {
		mux.HandleFunc("GET /sign-in", c.entering(c.signIn))
		mux.HandleFunc("GET "+returnPath, c.entering(c.signedIn))
	}
	mux.HandleFunc("GET /{$}", c.seen(c.inbox))
	mux.HandleFunc("GET /overview", c.seen(c.overview))
	mux.HandleFunc("GET /findings", c.seen(c.findings))
	mux.HandleFunc("GET /report", c.seen(c.report))
	mux.HandleFunc("GET /f/{id}", c.seen(c.one))
	mux.HandleFunc("GET /r/{id}", c.seen(c.one))
	for path, page := range map[string]page{
		"/privilege": c.privilege, "/rulebook": c.rulebook, "/exemptions": c.exemptions, "/accounts": c.accounts,
		"/audit": c.audit, "/audit/{index}": c.record, "/why": c.whyForm, "/same": c.same,
	} {
		mux.HandleFunc("GET "+path, c.seen(page))
	}
	mux.HandleFunc("POST /same", c.ordered(Approver, c.approveAll))
	mux.HandleFunc("POST /why", c.seen(c.why))
	mux.HandleFunc("GET /stop", c.seen(c.stops))
	mux.HandleFunc("GET /live", c.live)
	mux.HandleFunc("POST /r/{id}/approve", c.ordered(Approver, c.approve))
	mux.HandleFunc("POST /r/{id}/reject", c.ordered(Approver, c.reject))
	mux.HandleFunc("POST /r/{id}/rollback", c.ordered(Admin, c.rollback))
	mux.HandleFunc("POST /stop", c.ordered(Approver, c.stop))
	mux.HandleFunc("POST /resume", c.ordered(Admin, c.resume))
	mux.HandleFunc("POST /out", c.leave)
	mux.HandleFunc("/", c.seen(func(w http.ResponseWriter, r *http.Request, v visitor) {
		c.answer(w, r, http.StatusNotFound, v, "Not found", message("There is no such page", "The address "+app.Plain(r.URL.Path)+" leads to nothing."))
	}))
	return c.guarded(http.NewCrossOriginProtection().Handler(mux))
}

// policy lets nothing run and nothing load that is not of this binary (CSP level 3).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded refuses other names of this machine, and keeps pages out of frames, caches and other sites.
func (c *Console) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if c.outside(r) { // not for this machine, whose other ports may have no TLS
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if c.outside(r) || slices.ContainsFunc(c.cfg.Hosts, func(host string) bool { return strings.EqualFold(r.Host, host) }) {
			next.ServeHTTP(w, r)
			return
		}
		http.Error(w, "dera: the console does not answer under the name "+app.Plain(r.Host), http.StatusMisdirectedRequest)
	})
}

// files serves what is embedded; the address of each changes with its content.
func (c *Console) files() http.Handler {
	files := http.FileServerFS(assets)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := c.paths[strings.TrimPrefix(r.URL.Path, "/assets/")]; !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		files.ServeHTTP(w, r)
	})
}
