package store

import (
	"context"
	"time"
)

// takenPrefix is that of the names under which the IDs of signed messages are remembered, and
// takenFor how long they are at least: longer than a message is valid.
const (
	takenPrefix = "taken/"
	takenFor    = time.Hour
)

// takenName is the name under which a message is remembered that was taken.
func takenName(id string) string { return rememberPrefix + takenPrefix + clean(id) }

// takenCut is since when messages count as taken, in the words of Moment.
func takenCut(now time.Time) string { return Moment(now.Add(-takenFor).Truncate(time.Second)) }

// Taken reports whether the message with the ID was taken within the last hour at least.
func (s *Store) Taken(ctx context.Context, id string) (bool, error) {
	text, err := s.Remembered(ctx, takenPrefix+clean(id))
	return text != "", err
}
