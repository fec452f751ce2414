package main

import (
	"context"
	"errors"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/store"
)

// resolve returns the ID of the finding or remediation that a command line names,
// also by the beginning of its ID.
func (s *session) resolve(ctx context.Context, text string) (string, error) {
	id, err := app.Resolve(ctx, s.store, text)
	var prefix *app.PrefixError
	if errors.As(err, &prefix) {
		return id, usage("%w", err)
	}
	return id, notFound(err)
}

// namedRemediation reads the remediation that a command line names.
func (s *session) namedRemediation(ctx context.Context, text string) (dera.Remediation, error) {
	id, err := s.resolve(ctx, text)
	if err != nil {
		return dera.Remediation{}, err
	}
	return s.store.Remediation(ctx, id)
}

// recorded is resolve where the caller itself says that there is no such ID, or, as
// the audit log, may know what the store does not hold.
func (s *session) recorded(ctx context.Context, text string) (string, error) {
	id, err := s.resolve(ctx, text)
	if errors.Is(err, store.ErrNotFound) {
		return text, nil
	}
	return id, err
}
