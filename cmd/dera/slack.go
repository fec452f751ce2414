package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/engine"
	"dera.example/dera/sink"
	"dera.example/dera/store"
)

// slackGives is for how long an action is asked back by a button.
const slackGives = 8 * time.Hour

// slackClicks takes the clicks on buttons of messages in Slack.
func (s *session) slackClicks(log *slog.Logger) (*sink.SlackClicks, error) {
	cfg := s.config.Listen.Slack
	secret, err := secretOf(cfg.SecretEnv, cfg.SecretFile)
	if err != nil {
		return nil, usage("listen.slack: %w", err)
	}
	return sink.NewSlackClicks(sink.ClicksConfig{
		Secret: secret, Workspaces: cfg.Workspaces, Once: s.once, Base: cfg.Responses, Client: sink.Client(nil), Now: s.app.now, Log: log,
		Who: func(user string) (dera.Actor, bool) {
			arn, ok := cfg.Users[user]
			return dera.Actor{Name: arn, How: engine.HowSlack}, ok
		},
		Do: func(ctx context.Context, c sink.Click) sink.Done { return s.clicked(ctx, c, log) },
	})
}

// once reports whether a key comes for the first time within ttl, in whatever process: a
// lease that is never given back.
func (s *session) once(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	_, err := s.store.Lease(ctx, "once/"+key, rand.Text(), ttl)
	if errors.Is(err, store.ErrConflict) {
		return false, nil
	}
	return err == nil, err
}

// clicked does what a button orders, as the command of the same name does.
func (s *session) clicked(ctx context.Context, c sink.Click, log *slog.Logger) sink.Done {
	if c.Action == sink.ActionGive {
		return s.clickedGive(ctx, c, log)
	}
	r, err := s.store.Remediation(ctx, c.Button.Remediation)
	if err != nil {
		return s.unclicked(ctx, err, log)
	}
	if err := s.inForce(ctx, r.Plan.Account, r.ID); err != nil {
		return s.unclicked(ctx, err, log)
	}
	approve := c.Action == sink.ActionApprove
	if approve {
		if err := s.mayAct(r); err != nil {
			return s.unclicked(ctx, err, log)
		}
	}
	was := r.State
	next, err := s.engine.Decide(ctx, r.ID, engine.Answer{Approve: approve, Digest: c.Button.Digest, Reason: "by a button in Slack", By: c.By})
	switch {
	case errors.Is(err, store.ErrConflict): // another click, or another process, was first
		return sink.Done{Text: "Not done: it was answered at the same moment. dera show " + r.ID + " says how."}
	case err != nil:
		done := s.unclicked(ctx, err, log)
		if newest, err := s.store.Remediation(ctx, r.ID); err == nil && newest.State != dera.Waiting && newest.State != dera.Ready {
			done.Final = true // nothing is left to answer here
			done.Text += s.instead(ctx, newest)
		}
		return done
	}
	switch {
	case approve && was == dera.Ready:
		return sink.Done{Text: "It is approved already, by " + next.Approval.Approver + ".", Final: true}
	case approve:
		return sink.Done{Text: fmt.Sprintf("Approved by %s at %s. dera carries out the plan %s of %s.", c.By.Name, s.clock(), next.Digest[:dera.DigestDigits], r.ID), Final: true}
	}
	return sink.Done{Text: fmt.Sprintf("Rejected by %s at %s. dera does not ask for this plan again.", c.By.Name, s.clock()), Final: true}
}

func (s *session) clock() string { return s.app.now().UTC().Format(time.RFC3339) }

// unclicked says why nothing was done.
func (s *session) unclicked(ctx context.Context, err error, log *slog.Logger) sink.Done {
	var refused *engine.RefusedError
	var exit *exitError
	switch {
	case errors.As(err, &refused), errors.As(err, &exit):
		return sink.Done{Text: "Not done: " + err.Error()}
	case errors.Is(err, store.ErrNotFound):
		return sink.Done{Text: "Not done: this dera has no such remediation.", Final: true}
	}
	log.ErrorContext(ctx, "a click in Slack could not be carried out", "err", err)
	return sink.Done{Text: "Not done: dera could not do it now, and its log says why. Click again."}
}

// instead names the plan that waits in the place of one that does not.
func (s *session) instead(ctx context.Context, r dera.Remediation) string {
	list, err := s.store.RemediationsOf(ctx, r.ResourceKey())
	if err != nil {
		return ""
	}
	for _, o := range list {
		if o.ID != r.ID && o.Control == r.Control && o.State == dera.Waiting {
			return fmt.Sprintf(". Now %s waits, with the plan %s: dera show %s", o.ID, o.Digest[:dera.DigestDigits], o.ID)
		}
	}
	return ""
}

// clickedGive asks for an action back. Another person grants it.
func (s *session) clickedGive(ctx context.Context, c sink.Click, log *slog.Logger) sink.Done {
	principal := dera.ARN(c.Button.Principal)
	if err := s.inForce(ctx, principal.Account(), string(principal)); err != nil {
		return s.unclicked(ctx, err, log)
	}
	asked, err := s.engine.RequestAccess(ctx, engine.AccessOrder{
		Principal: principal, Actions: c.Button.Actions(), For: slackGives, By: c.By, Reason: "asked for by a button in Slack, on the message that it was denied",
	})
	if err != nil {
		return s.unclicked(ctx, err, log)
	}
	text := fmt.Sprintf("%s asked for %s at %s (%s). Another person has to grant it: dera access list", c.By.Name, asked.Text(), s.clock(), asked.ID)
	if err := s.engine.LookNow(ctx, s.lookAtPrincipal(asked), false); err != nil {
		log.WarnContext(ctx, "the principal of an access could not be read; the next look makes the plan", "access", asked.ID, "err", cloud.Explain(err))
		text += " shows it when its principal was read"
	}
	return sink.Done{Text: text + ".", Final: true}
}
