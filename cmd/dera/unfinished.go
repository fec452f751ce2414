package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
)

// finish carries on what is under way in the accounts in force, in the same
// order as it was begun: before anything new is decided, and before an order of
// a person on the same resource. With a key, only what that resource is part of, and
// nothing that is approved and not begun: that is an order of its own.
func (s *session) finish(ctx context.Context, key string) error {
	list, err := s.begun(ctx)
	if err != nil {
		return err
	}
	for _, r := range list {
		if key != "" && (r.ResourceKey() != key || r.State == dera.Ready) || r.State == dera.UndoFailed {
			continue
		}
		if ok, err := s.fits(ctx, r); err != nil || !ok {
			if err != nil {
				return err
			}
			continue // the report has it
		}
		switch {
		case key == "" && r.State == dera.Ready:
			s.app.note("dera: %s is approved and not begun; carrying it out\n", r.ID)
		case key == "":
			s.app.note("dera: %s was left %s; going on with it\n", r.ID, r.State)
		}
		if err := s.carryOn(ctx, r, false); err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// carryOn runs one remediation, and looks at its resource afterwards; with hold,
// what that look decides is made ready.
func (s *session) carryOn(ctx context.Context, r dera.Remediation, hold bool) error {
	_, err := s.engine.Carry(ctx, r.ID)
	if err == nil {
		ev := lookAt(r, s.app.now())
		ev.Source = r.Trigger
		err = s.lookFor(ctx, ev, hold)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.carried = true
	if err != nil {
		s.app.alert("dera: %s: %s\n", r.ID, cloud.Explain(err))
	}
	return err
}

func (s *session) ours(account string) bool {
	return slices.ContainsFunc(s.accounts, func(a dera.Account) bool { return a.ID == account })
}

// begun are the remediations that are under way in the accounts in force. Without
// accounts, those of all.
func (s *session) begun(ctx context.Context) ([]dera.Remediation, error) {
	return app.Begun(ctx, s.store, func(account string) bool { return len(s.accounts) == 0 || s.ours(account) })
}

// underWay says of everything that is half-done which command goes on with it.
func (s *session) underWay(ctx context.Context) ([]app.UnderWay, error) {
	list, err := s.begun(ctx)
	if err != nil {
		return nil, err
	}
	return app.HalfDone(ctx, s.store, list, s.goOn)
}

// goOn is the command that goes on with a remediation, in the mode that it was
// decided in: in observe it would be taken back. A scan applies in enforce alone.
func (s *session) goOn(r dera.Remediation) string {
	line := "scan --apply"
	switch {
	case r.State == dera.UndoFailed:
		return s.command("rollback " + r.ID + " --reason TEXT")
	case r.State == dera.Ready:
		if line = strings.TrimPrefix(app.ApproveCommand(r), "dera "); r.Lapsed(s.app.now()) {
			line = "remediate " + r.Findings[0] // which asks again
		}
		if s.config.enforces(s.app.flags.mode) {
			return s.command(line)
		}
	case s.config.enforces(s.app.flags.mode):
		return s.command(line)
	case r.Decision.Mode != dera.Enforce:
		line = "remediate " + r.Findings[0]
	}
	return s.app.again("%s --mode %s", line, r.Decision.Mode)
}

// command is a command line of dera with the flags that say where this one
// works.
func (s *session) command(line string) string {
	if mode := s.app.flags.mode; mode != "" {
		line += " --mode " + mode
	}
	return s.app.again("%s", line)
}

// due are the remediations that are decided and may begin, but those in tried and
// those that do not fit the filter.
func (s *session) due(ctx context.Context, tried map[string]bool) ([]dera.Remediation, error) {
	ready, err := s.store.RemediationsIn(ctx, dera.Ready)
	now := s.app.now()
	return slices.DeleteFunc(ready, func(r dera.Remediation) bool {
		ok, wrong := s.fits(ctx, r)
		err = errors.Join(err, wrong)
		return !ok || tried[r.ID] || !s.ours(r.Plan.Account) || now.Before(r.NotBefore)
	}), err
}
