package store

import (
	"context"
	"fmt"

	"dera.example/dera"
)

// Incidents returns all incidents, the oldest first.
func (s *Store) Incidents(ctx context.Context) ([]dera.Incident, error) {
	return s.incidents(ctx, `1 = 1`)
}

// IncidentsOf returns the incidents of a finding, the oldest first.
func (s *Store) IncidentsOf(ctx context.Context, finding string) ([]dera.Incident, error) {
	return s.incidents(ctx, `finding = $1`, finding)
}

// IncidentsIn returns the incidents of findings on a type in an account and region, the
// oldest first.
func (s *Store) IncidentsIn(ctx context.Context, account, region, typ string) ([]dera.Incident, error) {
	return s.incidents(ctx, `account = $1 AND region = $2 AND type = $3`, account, region, typ)
}

func (s *Store) incidents(ctx context.Context, where string, args ...any) ([]dera.Incident, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT body FROM incidents WHERE `+where+` ORDER BY at, finding, reference`, args...)
	if err != nil {
		return nil, fmt.Errorf("read incidents: %w", err)
	}
	return collect[dera.Incident](rows, "incidents")
}
