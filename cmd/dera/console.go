package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/console"
	"dera.example/dera/engine"
	"dera.example/dera/remediate"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services"
	"dera.example/dera/store"
)

// rememberConsole is where the console of dera run was reached last.
const rememberConsole = "console"

func newConsoleCommand(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "console",
		Short: "Print a link with which you enter the console of dera run",
		Long: "console prints a link to the web console that dera run --console serves on this machine. One person enters with\n" +
			"it, once, within 10 minutes, under the identity of the AWS credentials, which approvals and stops are\n" +
			"recorded with.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.consoleLink(cmd.Context()) },
	}
}

// consoleJSON is what dera console prints with --output json.
type consoleJSON struct {
	Link    string    `json:"link"`
	By      string    `json:"by"`
	Expires time.Time `json:"expires"`
}

func (a *cli) consoleLink(ctx context.Context) (err error) {
	if err := a.existing(ctx, exitFailed); err != nil {
		return err
	}
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	base, err := s.store.Remembered(ctx, rememberConsole)
	if err != nil {
		return err
	}
	if base == "" {
		return &exitError{exitFailed, errors.New("no console was served with this data yet: dera run --console 127.0.0.1:9480 serves one")}
	}
	if strings.HasPrefix(base, "https://") {
		return &exitError{exitFailed, fmt.Errorf("the console is at %s, which other machines reach: sign in there; a link is for a console of this machine", app.Plain(base))}
	}
	if address, ok := strings.CutPrefix(base, "http://"); !ok || !loopback(address) { // whoever writes the database must not learn links
		return &exitError{exitFailed, fmt.Errorf("the database says that the console is at %q, which is no address of this machine: no link was made", base)}
	}
	by, err := s.whoAmI(ctx)
	if err != nil {
		return fmt.Errorf("identify the AWS caller, whom the link is for: %w", err)
	}
	by.How = engine.HowConsole
	out := consoleJSON{By: by.Name, Expires: a.now().Add(console.LinkFor).UTC()}
	if out.Link, err = s.consoleLinkTo(base, by); err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(out)
	}
	a.printf("%s\n", out.Link)
	a.note("dera: for %s, once, until %s\n", out.By, app.Stamp(out.Expires))
	return nil
}

// links makes and checks links to the console: whoever has the vault key makes them.
func (s *session) links() console.Links {
	return console.Links{Seal: s.vault.Commit, Once: s.once, Now: s.app.now}
}

func (s *session) consoleLinkTo(base string, by dera.Actor) (string, error) {
	token, err := s.links().Make(by)
	return base + "/in?" + url.Values{"t": {token}}.Encode(), err
}

// webConsole is a console that is being served.
type webConsole struct {
	*console.Console
	server *http.Server
	on     net.Listener
	base   string // its address as a URL
}

// openConsole listens where a console was asked for, nil where none was.
func (s *session) openConsole(ctx context.Context, address string, log *slog.Logger) (*webConsole, error) {
	if address == "" {
		return nil, nil
	}
	on, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, usage("--console: %w", err)
	}
	ip, ok := on.Addr().(*net.TCPAddr)
	here := loopback(address) && ok && ip.IP.IsLoopback() // a name can lead elsewhere
	if loopback(address) && !here {
		return nil, errors.Join(usage("--console is %q, which is %s here, and other machines reach that", address, on.Addr()), on.Close())
	}
	cfg := s.config.Console
	host, _, _ := net.SplitHostPort(address)
	_, port, _ := net.SplitHostPort(on.Addr().String())
	w := &webConsole{on: &fewConns{Listener: on}, base: cfg.URL}
	var hosts []string
	if here && cfg.Cert == "" {
		w.base = "http://" + net.JoinHostPort(host, port)
		hosts = []string{net.JoinHostPort(host, port), net.JoinHostPort("localhost", port), net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
		if port == "80" { // which browsers leave out
			hosts = append(hosts, "localhost", "127.0.0.1", "[::1]")
		}
	}
	var signIn console.SignIn
	if err = w.certified(cfg); err == nil && cfg.OIDC.on() {
		signIn, err = cfg.OIDC.provider(s.app.now)
	}
	if err != nil {
		return nil, errors.Join(err, on.Close())
	}
	w.Console, err = console.New(console.Config{
		SignIn: signIn, SessionFor: cfg.OIDC.sessionFor(), URL: cfg.URL,
		Store: s.store, Orders: consoleOrders{s}, Screens: consoleScreens{s}, Links: s.links(), Hosts: hosts, Flags: s.app.orderFlags(), Version: version, Now: s.app.now, Log: log,
		Overview: func(ctx context.Context, from app.OverviewStore) (app.Overview, error) {
			return s.overviewOf(ctx, from, func(err error) { log.WarnContext(ctx, "the exemption list cannot be read", "err", err) })
		},
		Effects: func(ctx context.Context, from app.OverviewStore) (app.EffectData, error) {
			return s.effectsOf(ctx, from, func(error) {}) // the overview warned
		},
		Shown: s.consoleShown,
	})
	if err != nil {
		return nil, errors.Join(err, on.Close())
	}
	w.server = newServer(w.Handler(), log)
	log.InfoContext(ctx, "the console is served", "address", on.Addr().String())
	return w, nil
}

// certified ends TLS on the listener where the configuration names a certificate.
func (w *webConsole) certified(cfg consoleConfig) error {
	if cfg.Cert == "" {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(cfg.Cert, cfg.Key); err != nil {
		return usage("console.tls_cert: %w", err)
	}
	w.on = tls.NewListener(w.on, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(cfg.Cert, cfg.Key) // a renewed one counts without a restart
		return &c, err
	}})
	return nil
}

// run serves until ctx is done.
func (w *webConsole) run(ctx context.Context) error {
	w.server.BaseContext = func(net.Listener) context.Context { return ctx } // streams end with it
	ended := make(chan error, 2)
	go func() { ended <- w.server.Serve(w.on) }()
	go func() { ended <- w.Run(ctx) }()
	select {
	case err := <-ended:
		if ctx.Err() == nil {
			return fmt.Errorf("console: %w", err)
		}
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listenEnd)
	defer cancel()
	return errors.Join(shutDown(ctx, w.server), w.Wait(ctx))
}

// consoleShown is what dera show shows, with what was proved and the policy that changes.
func (s *session) consoleShown(ctx context.Context, id string) (d console.Detail, err error) {
	v, about, err := app.Show(ctx, s.store, id, s.app.orderFlags(), s.app.now())
	if errors.Is(err, store.ErrNotFound) {
		return d, console.ErrNotFound
	}
	if err == nil && about != nil {
		err = s.explained(ctx, &v, *about)
	}
	if err != nil {
		return d, err
	}
	d.Shown, d.About = v.Redacted(services.Types()), about
	if len(v.Evidence) == 0 {
		return d, nil
	}
	if err := json.Unmarshal(v.Evidence, &d.Evidence); err != nil {
		return d, fmt.Errorf("read evidence: %w", err)
	}
	x, err := evidence.PoliciesOf(d.Evidence, services.EvidenceKinds()...)
	if err == nil {
		d.Policy = app.PolicyDiff(x)
	}
	return d, err
}

// consoleOrders carries out what is ordered in the console, as the command of the same name does.
type consoleOrders struct{ s *session }

// refusal turns what a command would have said into what the console says.
func refusal(err error) error {
	var refused *console.Refused
	switch {
	case err == nil, errors.As(err, &refused):
		return err
	case errors.Is(err, store.ErrNotFound):
		return console.ErrNotFound
	case errors.Is(err, store.ErrConflict):
		return &console.Refused{Why: "someone else answered at the same moment"}
	}
	var exit *exitError
	var mine *engine.RefusedError
	var runs *remediate.RefusedError
	if errors.As(err, &exit) || errors.As(err, &mine) || errors.As(err, &runs) || errors.Is(err, remediate.ErrStopped) || errors.Is(err, remediate.ErrBusy) {
		return &console.Refused{Why: err.Error()}
	}
	return err
}

// known is the remediation, in an account that is covered.
func (o consoleOrders) known(ctx context.Context, id string) (dera.Remediation, error) {
	r, err := o.s.store.Remediation(ctx, id)
	if err != nil {
		return r, err
	}
	return r, o.s.inForce(ctx, r.Plan.Account, r.ID)
}

// Approve implements console.Orders.
func (o consoleOrders) Approve(ctx context.Context, id, digest, reason string, by dera.Actor) error {
	r, err := o.known(ctx, id)
	if err == nil {
		err = o.s.mayAct(r)
	}
	if err == nil {
		_, err = o.s.engine.Decide(ctx, id, engine.Answer{Approve: true, Digest: digest, Reason: reason, By: by})
	}
	return refusal(err)
}

// Reject implements console.Orders.
func (o consoleOrders) Reject(ctx context.Context, id, reason string, by dera.Actor) error {
	_, err := o.known(ctx, id)
	if err == nil {
		_, err = o.s.engine.Decide(ctx, id, engine.Answer{Reason: reason, By: by})
	}
	return refusal(err)
}

// Rollback implements console.Orders.
func (o consoleOrders) Rollback(ctx context.Context, id, reason string, partial bool, by dera.Actor) error {
	r, err := o.known(ctx, id)
	was := r.State
	if err == nil {
		r, err = o.s.engine.Rollback(ctx, id, remediate.Request{By: by, Reason: reason, Partial: partial})
	}
	if err != nil {
		return unable(err, r.State != was)
	}
	if r.State != dera.RolledBack {
		return &console.Refused{Why: "it is " + strings.ReplaceAll(string(r.State), "_", " ") + ": " + r.Failure, Begun: true}
	}
	if err := o.s.engine.LookNow(ctx, lookAt(r, o.s.app.now()), false); err != nil {
		return &console.Refused{Why: "it is rolled back; the resource could not be read again afterwards: " + cloud.Explain(err), Begun: true}
	}
	return nil
}

// unable is why an order to AWS was not carried out, or not to its end where it was begun.
func unable(err error, begun bool) error {
	err = refusal(err)
	var refused *console.Refused
	switch {
	case errors.As(err, &refused):
		refused.Begun = refused.Begun || begun
	case errors.Is(err, console.ErrNotFound), databaseAway(err):
	default:
		return &console.Refused{Why: cloud.Explain(err), Begun: begun}
	}
	return err
}

// Stop implements console.Orders.
func (o consoleOrders) Stop(ctx context.Context, s dera.Stop, by dera.Actor) error {
	if err := validStop(s); err != nil {
		return refusal(err)
	}
	return engine.Switch{Store: o.s.store, Now: o.s.app.now}.Stop(ctx, s, by)
}

// Resume implements console.Orders.
func (o consoleOrders) Resume(ctx context.Context, s dera.Stop, by dera.Actor) error {
	w := engine.Switch{Store: o.s.store, Now: o.s.app.now}
	something, err := w.Resumable(ctx, s)
	if err == nil && !something {
		return &console.Refused{Why: "there is nothing to resume: no stop has exactly this scope (" + s.Where() + ")"}
	}
	if err != nil {
		return err
	}
	return w.Resume(ctx, s, by)
}

// withConsole opens the console that the command line asks for, and remembers where it is; nil for none.
func (s *session) withConsole(ctx context.Context, log *slog.Logger) (*webConsole, error) {
	w, err := s.openConsole(ctx, s.app.consoleOn, log)
	if err != nil || w == nil {
		return nil, err
	}
	if err := s.store.Remember(ctx, map[string]string{rememberConsole: w.base}); err != nil {
		return nil, errors.Join(err, w.on.Close())
	}
	if s.onConsole != nil {
		return w, s.onConsole(w.base)
	}
	if url := s.config.Console.URL; url != "" {
		s.app.note("dera: the console is at %s; people sign in there\n", url)
	}
	if w.base == s.config.Console.URL {
		return w, nil // no links
	}
	s.app.note("dera: the console is at %s; make a link of your own with: dera console%s\n", w.base, s.app.orderFlags())
	if _, tty := terminal(s.app.err); tty { // else it would stand in a log
		link, err := s.consoleLinkTo(w.base, dera.Actor{})
		if err != nil {
			return nil, errors.Join(err, w.on.Close())
		}
		s.app.note("dera: view only: %s\n", link)
	}
	return w, nil
}
