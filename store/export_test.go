package store

import "context"

// PackMarks packs marks where there are more than most.
func (s *Store) PackMarks(ctx context.Context, most int) error {
	s.marked.Store(marksBetween)
	return s.packAllMarks(ctx, most)
}
