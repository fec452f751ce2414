package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
)

// retentionConfig is after how long what is over is removed from the database. The audit log is never cut.
type retentionConfig struct {
	Findings     days `yaml:"findings,omitempty" json:"findings,omitempty" jsonschema:"type=string" jsonschema_description:"After how long a resolved finding is removed, such as 400d, which is the least. Default: never."`
	Remediations days `yaml:"remediations,omitempty" json:"remediations,omitempty" jsonschema:"type=string" jsonschema_description:"After how long a remediation that ended is removed, with its undo data and evidence: it cannot be rolled back then. 400d is the least. Default: never."`
	Calls        days `yaml:"calls,omitempty" json:"calls,omitempty" jsonschema:"type=string" jsonschema_description:"After how long calls of dera's own principals are removed that were compared with the log. 90d is the least. Default: never."`
	Events       days `yaml:"events,omitempty" json:"events,omitempty" jsonschema:"type=string" jsonschema_description:"After how long events that could not be read are removed. Default: never, but 1,000 are kept at most."`
}

// days is a duration in whole days, written 400d.
type days time.Duration

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (d *days) UnmarshalYAML(b []byte) error {
	text := strings.Trim(strings.TrimSpace(string(b)), `"'`)
	n, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
	if err != nil || !strings.HasSuffix(text, "d") || n <= 0 || n > 36500 {
		return fmt.Errorf("%q is no number of days such as 400d; leave it out to keep all", text)
	}
	*d = days(time.Duration(n) * 24 * time.Hour)
	return nil
}

// validate holds each to what something else goes by: guardrails look back over what ran within a year
// and a month.
func (c retentionConfig) validate() error {
	var errs []error
	for _, k := range []struct {
		field string
		value days
		least int
	}{{"findings", c.Findings, 400}, {"remediations", c.Remediations, 400}, {"calls", c.Calls, 90}, {"events", c.Events, 1}} {
		if least := time.Duration(k.least) * 24 * time.Hour; k.value != 0 && time.Duration(k.value) < least {
			errs = append(errs, fmt.Errorf("retention.%s: is %d days, write at least %dd: what dera decides goes by it", k.field, time.Duration(k.value)/(24*time.Hour), k.least))
		}
	}
	return errors.Join(errs...)
}

// since is what it comes to at a time.
func (c retentionConfig) since(now time.Time) store.Retention {
	before := func(d days) time.Time {
		if d == 0 {
			return time.Time{}
		}
		return now.Add(-time.Duration(d))
	}
	return store.Retention{Findings: before(c.Findings), Remediations: before(c.Remediations), Calls: before(c.Calls), Events: before(c.Events)}
}

// retentionEvery is how often what is old is removed.
const retentionEvery = 24 * time.Hour

// retentionGap is from what gap on since the last removal a clock is not believed at once. What a clock that is
// years ahead would have removed is lost for good.
const retentionGap = 30 * 24 * time.Hour

// retainedName is what the moment of the last removal is remembered under.
const retainedName = "retained"

// retain removes once a day what is over for long enough, as a part of dera run; nil where all is kept.
// Several processes may do it: each row goes once.
func (s *session) retain(log *slog.Logger) func(context.Context) error {
	if s.config.Retention == (retentionConfig{}) {
		return nil
	}
	return func(ctx context.Context) error {
		tick := time.NewTicker(retentionEvery)
		defer tick.Stop()
		s.retainToday(ctx, log, false)
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
				s.retainToday(ctx, log, true)
			}
		}
	}
}

// retainToday removes what is old. aDay says that the process has run a day by this clock; before that it
// removes only where the last removal was not long ago by it.
func (s *session) retainToday(ctx context.Context, log *slog.Logger, aDay bool) {
	now := s.app.now()
	last, err := s.store.Remembered(ctx, retainedName)
	if at, bad := time.Parse(time.RFC3339Nano, last); err == nil && !aDay && (bad != nil || now.Sub(at).Abs() > retentionGap) {
		log.InfoContext(ctx, "nothing old is removed yet: the last time is not known, or far from now by the clock", "since", last, "wait", retentionEvery.String())
		return
	}
	var removed dera.Retention
	if err == nil {
		removed, err = s.retainOnce(ctx)
	}
	if err == nil {
		err = s.store.Remember(ctx, map[string]string{retainedName: store.Moment(now)})
	}
	if err != nil && ctx.Err() == nil {
		log.ErrorContext(ctx, "remove what is old; trying again in a day", "err", err)
	}
	if !removed.Empty() {
		log.InfoContext(ctx, "removed what is old", "findings", removed.Findings, "remediations", removed.Remediations, "calls", removed.Calls, "events", removed.Events, "evidence", len(removed.Evidence))
	}
}

func (s *session) retainOnce(ctx context.Context) (dera.Retention, error) {
	now := s.app.now()
	return s.store.Retain(ctx, s.config.Retention.since(now), func(r dera.Retention) dera.AuditRecord {
		return dera.AuditRecord{
			Version: 1, Kind: dera.RecordRetention, Time: now.UTC(), Actor: dera.Actor{Name: s.identity.ARN, How: "engine"}, Retention: &r,
			Why: "removed for its age, as retention of the configuration says",
		}
	})
}
