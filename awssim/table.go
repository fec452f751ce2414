package awssim

import (
	"math"
	"slices"
	"sort"
	"time"
)

// A table holds the rows of one resource type and their recent past, so that a read can answer from an older state
// (eventual consistency) and a call can be taken back as a whole. Rows are immutable once put: a change puts a copy.
// Tables are guarded by Cloud.mu; the rows they return may be read without it.
type table[T any] struct {
	state *regionState
	rows  map[string]*history[T]
	order []*history[T] // in order of creation
	born  int           // rows ever created: the number of the next one
	dead  int           // deleted rows that still stand in order
}

// history is the versions of one row, oldest first. A version without a value says that the row was deleted.
type history[T any] struct {
	id       string
	number   int
	versions []version[T]
}

type version[T any] struct {
	write uint64
	at    time.Time
	value *T
}

// view chooses a moment of the past. The zero view is the present.
type view struct {
	lag    time.Duration // see the state as it was this long ago
	behind uint64        // see the state without the last so many writes
}

// moment is a view resolved against a state: versions after it are not seen.
type moment struct {
	write uint64
	at    time.Time // zero: no bound
}

// remembered is how long a superseded version stays readable.
const remembered = 15 * time.Minute

func newTable[T any](s *regionState) *table[T] {
	return &table[T]{state: s, rows: map[string]*history[T]{}}
}

// get returns the row as the view sees it, or nil.
func (t *table[T]) get(id string, v view) *T {
	h, ok := t.rows[id]
	if !ok {
		return nil
	}
	return h.at(t.state.moment(v))
}

// from yields the rows that exist in the view, in order of creation, beginning with the row of the given number.
func (t *table[T]) from(number int, v view) func(yield func(number int, row *T) bool) {
	m := t.state.moment(v)
	start := sort.Search(len(t.order), func(i int) bool { return t.order[i].number >= number })
	return func(yield func(int, *T) bool) {
		for _, h := range t.order[start:] {
			if row := h.at(m); row != nil && !yield(h.number, row) {
				return
			}
		}
	}
}

// all yields the rows of the present.
func (t *table[T]) all(yield func(int, *T) bool) {
	t.from(0, view{})(yield)
}

// put adds or replaces a row; a nil row deletes it. It takes effect when the state commits.
func (t *table[T]) put(id string, row *T) {
	h, ok := t.rows[id]
	if !ok {
		h = &history[T]{id: id, number: t.born}
		t.born++
		t.rows[id] = h
		t.order = append(t.order, h)
	}
	now := t.state.now()
	h.forget(now.Add(-remembered))
	h.versions = append(h.versions, version[T]{write: t.state.writes + 1, at: now, value: row})
	if t.state.birth { // what AWS delivers is there since ever, so that even a stale read sees it
		h.versions = []version[T]{{value: row}}
	}
	if row == nil {
		t.dead++
	}
	t.state.undo = append(t.state.undo, func() {
		h.versions = h.versions[:len(h.versions)-1]
		if row == nil {
			t.dead--
		}
		if len(h.versions) == 0 {
			delete(t.rows, id)
			t.order = slices.DeleteFunc(t.order, func(other *history[T]) bool { return other == h })
		}
	})
	if t.dead > 64 && t.dead > len(t.order)/2 {
		t.compact(now.Add(-remembered))
	}
}

// compact lets go of the rows that were deleted before the given time.
func (t *table[T]) compact(before time.Time) {
	t.order = slices.DeleteFunc(t.order, func(h *history[T]) bool {
		last := h.versions[len(h.versions)-1]
		gone := last.value == nil && last.at.Before(before)
		if gone {
			delete(t.rows, h.id)
			t.dead--
		}
		return gone
	})
}

func (h *history[T]) at(m moment) *T {
	for _, v := range slices.Backward(h.versions) {
		if v.write <= m.write && (m.at.IsZero() || !v.at.After(m.at)) {
			return v.value
		}
	}
	return nil
}

// forget drops the versions that were superseded before the given time.
func (h *history[T]) forget(before time.Time) {
	keep := 0
	for keep+1 < len(h.versions) && h.versions[keep+1].at.Before(before) {
		keep++
	}
	h.versions = slices.Delete(h.versions, 0, keep)
}

// moment resolves a view.
func (s *regionState) moment(v view) moment {
	m := moment{write: math.MaxUint64}
	if v.behind > 0 {
		m.write = s.writes - min(v.behind, s.writes)
	}
	if v.lag > 0 {
		m.at = s.now().Add(-v.lag)
	}
	return m
}

// commit makes the puts since the last commit one write.
func (s *regionState) commit() {
	if len(s.undo) > 0 {
		s.writes++
		s.undo = nil
	}
}

// rollback takes the puts since the last commit back.
func (s *regionState) rollback() {
	for _, undo := range slices.Backward(s.undo) {
		undo()
	}
	s.undo = nil
}
