package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/audit"
	"dera.example/dera/cloud"
	"dera.example/dera/console"
	"dera.example/dera/store"
)

// consoleScreens reads what the console shows, as the commands do.
type consoleScreens struct{ s *session }

// Why implements console.Screens, as dera why does.
func (c consoleScreens) Why(ctx context.Context, text, at string) (app.Why, error) {
	flags := whyFlags{at: at}
	q, err := flags.question(text)
	var encoded *app.EncodedError
	if errors.As(err, &encoded) && c.s.client != nil {
		var plain string
		if plain, err = c.s.client.DecodeAuthorization(ctx, encoded.Message); err != nil {
			return app.Why{}, &console.Refused{Why: encoded.Error() + ", and it did not: " + cloud.Explain(err)}
		}
		q, err = flags.question(plain)
	}
	if err != nil {
		return app.Why{}, &console.Refused{Why: err.Error()}
	}
	return c.s.app.askWhy(ctx, c.s, q)
}

// Rules implements console.Screens.
func (c consoleScreens) Rules() (out []console.Rule) {
	for _, x := range c.s.config.controls() {
		r := console.Rule{
			ID: x.ID, Title: x.Title, Severity: x.Severity.String(), Type: x.Type, Complexity: x.Complexity, Why: x.Why, Fix: x.Fix,
			Owner: x.Owner, ReviewBy: x.ReviewBy, Changes: len(x.Writes) > 0,
		}
		for _, ref := range x.Refs {
			r.Frameworks = append(r.Frameworks, strings.TrimSpace(ref.Standard+" "+ref.ID))
		}
		out = append(out, r)
	}
	return out
}

// Open implements console.Screens.
func (c consoleScreens) Open(ctx context.Context, findings []dera.Finding) ([]app.Candidate, error) {
	looked, err := c.s.store.Looked(ctx)
	if err != nil {
		return nil, err
	}
	return app.Candidates{Accounts: c.s.config.accounts(), Mode: c.s.mode, Observation: c.s.observation(), Now: c.s.app.now}.Open(findings, looked), nil
}

// Exemptions implements console.Screens. The list is read again each time, as for each decision.
func (c consoleScreens) Exemptions() ([]dera.Exemption, string, error) {
	path := c.s.exemptionList()
	if path == "" {
		return nil, "", nil
	}
	cfg := exemptionConfig()
	cfg.Now = c.s.app.now()
	list, err := cfg.Load(path)
	if err != nil {
		return nil, path, &console.Refused{Why: err.Error()}
	}
	return list.All(), path, nil
}

// Coverage implements console.Screens.
func (c consoleScreens) Coverage(ctx context.Context, findings []dera.Finding) (v app.Coverage, err error) {
	covered, places, err := c.s.seen(ctx)
	if err != nil {
		return v, err
	}
	accounts := c.s.config.accounts()
	if len(accounts) == 0 {
		accounts = c.s.accounts
	}
	v.Accounts = app.CoverageOf(accounts, covered, places, findings)
	if v.Sources, err = app.SourcesHeard(ctx, c.s.store); err != nil {
		return v, err
	}
	v.Alarms, err = c.s.store.Alarms(ctx)
	return v, err
}

// Accesses implements console.Screens.
func (c consoleScreens) Accesses(ctx context.Context) ([]app.AccessView, error) {
	return app.Accesses(ctx, c.s.store, c.s.app.orderFlags(), c.s.app.now())
}

// Proved implements console.Screens. The newest checkpoint is used where it has the record; else the log
// is signed as dera audit verify does.
func (c consoleScreens) Proved(ctx context.Context, index int64) (p console.Proved, err error) {
	leaves, err := c.s.store.Leaves(ctx, index, 1)
	if err != nil {
		return p, err
	}
	if len(leaves) == 0 {
		return p, console.ErrNotFound
	}
	size, note, err := c.s.store.LastCheckpoint(ctx)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return p, err
	}
	if err != nil || size <= index {
		signed, err := c.s.log.Sign(ctx)
		if err != nil {
			return p, err
		}
		note = string(signed)
	}
	head, err := audit.OpenCheckpoint([]byte(note), c.s.log.PublicKey)
	if err != nil {
		return p, err
	}
	proof, err := audit.ProveInclusion(c.s.store.Hashes(ctx), head.Size, index)
	if err != nil {
		return p, err
	}
	if err := audit.CheckInclusion(proof, head, leaves[0]); err != nil {
		return p, fmt.Errorf("the audit log was changed: %w", err)
	}
	p = console.Proved{Index: index, Size: head.Size, Record: string(leaves[0]), Checkpoint: note, Key: c.s.log.PublicKey}
	for _, h := range proof.Path {
		p.Path = append(p.Path, base64.StdEncoding.EncodeToString(h[:]))
	}
	return p, nil
}
