package store

import (
	"context"
	"fmt"
	"time"
)

// Place is where dera reads: resources of a type in an account and region, or one
// of them, and what became of the last read.
type Place struct {
	Account, Region, Type string
	// Resource is empty for all of them.
	Resource string
	// Read is when all of it was last read; zero for never.
	Read time.Time
	// Unread is since when it could not be read; zero where it was.
	Unread time.Time
	// Tried is when it was last tried to read what is unread.
	Tried time.Time
	// Why is why it could not be read, in the words of the caller; empty where
	// nobody has tried yet.
	Why string
}

// PlaceRead is a read that succeeded: of the resources with these IDs, or, without
// any, of all that is in the place, by a sweep that began at Since.
type PlaceRead struct {
	Account, Region, Type string
	Resources             []string
	Since                 time.Time
	At                    time.Time
}

// maxPlaceWhy bounds why a place could not be read, in bytes.
const maxPlaceWhy = 1 << 12

// Places returns what became of the last read of each place.
func (s *Store) Places(ctx context.Context) ([]Place, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT account, region, type, resource, read, unread, tried, why FROM places ORDER BY account, region, type, resource`)
	if err != nil {
		return nil, fmt.Errorf("read places: %w", err)
	}
	defer rows.Close()
	var out []Place
	for rows.Next() {
		var p Place
		var read, unread, tried int64
		if err := rows.Scan(&p.Account, &p.Region, &p.Type, &p.Resource, &read, &unread, &tried, &p.Why); err != nil {
			return nil, fmt.Errorf("read places: %w", err)
		}
		p.Read, p.Unread, p.Tried = fromMicros(read), fromMicros(unread), fromMicros(tried)
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read places: %w", err)
	}
	return out, nil
}
