package console

import (
	"context"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
)

// effectsEvery is how often it is read what reports are made of, at most: with an overview, which reads
// most of that too.
const effectsEvery = 5 * time.Minute

// effects reads what reports are made of, or keeps what is recent.
func (b *board) effects(ctx context.Context, from held, old *snapshot, now time.Time) (*app.EffectData, error) {
	if old != nil && old.effects != nil && old.failed == nil && now.Sub(old.effects.At) < effectsEvery {
		return old.effects, nil
	}
	data, err := b.cfg.Effects(ctx, from)
	return &data, err
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
