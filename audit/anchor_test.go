package audit_test

import (
	"context"
	"errors"
	"testing"

	"dera.example/dera/audit"
	"dera.example/dera/audit/audittest"
)

// shelf is an anchor that has what the test puts there.
type shelf struct {
	list []audit.Anchored
	err  error
}

func (s *shelf) Name() string                                { return "shelf" }
func (s *shelf) Check(context.Context) (string, bool, error) { return "", false, nil }
func (s *shelf) Keep(_ context.Context, _ audit.Source, c audit.Checkpoint, signed []byte) error {
	s.list = append(s.list, audit.Anchored{Size: c.Size, Root: c.Root, Note: func(context.Context) ([]byte, error) { return signed, nil }})
	return nil
}
func (s *shelf) Kept(_ context.Context, each func(audit.Anchored) error) error {
	for _, a := range s.list {
		if err := each(a); err != nil {
			return err
		}
	}
	return s.err
}

// TestCompare: a log that was cut off, or rewritten with the key, is told by the checkpoints of an anchor, also where a later one was anchored; what the key did not sign proves nothing.
func TestCompare(t *testing.T) {
	t.Parallel()
	key, other := newKey(t, 1), newKey(t, 2)
	keep := func(s *shelf, log audit.Source, k *audit.FileKey) {
		c, signed := head(t, log, k)
		if err := s.Keep(t.Context(), log, c, signed); err != nil {
			t.Fatal(err)
		}
	}
	log := newLog(t, 300)
	forked := &audittest.Memory{}
	grow(t, forked, 1, 400) // begins otherwise
	for name, tc := range map[string]struct {
		put         func(s *shelf)
		log         audit.Source
		verdict     audit.Status
		checkpoints int64
		unsigned    int64
		fails       bool
	}{
		"none":                      {func(*shelf) {}, log, audit.OK, 0, 0, false},
		"contained":                 {func(s *shelf) { keep(s, newLog(t, 1), key); keep(s, newLog(t, 256), key); keep(s, log, key) }, log, audit.OK, 3, 0, false},
		"truncated":                 {func(s *shelf) { keep(s, newLog(t, 100), key); keep(s, log, key) }, newLog(t, 299), audit.Truncated, 2, 0, false},
		"forked":                    {func(s *shelf) { keep(s, log, key) }, forked, audit.Fork, 1, 0, false},
		"forked_and_anchored_again": {func(s *shelf) { keep(s, log, key); keep(s, forked, key) }, forked, audit.Fork, 2, 0, false},
		"of_another_key":            {func(s *shelf) { keep(s, log, key); keep(s, forked, other) }, log, audit.OK, 1, 1, false},
		"name_says_another_root": {func(s *shelf) {
			keep(s, log, key)
			c, _ := head(t, forked, key)
			s.list = append(s.list, audit.Anchored{Size: c.Size, Root: c.Root, Note: s.list[0].Note})
		}, log, audit.OK, 1, 1, false},
		"newest_is_not_signed": {func(s *shelf) { keep(s, log, other) }, log, audit.OK, 0, 0, true},
		"something_over_the_newest": {func(s *shelf) {
			c, _ := head(t, log, key)
			s.list = append(s.list, audit.Anchored{Size: c.Size, Root: c.Root, Note: func(context.Context) ([]byte, error) { return []byte("none"), nil }})
			keep(s, log, key)
		}, log, audit.OK, 1, 1, false},
		"cannot_be_read": {func(s *shelf) { keep(s, log, key); s.err = errors.New("denied") }, log, audit.OK, 0, 0, true},
	} {
		s := &shelf{}
		tc.put(s)
		got, err := audit.Compare(t.Context(), tc.log, key.PublicKey(), s)
		if (err != nil) != tc.fails {
			t.Errorf("%s: got %v", name, err)
		}
		if err == nil && (got.Verdict != tc.verdict || got.Checkpoints != tc.checkpoints || got.Unsigned != tc.unsigned) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// growing is a shelf on which a checkpoint of a longer log is put while it is listed.
type growing struct {
	shelf
	meanwhile func()
}

func (g *growing) Kept(ctx context.Context, each func(audit.Anchored) error) error {
	g.meanwhile()
	return g.shelf.Kept(ctx, each)
}

// TestCompareWhileTheLogGrows: what is recorded and anchored while the list of an anchor is read was not cut off.
func TestCompareWhileTheLogGrows(t *testing.T) {
	t.Parallel()
	key, log := newKey(t, 1), newLog(t, 300)
	g := &growing{}
	g.meanwhile = func() {
		grow(t, log, 300, 305)
		c, signed := head(t, log, key)
		if err := g.Keep(t.Context(), log, c, signed); err != nil {
			t.Fatal(err)
		}
	}
	got, err := audit.Compare(t.Context(), log, key.PublicKey(), g)
	if err != nil || got.Verdict != audit.OK || got.Newest != 305 {
		t.Errorf("got %+v, %v", got, err)
	}
}
