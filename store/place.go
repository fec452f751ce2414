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

// places notes what was read and what was not. Since when a place is unread stays
// until it is read.
func (w writer) places(ctx context.Context, b Batch) error {
	for _, p := range b.Expected {
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO places (account, region, type, resource, read, unread, tried, why) VALUES ($1, $2, $3, '', 0, $4, $4, '')
			ON CONFLICT (account, region, type, resource) DO NOTHING`, p.Account, p.Region, p.Type, micros(p.Unread)); err != nil {
			return fmt.Errorf("expect a place: %w", err)
		}
	}
	for _, r := range b.Read {
		if err := w.placeRead(ctx, r); err != nil {
			return fmt.Errorf("note that a place was read: %w", err)
		}
	}
	for _, p := range b.Unread {
		why := cleanTo(p.Why, maxPlaceWhy)
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO places (account, region, type, resource, read, unread, tried, why) VALUES ($1, $2, $3, $4, 0, $5, $6, $7)
			ON CONFLICT (account, region, type, resource) DO UPDATE SET tried = excluded.tried, why = excluded.why,
			unread = CASE WHEN places.unread = 0 OR places.why = '' THEN excluded.unread ELSE places.unread END`,
			p.Account, p.Region, p.Type, clean(p.Resource), micros(p.Unread), micros(p.Tried), why); err != nil {
			return fmt.Errorf("note that a place was not read: %w", err)
		}
	}
	return nil
}

func (w writer) placeRead(ctx context.Context, r PlaceRead) error {
	for _, id := range r.Resources {
		if _, err := w.tx.ExecContext(ctx, `DELETE FROM places WHERE account = $1 AND region = $2 AND type = $3 AND resource = $4`, r.Account, r.Region, r.Type, clean(id)); err != nil {
			return err
		}
	}
	if len(r.Resources) > 0 {
		return nil
	}
	if _, err := w.tx.ExecContext(ctx, `INSERT INTO places (account, region, type, resource, read, unread, tried, why) VALUES ($1, $2, $3, '', $4, 0, 0, '')
		ON CONFLICT (account, region, type, resource) DO UPDATE SET read = excluded.read, unread = 0, tried = 0, why = ''`, r.Account, r.Region, r.Type, micros(r.At)); err != nil {
		return err
	}
	// What the sweep came by is read; what it could not read was tried since.
	_, err := w.tx.ExecContext(ctx, `DELETE FROM places WHERE account = $1 AND region = $2 AND type = $3 AND resource <> '' AND tried < $4`, r.Account, r.Region, r.Type, micros(r.Since))
	return err
}

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
