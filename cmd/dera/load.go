package main

import (
	"context"
	"log/slog"
	"time"

	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/source"
)

// beatEvery is how often a controller says that it lives, and beatTTL how long the others count it after that: so
// long do they leave it its share of the calls.
const (
	beatEvery = 5 * time.Second
	beatTTL   = 4 * beatEvery
)

// share says again and again that this process lives, and takes its share of the calls by how many do. Where the
// database is away, the share stays as it was.
func (s *session) share(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		if err := s.beat(ctx); err != nil && ctx.Err() == nil {
			log.DebugContext(ctx, "how many processes live is not known", "err", err)
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = s.store.Leave(last, s.owner) // else it is forgotten in time
			return nil
		case <-tick.C:
		}
	}
}

// beat says that this process lives, and takes its share by how many do.
func (s *session) beat(ctx context.Context) error {
	alive, err := s.store.Beat(ctx, s.owner, beatTTL)
	if err == nil {
		s.limits.Among(alive)
	}
	return err
}

// others reports whether other controllers live, as of the last beat.
func (s *session) others() bool { return s.limits.Load().Replicas > 1 }

// noteLoad keeps how much there is to do, for dera doctor, a few times a minute.
func (s *session) noteLoad(ctx context.Context, src *source.SQS, url string) error {
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	ask := src != nil
	for {
		l := app.Load{At: s.app.now().UTC(), Calls: s.limits.Load()}
		if src != nil {
			l.Queue = src.Load()
		}
		if ask {
			state, err := s.client.Queue(url).State(ctx)
			l.Waiting, l.Known = state.Waiting, err == nil
			ask = !cloud.Is(err, cloud.Denied) // only the doctor needs that permission
		}
		_ = app.NoteLoad(ctx, s.store, l) // for people only
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
