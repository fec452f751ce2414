package audit_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/note"

	"dera.example/dera/audit"
	"dera.example/dera/audit/audittest"
)

func TestVerifyHeldCheckpoint(t *testing.T) {
	t.Parallel()
	key := newKey(t, 1)
	log := &audittest.Memory{}
	var heads []audit.Checkpoint // after 0, 300, 700 records
	from := 0
	for _, n := range []int{0, 300, 700} {
		grow(t, log, from, n)
		c, _ := head(t, log, key)
		heads = append(heads, c)
		from = n
	}
	export := func(edit func(leaves [][]byte) [][]byte) fstest.MapFS {
		forged, err := log.Forged(edit)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		exportTo(t, dir, forged, key)
		return inMemory(t, dir)
	}
	intact := export(func(l [][]byte) [][]byte { return l })
	cut := export(func(l [][]byte) [][]byte { return l[:699] })
	early := export(func(l [][]byte) [][]byte { l[100] = []byte("other"); return l })
	late := export(func(l [][]byte) [][]byte { l[500] = []byte("other"); return l })
	badTile := clone(intact)
	flip(tile0, 0)(t, badTile)
	badTileFork := clone(early)
	flip(tile0, 0)(t, badTileFork)
	forkAndBadRecord := clone(early)
	change(bundle2, 1)(t, forkAndBadRecord)
	emptyFork := heads[0]
	emptyFork.Root[0] ^= 1

	tests := []struct {
		name   string
		folder fstest.MapFS
		since  *audit.Checkpoint
		want   audit.Status
	}{
		{"same_size", intact, &heads[2], audit.OK},
		{"grown", intact, &heads[1], audit.OK},
		{"grown_from_nothing", intact, &heads[0], audit.OK},
		{"bad_tile", badTile, &heads[1], audit.BadTile},
		{"truncated", cut, &heads[2], audit.Truncated},
		{"truncated_below_an_older_one", cut, &heads[1], audit.OK},
		{"truncated_and_nothing_held", cut, nil, audit.OK},
		{"resigned_same_size", late, &heads[2], audit.Fork},
		{"resigned_rewritten_before_held", early, &heads[1], audit.Fork},
		{"resigned_rewritten_after_held", late, &heads[1], audit.OK},
		{"resigned_and_nothing_held", early, nil, audit.OK},
		{"fork_and_bad_tile", badTileFork, &heads[1], audit.Fork},
		{"fork_and_bad_record", forkAndBadRecord, &heads[1], audit.BadRecord},
		{"empty_log_with_another_root", intact, &emptyFork, audit.Fork},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := verify(t, tt.folder, tt.since)
			if r.Verdict != tt.want || r.Compared != (tt.since != nil) {
				t.Errorf("verify: got %+v, want %s", r, tt.want)
			}
		})
	}
}

func TestVerifyKeys(t *testing.T) {
	t.Parallel()
	good := newKey(t, 1).PublicKey()
	tests := []struct {
		name, key string
		since     *audit.Checkpoint
		want      audit.Status // "" for an error
	}{
		{"good", good, nil, audit.OK},
		{"with_line_end", good + "\n", nil, audit.OK},
		{"other_key", newKey(t, 2).PublicKey(), nil, audit.BadSignature},
		{"no_key", "nonsense", nil, ""},
		{"held_checkpoint_of_another_log", good, &audit.Checkpoint{Origin: "example.com/other"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := audit.Verify(t.Context(), exported(t, 3), audit.VerifyConfig{PublicKey: tt.key, Since: tt.since})
			if (err != nil) != (tt.want == "") || r.Verdict != tt.want {
				t.Errorf("verify: got %+v, %v, want %q", r, err, tt.want)
			}
		})
	}
}

// A well signed note of the key that is no checkpoint of the log.
func TestVerifySignedNonsense(t *testing.T) {
	t.Parallel()
	c := verify(t, exported(t, 3), nil).Checkpoint
	tests := []struct {
		name, text string
		want       audit.Status
	}{
		{"no_checkpoint", "hello\n", audit.Unreadable},
		{"other_origin", strings.Replace(c.Text(), origin, "example.com/other", 1), audit.BadSignature},
		{"lines_of_a_later_version", c.Text() + "more\n", audit.OK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			folder := exported(t, 3)
			signed, err := note.Sign(&note.Note{Text: tt.text}, newKey(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			folder["checkpoint"].Data = signed
			if r := verify(t, folder, nil); r.Verdict != tt.want {
				t.Errorf("verify: got %+v, want %s", r, tt.want)
			}
		})
	}
}

// cancelFS ends a context when a file is opened for the n-th time.
type cancelFS struct {
	fs.FS
	name   string
	left   int
	cancel func()
}

func (c *cancelFS) Open(name string) (fs.File, error) {
	if name == c.name {
		if c.left--; c.left == 0 {
			c.cancel()
		}
	}
	return c.FS.Open(name)
}

func TestVerifyStopsWithItsContext(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		tamper tamper
		file   string
		times  int
	}{
		{"walk", all(), bundle0, 1},
		{"rebuild_of_edge", flip(tile2, 0), bundle2, 1},
		{"rebuild_of_edge_above", flip(tile2, 0), bundle0, 1},
		{"rebuild_of_tile", flip(tile1, 0), tile1, 1},
		{"locate_from_edge", all(flip(tile2, 0), change(bundle2, 0)), bundle0, 2},
		{"locate_in_tile", all(change(bundle1, 44), refit(bundle1, tile1)), bundle1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			folder := exported(t, 700)
			tt.tamper(t, folder)
			r, err := audit.Verify(ctx, &cancelFS{folder, tt.file, tt.times, cancel}, audit.VerifyConfig{PublicKey: newKey(t, 1).PublicKey()})
			if err == nil || r.Verdict != "" {
				t.Errorf("verify: got %+v, %v, want an error and no verdict", r, err)
			}
		})
	}
}
