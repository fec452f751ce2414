package main

import (
	"context"
	"errors"
	"strings"

	"dera.example/dera"
	"dera.example/dera/sink"
	"dera.example/dera/store"
)

// codeReviews proposes plans that wait as changes of code, where infrastructure as code owns
// the resource.
type codeReviews struct {
	store *store.Store
	to    []*sink.Forge // the first with a repository for the resource counts
}

var _ sink.Sink = codeReviews{}

func (s *session) codeReviews(cfg sink.CodeReviews, d sink.Deps) (sink.Sink, error) {
	out := codeReviews{store: s.store}
	for _, f := range []struct {
		at  sink.Repositories
		new func(sink.ForgeConfig) (*sink.Forge, error)
	}{{cfg.GitHub, sink.NewGitHub}, {cfg.GitLab, sink.NewGitLab}} {
		if !f.at.On() {
			continue
		}
		token, err := d.Secret(f.at.TokenEnv, f.at.TokenFile)
		if err != nil {
			return nil, err
		}
		forge, err := f.new(sink.ForgeConfig{URL: f.at.URL, Token: token, Repositories: f.at.Repositories, Client: d.Client, Now: d.Now})
		if err != nil {
			return nil, err
		}
		out.to = append(out.to, forge)
	}
	return out, nil
}

// Send implements sink.Sink. A message that is about no plan that waits, or about one that
// is not told as code, and one of a resource without a repository, need nothing.
func (c codeReviews) Send(ctx context.Context, list []sink.Message) error {
	for _, m := range list {
		if m.Remediation == "" {
			continue
		}
		r, err := c.store.Remediation(ctx, m.Remediation)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if r.State != dera.Waiting || r.Code == nil {
			continue
		}
		var why []string
		for _, reason := range r.Decision.Lowered() {
			why = append(why, reason.Guardrail+": "+reason.Why)
		}
		change := sink.Change{
			Remediation: r.ID, Title: m.Title, Why: strings.Join(why, "; "), Resource: r.Plan.Resource, Account: r.Plan.Account, Owner: m.Owner,
			Language: r.Code.Language, Lines: r.Code.Lines,
		}
		for _, to := range c.to {
			if _, err = to.Open(ctx, change); !errors.Is(err, sink.ErrNoRepository) {
				break
			}
		}
		if err != nil && !errors.Is(err, sink.ErrNoRepository) {
			return err
		}
	}
	return nil
}
