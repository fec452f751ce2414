package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/services"
	"dera.example/dera/source"
)

// backfillConfig says when the event history is looked up. The zero value is never.
type backfillConfig struct {
	After duration `yaml:"after,omitempty" json:"after,omitempty" jsonschema:"type=string" jsonschema_description:"How long the events of an account and region may be silent before its event history is looked up, for example 30m."`
	Most  int      `yaml:"most,omitempty" json:"most,omitempty" jsonschema:"minimum=0,maximum=100000" jsonschema_description:"Events of an account and region that are looked up at once, newest first. Default: 10000."`
}

func (c backfillConfig) validate() error {
	const least, most = 5 * time.Minute, 24 * time.Hour
	switch d := time.Duration(c.After); {
	case d != 0 && (d < least || d > most):
		return fmt.Errorf("sources.backfill.after: is %s, write a duration from %s to %s", d, least, most)
	case c.Most < 0 || c.Most > 100_000:
		return fmt.Errorf("sources.backfill.most: is %d, write a number from 0 (the default) to 100000", c.Most)
	case c.Most > 0 && d == 0:
		return fmt.Errorf("sources.backfill.after: is missing, so that nothing is looked up: write a duration such as 30m")
	}
	return nil
}

// backfill is the part of dera run that looks up what was missed, and what wraps the handler of the
// queue so that it is known of which places events come. Both do nothing where it is off.
func (s *session) backfill(log *slog.Logger) (hearing func(source.Handler) source.Handler, parts []func(context.Context) error, err error) {
	hearing = func(h source.Handler) source.Handler { return h }
	after := time.Duration(s.config.Sources.Backfill.After)
	if after == 0 {
		return hearing, nil, nil
	}
	positions := app.Positions{Store: s.store, Now: s.app.now}
	b, err := source.NewBackfill(source.BackfillConfig{
		Places: app.BackfillPlaces(s.accounts, s.regions), Positions: positions, Watch: services.Watch(), After: after, Most: s.config.Sources.Backfill.Most, Log: log, Now: s.app.now,
		Past: func(p source.BackfillPlace) source.Past { return past{s.client.History(p.Account, p.Region)} },
	})
	if err != nil {
		return hearing, nil, err
	}
	hearing = func(h source.Handler) source.Handler { return positions.Hearing(after, h) }
	return hearing, []func(context.Context) error{func(ctx context.Context) error { return b.Run(ctx, s.ingest()) }}, nil
}

// past is the event history of a place as package source reads it.
type past struct{ h *cloud.History }

var _ source.Past = past{}

// Changes implements source.Past.
func (p past) Changes(ctx context.Context, from, to time.Time, token string) ([]source.Message, string, error) {
	list, next, err := p.h.Changes(ctx, from, to, token)
	var out []source.Message
	for _, e := range list {
		out = append(out, source.Message{ID: e.ID, Body: e.Text})
	}
	return out, next, err
}
