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
	to    *sink.GitHub
}

var _ sink.Sink = codeReviews{}

func (s *session) codeReviews(g sink.GitHubRepositories, d sink.Deps) (sink.Sink, error) {
	token, err := d.Secret(g.TokenEnv, g.TokenFile)
	if err != nil {
		return nil, err
	}
	to, err := sink.NewGitHub(sink.GitHubConfig{URL: g.URL, Token: token, Repositories: g.Repositories, Client: d.Client, Now: d.Now})
	return codeReviews{s.store, to}, err
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
		_, err = c.to.Open(ctx, sink.Change{
			Remediation: r.ID, Title: m.Title, Why: strings.Join(why, "; "), Resource: r.Plan.Resource, Account: r.Plan.Account, Owner: m.Owner,
			Language: r.Code.Language, Lines: r.Code.Lines,
		})
		if err != nil && !errors.Is(err, sink.ErrNoRepository) {
			return err
		}
	}
	return nil
}
