package console

import (
	"context"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
)

// effectsEvery is how often it is read what reports are made of, at most: it takes a twentieth of the
// time at most too.
const effectsEvery = 30 * time.Second

// readEffects reads what reports are made of, after a snapshot is shown: lists do not wait for it. Where
// it cannot be read, reports show what was known, with its time.
func (b *board) readEffects(ctx context.Context) {
	now := b.cfg.Now()
	if now.Before(b.effectsAt) || b.held == nil {
		return
	}
	data, err := b.cfg.Effects(ctx, *b.held)
	b.held = nil // what was read of it is old from here on
	b.effectsAt = now.Add(max(effectsEvery, 20*b.cfg.Now().Sub(now)))
	if err != nil {
		if ctx.Err() == nil {
			b.cfg.Log.WarnContext(ctx, "the console could not read what reports are made of", "err", err)
		}
		b.effectsAt = now.Add(lateAfter)
		return
	}
	v, _ := b.now()
	with := *v
	with.effects = &data
	b.publish(&with)
}

// held is the store, with the findings in memory, and what reports need of the remediations that were
// read.
type held struct {
	Store
	rows  []dera.Finding
	fixes map[dera.State][]app.Fix
}

func hold(from Store, rows []listed) held {
	h, something := held{from, make([]dera.Finding, len(rows)), map[dera.State][]app.Fix{}}, []string{""}
	for i, f := range rows {
		h.rows[i] = f.Finding
		if f.opens {
			h.rows[i].Sources = something
		}
	}
	return h
}

func (h held) Findings(context.Context) ([]dera.Finding, error) { return h.rows, nil }

func (h held) RemediationsIn(ctx context.Context, state dera.State) ([]dera.Remediation, error) {
	list, err := h.Store.RemediationsIn(ctx, state)
	if err == nil {
		h.fixes[state] = app.FixesIn(list)
	}
	return list, err
}

// Fixes implements app.FixStore.
func (h held) Fixes(ctx context.Context, state dera.State) ([]app.Fix, error) {
	if _, read := h.fixes[state]; !read {
		if _, err := h.RemediationsIn(ctx, state); err != nil {
			return nil, err
		}
	}
	return h.fixes[state], nil
}
