package main

import (
	"context"
	"log/slog"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/audit"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/source"
	"dera.example/dera/store"
)

// witnessed are the calls of dera's own principals in a delivery of the queue. An
// event that anybody could have sent witnesses nothing.
func (s *session) witnessed(d source.Delivery) []audit.Call {
	if !d.Authenticated {
		return nil
	}
	var out []audit.Call
	own := s.own()
	for _, raw := range d.Raw {
		rec, err := cloudtrail.Decode(raw)
		if err != nil || !rec.Trusted || rec.ReadOnly || rec.ID == "" {
			continue // what cannot be read is counted elsewhere
		}
		if c, ok := ownCall(rec, own); ok && !c.Failed {
			out = append(out, c)
		}
	}
	return out
}

// witness compares each minute what CloudTrail says of dera's own calls with the
// log. A call without a record is reported once: someone has dera's role.
func (s *session) witness(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.judge(ctx, log); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "compare with CloudTrail", "err", err)
			}
		}
	}
}

// judge reports the calls that are old enough and have no record.
func (s *session) judge(ctx context.Context, log *slog.Logger) error {
	now := s.app.now()
	calls, err := s.store.Calls(ctx, true, now.Add(-audit.Late))
	if err != nil || len(calls) == 0 {
		return err
	}
	writes, _, err := s.writes(ctx)
	if err != nil {
		return err
	}
	b := store.Batch{}
	for _, c := range audit.Reconcile(writes, calls, audit.Reach{}, now).Unrecorded {
		log.ErrorContext(ctx, "a call of dera's own role changed something and has no record; revoke its sessions and see dera audit reconcile",
			"event", c.EventID, "service", c.Service, "operation", c.Name, "account", c.Account, "region", c.Region, "principal", c.Actor)
		s.alarm(ctx, log, dera.Alarm{Key: "unrecorded/" + c.EventID, Severity: dera.Critical, Title: "A call of dera's own role has no record", Account: c.Account, Region: c.Region,
			Why: c.Service + ":" + c.Name + " by " + c.Actor + " (event " + c.EventID + "). Revoke its sessions and see dera audit reconcile."})
		if s.lines != nil {
			s.lines.happened(app.Happening{Time: now.UTC(), What: app.Unrecorded, Account: c.Account, Region: c.Region,
				Why: c.Service + ":" + c.Name + " by " + c.Actor + " (event " + c.EventID + ") has no record"})
			continue
		}
		s.app.printf("%s  %s %s:%s in %s %s by %s (event %s)\n", app.Stamp(now), newPaint(s.app.out).colour("1", "ATTENTION: a call of dera's own role has no record:"),
			c.Service, c.Name, c.Account, c.Region, c.Actor, c.EventID)
	}
	for _, c := range calls {
		b.Judged = append(b.Judged, c.EventID)
	}
	return s.store.Commit(ctx, b)
}
