package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"dera.example/dera/sink"
)

// listener takes requests over HTTP, from before the database is there to the end of dera run.
type listener struct {
	log     *slog.Logger
	metrics http.Handler // GET /metrics; nil where there is none

	mu    sync.Mutex
	ready func(context.Context) error // nil until the controller runs
	hooks http.Handler                // POST /hooks/events; nil where there is none
	slack *sink.SlackClicks           // POST /slack/actions; nil where there is none

	probe sync.Mutex // held while the database is asked, which no other request waits for
	asked time.Time  // when ready was asked last, and
	away  time.Time  // since when it is not, or zero

	end   context.CancelFunc
	ended chan struct{} // closed when err is set
	err   error
}

// Bounds of requests and of the end.
const (
	listenHeader = 5 * time.Second
	listenRead   = 10 * time.Second
	listenWrite  = 15 * time.Second
	listenIdle   = time.Minute
	listenEnd    = 10 * time.Second // less than endWithin
	mostHeader   = 16 << 10
	mostHook     = 1 << 20
	mostConns    = 512 // open at a time
)

// handler is what answers which path. What is not asked for is not there; what comes after the
// start says 503 until then.
func (l *listener) handler(cfg listenConfig, hooks bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok") // whoever asked may not be there any more
	})
	mux.HandleFunc("GET /readyz", l.readyz)
	if l.metrics != nil {
		mux.Handle("GET /metrics", l.metrics)
	}
	later := func(pattern string, of func() http.Handler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			l.mu.Lock()
			h := of()
			l.mu.Unlock()
			if h == nil {
				http.Error(w, "dera is starting", http.StatusServiceUnavailable)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	if cfg.Slack.on() {
		later("POST /slack/actions", func() http.Handler {
			if l.slack == nil {
				return nil
			}
			return l.slack
		})
	}
	if hooks {
		later(webhookPattern, func() http.Handler { return l.hooks })
	}
	return mux
}

// readyFor is how long an answer about the database counts, so that probes cost it at most one
// question a second.
const readyFor = time.Second

// readyz says whether events are taken and fixes are carried out: only while the database answers.
func (l *listener) readyz(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	ready := l.ready
	l.mu.Unlock()
	l.probe.Lock()
	defer l.probe.Unlock()
	if ready == nil {
		http.Error(w, "starting: the database was not reached yet", http.StatusServiceUnavailable)
		return
	}
	if now := time.Now(); now.Sub(l.asked) >= readyFor {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 3*time.Second)
		defer cancel()
		err := ready(ctx)
		switch l.asked = time.Now(); {
		case err == nil:
			l.away = time.Time{}
		case l.away.IsZero():
			l.away = now
		}
	}
	if !l.away.IsZero() {
		http.Error(w, "the database does not answer, or takes no writes, since "+l.away.UTC().Format(time.RFC3339), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// start listens on an address and serves until ctx is done or stop is called; it then ends what is
// in hand.
func (l *listener) start(ctx context.Context, cfg listenConfig, hooks bool) error {
	var certs *tls.Config
	if cfg.Cert != "" {
		if _, err := tls.LoadX509KeyPair(cfg.Cert, cfg.Key); err != nil {
			return usage("listen.tls_cert: %w", err)
		}
		certs = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c, err := tls.LoadX509KeyPair(cfg.Cert, cfg.Key) // a renewed one counts without a restart
			return &c, err
		}}
	}
	on, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Address)
	if err != nil {
		return usage("listen.address: %w", err)
	}
	on = &fewConns{Listener: on}
	if certs != nil {
		on = tls.NewListener(on, certs)
	}
	server := newServer(l.handler(cfg, hooks), l.log)
	l.log.InfoContext(ctx, "dera listens", "address", on.Addr().String(), "tls", certs != nil)
	ctx, l.end = context.WithCancel(ctx)
	l.ended = make(chan struct{})
	go func() {
		defer close(l.ended)
		l.err = l.serve(ctx, server, on)
	}()
	return nil
}

// newServer is a server with the bounds of ours.
func newServer(h http.Handler, to *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: listenHeader, ReadTimeout: listenRead, WriteTimeout: listenWrite, IdleTimeout: listenIdle,
		MaxHeaderBytes: mostHeader, ErrorLog: log.New(serverLog{to}, "", 0),
	}
}

// shutDown ends what a server has in hand until ctx is done, and then cuts it off.
func shutDown(ctx context.Context, server *http.Server) error {
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	return err
}

// serverLog takes what the server of net/http says of single connections: handshakes that failed, and the like.
type serverLog struct{ log *slog.Logger }

// Write implements io.Writer.
func (l serverLog) Write(text []byte) (int, error) {
	l.log.Debug("a connection to the listener went wrong", "err", strings.TrimSpace(string(text)))
	return len(text), nil
}

func (l *listener) serve(ctx context.Context, server *http.Server, on net.Listener) error {
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(on) }()
	select {
	case err := <-ended:
		return fmt.Errorf("listen: %w", err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listenEnd)
	defer cancel()
	err := shutDown(ctx, server)
	l.mu.Lock()
	slack := l.slack
	l.mu.Unlock()
	if slack != nil {
		slack.Wait()
	}
	return err
}

// run is the part of dera run that waits for the end: that of ctx, or its own.
func (l *listener) run(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-l.ended:
	}
	return l.stop()
}

// stop ends it, and returns how it ended.
func (l *listener) stop() error {
	l.end()
	<-l.ended
	return l.err
}

// listenEarly listens before anything else is there, where the command line or the configuration
// says on what; nil where neither does. What only the database says is heard by listen.
func (a *cli) listenEarly(ctx context.Context, log *slog.Logger) (*listener, error) {
	cfg, err := loadConfig(a.flags.config)
	if err != nil {
		return nil, a.named("config", err)
	}
	return a.listening(ctx, log, cfg)
}

// listening starts the listener that a configuration asks for, nil for none.
func (a *cli) listening(ctx context.Context, log *slog.Logger, cfg fileConfig) (*listener, error) {
	cfg, err := a.listensOn(cfg)
	if err != nil || cfg.Listen.Address == "" {
		return nil, err
	}
	l := &listener{log: log}
	hooks := cfg.Sources.Webhook.on()
	if l.metrics, err = a.metricsHandler(cfg, hooks); err != nil {
		return nil, err
	}
	return l, l.start(ctx, cfg.Listen, hooks)
}

// listensOn is the configuration with the address of the command line.
func (a *cli) listensOn(cfg fileConfig) (fileConfig, error) {
	if a.listenOn == "" {
		return cfg, nil
	}
	cfg.Listen.Address = a.listenOn
	if err := cfg.validateNotify(); len(err) > 0 {
		return cfg, usage("--listen: %w", errors.Join(err...))
	}
	return cfg, nil
}

// listen tells the listener that the controller is there, and what else it answers; it returns the
// part of dera run that waits for its end, or nil where nothing listens. hooks answers POST
// /hooks/events, or is nil.
func (s *session) listen(log *slog.Logger, hooks http.Handler) (func(context.Context) error, error) {
	l := s.listener
	if l == nil {
		return nil, nil
	}
	var slack *sink.SlackClicks
	if s.config.Listen.Slack.on() {
		var err error
		if slack, err = s.slackClicks(log); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready, l.slack = s.store.Ready, slack
	if hooks != nil {
		l.hooks = http.MaxBytesHandler(hooks, mostHook)
	}
	return l.run, nil
}
