package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
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

// Rulebook implements console.Screens.
func (c consoleScreens) Rulebook(ctx context.Context, findings []dera.Finding) (v console.Rulebook, err error) {
	looked, err := c.s.store.Looked(ctx)
	if err != nil {
		return v, err
	}
	covered, err := c.s.covered(ctx)
	if err != nil {
		return v, err
	}
	_, places, err := c.s.seen(ctx)
	if err != nil {
		return v, err
	}
	if v.Accounts, err = c.s.coveredAccounts(ctx); err != nil {
		return v, err
	}
	v.Unread = map[[2]string]bool{}
	for _, u := range places.Unread {
		v.Unread[[2]string{u.Type, u.Account}] = true
	}
	findings = slices.DeleteFunc(slices.Clone(findings), func(f dera.Finding) bool { return !covered(f) })
	accounts := c.s.config.accounts()
	v.Open = app.Candidates{Accounts: accounts, Mode: c.s.mode, Observation: c.s.observation(), Now: c.s.app.now}.Open(findings, looked)
	byID := map[string]dera.Account{}
	for _, a := range accounts {
		byID[a.ID] = a
	}
	v.Mode = func(account, control string) dera.Mode {
		a, known := byID[account]
		if !known {
			a.ID = account
		}
		return c.s.mode(a, control)
	}
	v.Rules = c.rules()
	return v, nil
}

func (c consoleScreens) rules() (out []console.Rule) {
	for _, x := range c.s.config.controls() {
		r := console.Rule{
			ID: x.ID, Title: x.Title, Severity: x.Severity.String(), Type: x.Type, Complexity: x.Complexity, Why: x.Why, Fix: x.Fix,
			Owner: x.Owner, ReviewBy: x.ReviewBy,
		}
		for _, ref := range x.Refs {
			r.Frameworks = append(r.Frameworks, strings.TrimSpace(ref.Standard+" "+ref.ID))
		}
		out = append(out, r)
	}
	return out
}

// Exemptions implements console.Screens. The list is read again each time, as for each decision.
func (c consoleScreens) Exemptions() ([]dera.Exemption, string, error) {
	list, unread := c.s.exemptionEntries(func(error) {})
	if unread != "" {
		return nil, c.s.exemptionList(), &console.Refused{Why: unread}
	}
	return list, c.s.exemptionList(), nil
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
	v = app.CoverageOf(accounts, covered, places, findings)
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
			return p, altered(err)
		}
		note = string(signed)
	}
	head, err := audit.OpenCheckpoint([]byte(note), c.s.log.PublicKey)
	if err != nil {
		return p, altered(err)
	}
	proof, err := audit.ProveInclusion(c.s.store.Hashes(ctx), head.Size, index)
	if err != nil {
		return p, err
	}
	if err := audit.CheckInclusion(proof, head, leaves[0]); err != nil {
		return p, fmt.Errorf("%w: %w", console.ErrAltered, err)
	}
	p = console.Proved{Index: index, Size: head.Size, Record: string(leaves[0]), Checkpoint: note, Key: c.s.log.PublicKey}
	for _, h := range proof.Path {
		p.Path = append(p.Path, base64.StdEncoding.EncodeToString(h[:]))
	}
	return p, nil
}

// altered says of an error that it is about a log that was changed, where it is.
func altered(err error) error {
	if errors.Is(err, audit.ErrFork) || errors.Is(err, audit.ErrSignature) {
		return fmt.Errorf("%w: %w", console.ErrAltered, err)
	}
	return err
}
