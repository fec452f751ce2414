package store

import (
	"context"
	"fmt"
	"time"
)

// takenPrefix is that of the names under which the IDs of signed messages are remembered, and
// takenFor how long they are at least: longer than a message is valid.
const (
	takenPrefix = "taken/"
	takenFor    = time.Hour
)

// taken remembers the ID of a message with what it led to, within the transaction: of two
// processes that have the same message one commits it.
func (w writer) taken(ctx context.Context, b Batch) error {
	if b.Taken == "" {
		return nil
	}
	prefix := rememberPrefix + takenPrefix
	if _, err := w.tx.ExecContext(ctx, `DELETE FROM meta WHERE substr(name, 1, $1) = $2 AND value < $3`, len(prefix), prefix, Moment(w.now.Add(-takenFor).Truncate(time.Second))); err != nil {
		return fmt.Errorf("forget messages: %w", err)
	}
	res, err := w.tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, prefix+clean(b.Taken), Moment(w.now.Truncate(time.Second)))
	if err != nil {
		return fmt.Errorf("remember a message: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("remember a message: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("message %q: %w", b.Taken, ErrTaken)
	}
	return nil
}

// Taken reports whether the message with the ID was taken within the last hour at least.
func (s *Store) Taken(ctx context.Context, id string) (bool, error) {
	text, err := s.Remembered(ctx, takenPrefix+clean(id))
	return text != "", err
}
