package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"dera.example/dera/cloud"
	"dera.example/dera/engine"
	"dera.example/dera/source"
)

// meter counts what this process does, for /metrics. A nil one counts nothing. It is safe for
// concurrent use.
type meter struct {
	began time.Time

	mu     sync.Mutex
	counts map[string]sample
	lags   map[string]histogram // by source

	figures figures
}

func newMeter() *meter {
	return &meter{began: time.Now(), counts: map[string]sample{}, lags: map[string]histogram{}}
}

func (m *meter) add(n float64, family string, values ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := sample{family: family, values: values}
	key := s.key()
	s.value = m.counts[key].value + n
	m.counts[key] = s
}

// counting counts the deliveries that handle commits.
func (m *meter) counting(now func() time.Time, handle source.Handler) source.Handler {
	if m == nil {
		return handle
	}
	return func(ctx context.Context, d source.Delivery) error {
		if err := handle(ctx, d); err != nil {
			return err
		}
		for name, n := range d.Counts.Names() {
			m.add(float64(n), "dera_events_total", d.Source, strings.TrimPrefix(name, "events_"))
		}
		at := now()
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, e := range d.Events {
			if e.Time.IsZero() || d.Counts.Received == 0 { // of a schedule: nothing happened
				continue
			}
			h, ok := m.lags[d.Source]
			if !ok {
				h = histogram{values: []string{d.Source}, counts: make([]int64, len(lagBounds())+1)}
			}
			h.add(max(at.Sub(e.Time).Seconds(), 0))
			m.lags[d.Source] = h
		}
		return nil
	}
}

// telling counts what happens before it is told.
func (m *meter) telling(tell func(engine.News)) func(engine.News) {
	return func(n engine.News) {
		switch n.What {
		case "page":
			m.add(1, "dera_looks_total", n.Scope.Type, "read")
			m.add(float64(n.Resources), "dera_resources_looked_at_total", n.Scope.Type)
		case "unread":
			m.add(1, "dera_looks_total", n.Scope.Type, "unread")
		case "job":
			m.add(1, "dera_jobs_failed_total")
		case "remediation":
			switch r := n.Remediation; {
			case r.Revision == 0:
				m.add(1, "dera_decisions_total", r.Decision.Disposition.String())
			case r.State.Final():
				m.add(1, "dera_remediations_ended_total", string(r.State))
			}
		}
		if tell != nil {
			tell(n)
		}
	}
}

// observing counts calls of AWS before they are observed otherwise.
func (m *meter) observing(then func(cloud.Call)) func(cloud.Call) {
	if m == nil {
		return then
	}
	return func(c cloud.Call) {
		m.add(1, "dera_aws_calls_total", c.Service, c.Operation, c.Result())
		if c.Throttled > 0 {
			m.add(float64(c.Throttled), "dera_aws_throttles_total", c.Service)
		}
		if then != nil {
			then(c)
		}
	}
}

// samples are all values now. It waits for the database at most as long as figures do.
func (m *meter) samples(now time.Time) ([]sample, map[string][]histogram) {
	out := m.figures.samples(now)
	m.mu.Lock()
	defer m.mu.Unlock()
	out = append(out, sorted(m.counts)...)
	var lags []histogram
	for _, h := range sorted(m.lags) {
		h.counts = append([]int64(nil), h.counts...)
		lags = append(lags, h)
	}
	out = append(out,
		sample{"dera_build_info", []string{version, runtime.Version()}, 1},
		sample{"process_start_time_seconds", nil, float64(m.began.UnixMilli()) / 1000},
		sample{"go_goroutines", nil, float64(runtime.NumGoroutine())})
	return append(out, processSamples()...), map[string][]histogram{"dera_event_lag_seconds": lags}
}

// processSamples are CPU time and memory of the process, where the system says them (Linux:
// proc_pid_stat(5), whose ticks are 100 a second).
func processSamples() []sample {
	text, err := os.ReadFile("/proc/self/stat")
	_, after, ok := strings.Cut(string(text), ") ") // the name of the command may have blanks
	f := strings.Fields(after)
	if err != nil || !ok || len(f) < 22 {
		return nil
	}
	user, err1 := strconv.ParseFloat(f[11], 64)
	system, err2 := strconv.ParseFloat(f[12], 64)
	pages, err3 := strconv.ParseFloat(f[21], 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return nil
	}
	return []sample{{"process_cpu_seconds_total", nil, (user + system) / 100}, {"process_resident_memory_bytes", nil, pages * float64(os.Getpagesize())}}
}

// metricsHandler answers GET /metrics: with the token of the configuration, or without one where
// nothing else that listens is meant for others; nil where there is none.
func (a *cli) metricsHandler(cfg fileConfig, hooks bool) (http.Handler, error) {
	l := cfg.Listen
	token := ""
	if l.TokenEnv != "" || l.TokenFile != "" {
		var err error
		if token, err = secretOf(l.TokenEnv, l.TokenFile); err != nil {
			return nil, usage("listen.metrics_token: %w", err)
		}
	} else if l.Slack.on() || hooks {
		return nil, nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		want, got := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(given))
		if token != "" && subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "the token is missing or wrong", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		samples, histograms := a.meter.samples(a.now())
		_ = writeMetrics(w, samples, histograms) // whoever asked may not be there any more
	}), nil
}
