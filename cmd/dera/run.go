package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/audit"
	"dera.example/dera/cloud"
	"dera.example/dera/engine"

	"dera.example/dera/services"
	"dera.example/dera/source"
	"dera.example/dera/store"
)

func newRunCommand(a *cli) *cobra.Command {
	var queueURL string
	var sweep time.Duration
	cmd := &cobra.Command{
		Use:   "run",
		Short: "The controller: events, sweeps and workers, until it is stopped",
		Long: "run takes CloudTrail events from the SQS queue that EventBridge fills, sweeps everything once an interval,\n" +
			"and carries out what is decided. It ends cleanly on SIGTERM, within 20 seconds: what is in hand is finished, and what\n" +
			"hangs is cut off and settled by the next start. While the database is unreachable it waits.\n\n" +
			"With --output json, run prints one JSON object per line for each event in this process: findings, decisions,\n" +
			"remediations, stops, unreadable places, ended sweeps.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.controller(cmd.Context(), queueURL, sweep) },
	}
	cmd.Flags().StringVar(&queueURL, "queue", "", "URL of the SQS queue (default: the configuration's)")
	cmd.Flags().StringVar(&a.listenOn, "listen", "", "host:port for /healthz, /readyz and /metrics (default: the configuration's, or none)")
	cmd.Flags().StringVar(&a.consoleOn, "console", "", "host:port for the web console; another address than one of this machine requires console.oidc (default: none)")
	cmd.Flags().DurationVar(&sweep, "sweep", 0, "time between two sweeps (default: the configuration's, or 1h)")
	return cmd
}

func (a *cli) controller(ctx context.Context, queueURL string, sweep time.Duration) (err error) {
	if sweep != 0 && (sweep < leastSweep || sweep > mostSweep) {
		return usage("--sweep is %s, write a duration from %s to %s", sweep, leastSweep, mostSweep)
	}
	if a.consoleOn != "" && (!strings.Contains(a.consoleOn, ":") || loopback(a.consoleOn)) { // else the configuration says
		if err := (consoleConfig{}).consoleAddress(a.consoleOn); err != nil {
			return err
		}
	}
	log := a.logger()
	a.meter = newMeter()
	a.agreeing() // before somebody asks for metrics
	heard, err := a.listenEarly(ctx, log)
	if err != nil {
		return err
	}
	defer func() {
		if heard != nil {
			err = errors.Join(err, heard.stop())
		}
	}()
	var s *session
	if err := awaited(ctx, log, func() (err error) { s, err = a.open(ctx); return err }); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end(ctx)) }()
	if err := awaited(ctx, log, func() error { return a.clock.agree(ctx, s.store, log) }); err != nil {
		return err
	}
	if err := awaited(ctx, log, func() error { return s.recall(ctx, false) }); err != nil {
		return err
	}
	a.actsOnFound("dera run")
	if s.config, err = a.listensOn(s.config); err != nil {
		return err
	}
	if a.consoleOn != "" {
		if err := s.config.Console.consoleAddress(a.consoleOn); err != nil {
			return err
		}
	}
	if heard == nil { // an earlier run named the configuration
		if heard, err = a.listening(ctx, log, s.config); err != nil {
			return err
		}
	}
	s.listener = heard
	a.meter.reads(s.figures, s.store.Commits)
	s.queueURL = queueURL
	o := options{log: log, tell: a.follow(), later: true}
	if a.json() {
		s.lines = newLines(a, log)
		o.tell = s.lines.tell
	}
	o.tell = a.meter.telling(o.tell)
	if err := s.connect(ctx, o); err != nil {
		return err
	}
	if err := awaited(ctx, log, func() error { return s.remember(ctx) }); err != nil {
		return err
	}
	if err := awaited(ctx, log, func() error { return s.engine.Expect(ctx) }); err != nil {
		return err
	}
	queueURL = s.queue()
	if err := s.config.unheard(queueURL); err != nil {
		return err
	}
	if err := s.queueThere(ctx, queueURL); err != nil {
		return err
	}
	if sweep == 0 {
		sweep = time.Duration(s.config.Sweep)
	}
	if sweep == 0 {
		sweep = time.Hour
	}
	if s.lines != nil {
		if err := awaited(ctx, log, func() error { return s.lines.begin(ctx, s.store) }); err != nil {
			return err
		}
		defer s.lines.end(ctx)
	}
	if err := awaited(ctx, log, func() error { return s.beat(ctx) }); err != nil { // before the first job: others may live
		return err
	}
	if err := awaited(ctx, log, func() error { return s.engine.Start(ctx, version) }); err != nil {
		return err
	}
	log.InfoContext(ctx, "dera runs", "account", s.identity.Account, "region", s.regions, "queue", queueURL != "", "sweep", sweep.String())
	return s.serve(ctx, queueURL, sweep, log)
}

// serve runs sources and workers until ctx is done, then ends what is in hand.
func (s *session) serve(ctx context.Context, queueURL string, sweep time.Duration, log *slog.Logger) error {
	var parts []func(context.Context) error
	parts = append(parts, s.engine.Work, func(ctx context.Context) error { return s.keepTime(ctx, log) }, func(ctx context.Context) error {
		tick := time.NewTicker(time.Minute)
		defer tick.Stop()
		return s.sign(ctx, log, tick.C)
	})
	schedule, err := s.schedule(sweep, log)
	if err != nil {
		return err
	}
	hearing, fill, err := s.backfill(log)
	if err != nil {
		return err
	}
	asking, err := s.aggregator(log)
	if err != nil {
		return err
	}
	parts = append(append(parts, fill...), asking...)
	parts = append(parts, schedule, func(ctx context.Context) error {
		return s.watchOwn(ctx, log, s.config.Sources.expected(queueURL != ""))
	})
	if s.lines != nil {
		parts = append(parts, s.lines.run)
	}
	if old := s.retain(log); old != nil {
		parts = append(parts, old)
	}
	box, err := s.outbox(log)
	if err != nil {
		return err
	}
	if box != nil {
		parts = append(parts, box.Run)
	}
	_, hooks, err := s.webhook(log)
	if err != nil {
		return err
	}
	listen, err := s.listen(log, hooks)
	if err != nil {
		return err
	}
	if listen != nil {
		parts = append(parts, listen)
	}
	web, err := s.withConsole(ctx, log)
	if err != nil {
		return err
	}
	if web != nil {
		parts = append(parts, web.run)
	}
	var src *source.SQS
	if queueURL != "" {
		if src, err = s.queueSource(queueURL, log); err != nil {
			return err
		}
		var handle source.Handler
		if err := awaited(ctx, log, func() (err error) { handle, err = s.feed(ctx, log); return err }); err != nil {
			return err
		}
		parts = append(parts, func(ctx context.Context) error { return src.Run(ctx, app.Noting(s.store, hearing(handle))) },
			func(ctx context.Context) error { return s.witness(ctx, log) })
	}
	parts = append(parts, func(ctx context.Context) error { return s.share(ctx, log) }, func(ctx context.Context) error { return s.noteLoad(ctx, src, queueURL) })
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(parts))
	var wait sync.WaitGroup
	for i, part := range parts {
		wait.Go(func() {
			errs[i] = part(ctx)
			cancel() // one that ends, ends all
		})
	}
	ended := make(chan struct{})
	go func() { wait.Wait(); close(ended) }()
	select {
	case <-ended:
		return errors.Join(errs...)
	case <-afterEnd(ctx, endWithin):
		return errors.New("something did not end in time and is cut off; the next start settles what it left open")
	}
}

// endWithin is how long the parts of a controller have to end, and signWithin how
// long the last checkpoint has: together less than the 30 s after which Kubernetes
// kills a process.
const (
	endWithin  = 15 * time.Second
	signWithin = 3 * time.Second
)

// afterEnd is closed a while after ctx is done.
func afterEnd(ctx context.Context, d time.Duration) <-chan struct{} {
	late := make(chan struct{})
	context.AfterFunc(ctx, func() { time.AfterFunc(d, func() { close(late) }) })
	return late
}

// end closes the session within a bound. A checkpoint that cannot be signed now is
// signed after the next start.
func (s *session) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signWithin)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.close(ctx) }()
	select {
	case err := <-done:
		if store.Away(err) {
			return nil // nothing is lost, and it was said while it ran
		}
		return err
	case <-ctx.Done():
		return nil
	}
}

// awaited calls f until the database is there, with growing waits.
func awaited(ctx context.Context, log *slog.Logger, f func() error) error {
	const first, most = time.Second, 30 * time.Second
	for wait := first; ; wait = min(2*wait, most) {
		err := f()
		if err == nil || ctx.Err() != nil || !databaseAway(err) {
			return err
		}
		log.ErrorContext(ctx, "the database is unreachable; waiting", "err", databaseText(err), "wait", wait.String())
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

// sign signs a checkpoint of the audit log at each tick. Only a log that does not
// contain what was signed of it, or a checkpoint that is not signed with our key,
// ends the process: then nothing may go on. A database that is away is waited for.
func (s *session) sign(ctx context.Context, log *slog.Logger, tick <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
		}
		_, err := s.log.Sign(ctx)
		switch {
		case errors.Is(err, audit.ErrFork), errors.Is(err, audit.ErrSignature):
			return err
		case err != nil && ctx.Err() == nil:
			log.ErrorContext(ctx, "the audit log could not be signed; trying again", "err", err)
			s.alarm(ctx, log, dera.Alarm{Key: unsignedAlarm, Severity: dera.High, Title: "The audit log cannot be signed", Why: unsignedText(ctx, err) + ". Nobody can verify what was recorded since, until it is signed."})
		case err == nil:
			s.alarmEnded(ctx, log, unsignedAlarm)
			if err := s.anchorNow(ctx, log); err != nil {
				return err
			}
		}
	}
}

// queueThere refuses to start on a queue that does not exist. Any other trouble may
// pass, so that the source deals with it.
func (s *session) queueThere(ctx context.Context, url string) error {
	if url == "" {
		return nil
	}
	if err := queueURL(url); err != nil {
		return usage("queue: %w", err)
	}
	q := s.client.Queue(url)
	state, err := q.State(ctx)
	s.receipts = state.Receipts
	if cloud.Is(err, cloud.Denied) { // only the doctor needs that permission
		var got []cloud.Message
		if got, err = q.Receive(ctx, 1, 0); len(got) > 0 {
			err = q.Extend(ctx, got, 0) // given back at once
		}
	}
	if cloud.Is(err, cloud.NotFound) {
		return usage("queue %s does not exist: create it, or correct queue in the configuration (or --queue); it must be in the region that dera uses itself: %w", url, err)
	}
	return nil
}

func (s *session) queueSource(url string, log *slog.Logger) (*source.SQS, error) {
	return source.NewSQS(source.SQSConfig{
		Queue: queue{s.client.Queue(url)}, Accounts: s.accountIDs(), Watch: services.Watch(), Authenticated: s.config.QueueOurs, Log: log, Now: s.app.now, Ready: s.store.Ready, Logs: s.logFiles(),
		Receivers: s.config.Sources.Queue.Receivers, Alone: min(3, s.receipts), // at the last receipt at the latest
	})
}

// follow prints one line for each thing that happened.
func (a *cli) follow() func(engine.News) {
	p := newPaint(a.out)
	var mu sync.Mutex
	return func(n engine.News) {
		mu.Lock()
		defer mu.Unlock()
		switch n.What {
		case "finding":
			if f := n.Finding; f.State == dera.FindingOpen && f.FirstSeen.Equal(f.LastSeen) {
				a.printf("%s  %s %s %s %s: %s\n", app.Stamp(a.now()), p.severity(f.Severity), p.disposition(f.Disposition), f.Account, app.Plain(app.ResourceText(*f)), app.Plain(f.Title))
			}
		case "flapping":
			a.printf("%s  %s %s\n", app.Stamp(a.now()), p.colour("1", "ATTENTION: keeps coming back:"), app.Plain(n.Finding.Title+" "+app.ResourceText(*n.Finding)))
		case "alarm":
			a.printf("%s  %s %s\n", app.Stamp(a.now()), p.colour("1", "ATTENTION:"), app.Plain(n.Alarm.Title+": "+n.Alarm.Why))
		case "alarm_ended":
			a.printf("%s  over: %s\n", app.Stamp(a.now()), app.Plain(n.Alarm.Title))
		case "remediation":
			r := n.Remediation
			a.printf("%s  %s %s %s\n", app.Stamp(a.now()), p.state(r.State), r.ID, r.Plan.Resource)
		}
	}
}

// schedule asks for a look at everything once an interval.
func (s *session) schedule(every time.Duration, log *slog.Logger) (func(context.Context) error, error) {
	cfg := source.ScheduleConfig{Accounts: s.accounts, Regions: s.regions, Interval: every, Log: log, Now: s.app.now}
	watched := map[string]bool{}
	for _, c := range s.config.controls() {
		watched[c.Type] = true
	}
	for _, kind := range services.Types().Types() {
		switch {
		case !watched[kind.Name]:
		case kind.Global:
			cfg.Global = append(cfg.Global, kind.Name)
		default:
			cfg.Types = append(cfg.Types, kind.Name)
		}
	}
	sched, err := source.NewSchedule(cfg)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return sched.Run(ctx, s.ingest()) }, nil
}
