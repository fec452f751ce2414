package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"dera.example/dera/sink"
)

// listener takes requests over HTTP, as one part of dera run.
type listener struct {
	ready func(context.Context) error
	hooks http.Handler      // POST /hooks/events; nil where there is none
	slack *sink.SlackClicks // POST /slack/actions; nil where there is none
	log   *slog.Logger
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
)

// handler is what answers which path.
func (l listener) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
		defer cancel()
		if err := l.ready(ctx); err != nil {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok") // whoever asked may not be there any more
	})
	if l.slack != nil {
		mux.Handle("POST /slack/actions", l.slack)
	}
	if l.hooks != nil {
		mux.Handle("POST /hooks/events", http.MaxBytesHandler(l.hooks, mostHook))
	}
	return mux
}

// run serves on an address until ctx is done, and then ends what is in hand.
func (l listener) run(ctx context.Context, cfg listenConfig) error {
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
	if certs != nil {
		on = tls.NewListener(on, certs)
	}
	server := &http.Server{
		Handler: l.handler(), ReadHeaderTimeout: listenHeader, ReadTimeout: listenRead, WriteTimeout: listenWrite, IdleTimeout: listenIdle,
		MaxHeaderBytes: mostHeader, ErrorLog: slog.NewLogLogger(l.log.Handler(), slog.LevelDebug),
	}
	l.log.InfoContext(ctx, "dera listens", "address", on.Addr().String(), "tls", certs != nil)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(on) }()
	select {
	case err := <-ended:
		return fmt.Errorf("listen: %w", err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), listenEnd)
	defer cancel()
	err = server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if l.slack != nil {
		l.slack.Wait()
	}
	return err
}

// listen is the part of dera run that takes requests, or nil where nothing listens.
// hooks answers POST /hooks/events, or is nil.
func (s *session) listen(log *slog.Logger, hooks http.Handler) (func(context.Context) error, error) {
	cfg := s.config.Listen
	if cfg.Address == "" {
		return nil, nil
	}
	l := listener{ready: s.store.Ready, hooks: hooks, log: log}
	if cfg.Slack.on() {
		var err error
		if l.slack, err = s.slackClicks(log); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) error { return l.run(ctx, cfg) }, nil
}
