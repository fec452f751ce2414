package main

import (
	"context"
	"sync"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/engine"
	"dera.example/dera/store"
)

// figures are what /metrics says of the database: read at most once in 10 s, by whoever asks, and
// never waited for longer than a moment.
type figures struct {
	mu      sync.Mutex
	read    func(context.Context) ([]sample, error) // nil until the database is there
	commits func() store.Commits                    // with it
	reading chan struct{}                           // closed when the read under way ends; nil for none
	asked   time.Time                               // when the last read began
	last    []sample
	at      time.Time // when last was read; zero for never
	failed  bool      // the last read did
}

const (
	figuresEvery = 10 * time.Second
	figuresWait  = 200 * time.Millisecond // the longest wait for a read
	figuresTake  = 10 * time.Second       // the longest read
	figuresKept  = time.Minute            // older ones are not what is
)

// reads says how the figures are read, and the commits of this process.
func (m *meter) reads(read func(context.Context) ([]sample, error), commits func() store.Commits) {
	m.figures.mu.Lock()
	defer m.figures.mu.Unlock()
	m.figures.read, m.figures.commits = read, commits
}

func (f *figures) samples(now time.Time) []sample {
	f.mu.Lock()
	if f.read != nil && f.reading == nil && (now.Sub(f.asked) >= figuresEvery || now.Before(f.asked)) { // the clock of the database can be set back
		f.asked, f.reading = now, make(chan struct{})
		go f.refresh(f.reading, now)
	}
	reading := f.reading
	f.mu.Unlock()
	if reading != nil {
		t := time.NewTimer(figuresWait)
		defer t.Stop()
		select {
		case <-reading:
		case <-t.C:
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	up := 0.0
	if !f.at.IsZero() && !f.failed {
		up = 1
	}
	out := []sample{{"dera_database_up", nil, up}}
	if f.commits != nil {
		c := f.commits()
		out = append(out, sample{"dera_commits_total", []string{"done"}, float64(c.Done)}, sample{"dera_commits_total", []string{"refused"}, float64(c.Refused)},
			sample{"dera_commits_total", []string{"failed"}, float64(c.Failed)})
	}
	if age := now.Sub(f.at); !f.at.IsZero() {
		out = append(out, sample{"dera_database_read_age_seconds", nil, max(age.Seconds(), 0)})
		if age <= figuresKept {
			out = append(out, f.last...)
		}
	}
	return out
}

func (f *figures) refresh(done chan struct{}, at time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), figuresTake)
	defer cancel()
	list, err := f.read(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed = err != nil; err == nil {
		f.last, f.at = list, at
	}
	f.reading = nil
	close(done)
}

// figures reads what the database says.
func (s *session) figures(ctx context.Context) ([]sample, error) {
	g, err := s.store.Figures(ctx)
	if err != nil {
		return nil, err
	}
	now := s.app.now()
	age := func(t time.Time) float64 { return max(now.Sub(t).Seconds(), 0) }
	one := func(name string, v float64, values ...string) sample { return sample{name, values, v} }
	out := []sample{
		one("dera_audit_records", float64(g.Records)), one("dera_audit_unsigned_records", float64(max(g.Records-g.Signed, 0))), one("dera_alarms", float64(g.Alarms)),
	}
	if g.Bytes > 0 {
		out = append(out, one("dera_database_bytes", float64(g.Bytes)))
	}
	for _, severity := range []dera.Severity{dera.Low, dera.Medium, dera.High, dera.Critical} {
		out = append(out, one("dera_findings", float64(g.Open[severity]), severity.String()))
	}
	for state, n := range g.Remediations {
		out = append(out, one("dera_remediations", float64(n), string(state)))
	}
	late := 0.0
	for kind, due := range g.Due {
		out = append(out, one("dera_jobs_due", float64(due.Jobs), kind))
		late = max(late, age(due.Oldest))
	}
	out = append(out, one("dera_oldest_due_job_seconds", late))
	for _, b := range g.Backlogs {
		out = append(out, one("dera_outbox_messages", float64(b.Waiting), b.Sink, "waiting"), one("dera_outbox_messages", float64(b.Dead), b.Sink, "dead"))
	}
	if g.Checkpoint != "" {
		c, err := audit.OpenCheckpoint([]byte(g.Checkpoint), s.log.PublicKey)
		if err != nil {
			return nil, err
		}
		out = append(out, one("dera_audit_checkpoint_age_seconds", age(c.Time)))
	}
	for _, b := range s.config.Anchor.S3 { // what is remembered of one that is not used any more is not what is
		size, at, ok := engine.ParseAnchored(g.Anchored[b.name()])
		if ok {
			out = append(out, one("dera_audit_anchor_age_seconds", age(at), b.name()))
		}
		out = append(out, one("dera_audit_unanchored_records", float64(max(g.Records-size, 0)), b.name())) // all, of one that never kept anything
	}
	return out, nil
}
