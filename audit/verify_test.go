package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"dera/audit"
	"dera/audit/audittest"
)

func TestVerifyIntact(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 255, 256, 257, 511, 512, 700} {
		t.Run(fmt.Sprintf("records_%d", n), func(t *testing.T) {
			t.Parallel()
			r := verify(t, exported(t, n), nil)
			if !r.OK() || r.Good != int64(n) || r.Index != -1 || r.Last != -1 || r.Age != 90*time.Minute || r.Compared {
				t.Errorf("verify: got %+v, want ok", r)
			}
			if r.Checkpoint.Size != int64(n) || r.Checkpoint.Origin != origin || !r.Checkpoint.Time.Equal(signedAt) {
				t.Errorf("checkpoint: got %+v", r.Checkpoint)
			}
		})
	}
}

// tamper edits a folder of 700 records: bundles and tiles 000, 001 (256 records
// each) and 002 (188 records), and a tile of level 1 with two hashes.
type tamper func(t *testing.T, folder fstest.MapFS)

const (
	bundle0, bundle1, bundle2 = "tile/entries/000", "tile/entries/001", "tile/entries/002.p/188"
	tile0, tile1, tile2       = "tile/0/000", "tile/0/001", "tile/0/002.p/188"
	tileUp                    = "tile/1/000.p/2"
)

func flip(name string, at int) tamper {
	return func(_ *testing.T, folder fstest.MapFS) { folder[name].Data[at] ^= 1 }
}

func remove(name string) tamper {
	return func(_ *testing.T, folder fstest.MapFS) { delete(folder, name) }
}

func swap(a, b string) tamper {
	return func(_ *testing.T, folder fstest.MapFS) { folder[a], folder[b] = folder[b], folder[a] }
}

func grown(name string, data []byte) tamper {
	return func(_ *testing.T, folder fstest.MapFS) { folder[name].Data = append(folder[name].Data, data...) }
}

func cut(name string, by int) tamper {
	return func(_ *testing.T, folder fstest.MapFS) {
		folder[name].Data = folder[name].Data[:len(folder[name].Data)-by]
	}
}

// edit changes the records of a bundle.
func edit(name string, f func(records [][]byte) [][]byte) tamper {
	return func(_ *testing.T, folder fstest.MapFS) { folder[name].Data = bundle(f(entries(folder[name].Data))) }
}

func change(name string, at int) tamper {
	return edit(name, func(r [][]byte) [][]byte {
		r[at] = bytes.Replace(r[at], []byte("record"), []byte("recorx"), 1)
		return r
	})
}

// refit makes the tile of a bundle fit it.
func refit(bundle, tile string) tamper {
	return func(_ *testing.T, folder fstest.MapFS) {
		folder[tile].Data = hashTile(leafHashes(entries(folder[bundle].Data))...)
	}
}

// refitUp makes the tile of level 1 fit the full bundles.
func refitUp(_ *testing.T, folder fstest.MapFS) {
	folder[tileUp].Data = hashTile(
		root(leafHashes(entries(folder[bundle0].Data))), root(leafHashes(entries(folder[bundle1].Data))))
}

func all(steps ...tamper) tamper {
	return func(t *testing.T, folder fstest.MapFS) {
		for _, step := range steps {
			step(t, folder)
		}
	}
}

func TestVerifyTampered(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		tamper      tamper
		want        audit.Verdict
		index, last int64
		detail      string
	}{
		{"record_first", change(bundle0, 0), audit.BadRecord, 0, 0, "not what was signed"},
		{"record_middle", change(bundle1, 44), audit.BadRecord, 300, 300, "not what was signed"},
		{"record_last", change(bundle2, 187), audit.BadRecord, 699, 699, "not what was signed"},
		{"two_records_names_first", all(change(bundle2, 5), change(bundle1, 44)), audit.BadRecord, 300, 300, ""},
		{"length_of_record", flip(bundle0, 1), audit.BadRecord, 0, 0, ""},
		{"length_too_long", flip(bundle0, 0), audit.BadRecord, 0, 0, ""},
		{"record_dropped", edit(bundle1, func(r [][]byte) [][]byte { return slices.Delete(r, 44, 45) }),
			audit.BadRecord, 300, 300, "stands record 301"},
		{"record_dropped_at_end_of_bundle", edit(bundle1, func(r [][]byte) [][]byte { return r[:255] }),
			audit.BadRecord, 511, 511, "ends before it"},
		{"record_dropped_at_end_of_log", edit(bundle2, func(r [][]byte) [][]byte { return r[:187] }),
			audit.BadRecord, 699, 699, "ends before it"},
		{"record_duplicated", edit(bundle1, func(r [][]byte) [][]byte { return slices.Insert(r, 45, r[44]) }),
			audit.BadRecord, 301, 301, "stands record 300"},
		{"record_replaced_by_copy", edit(bundle1, func(r [][]byte) [][]byte { r[50] = r[44]; return r }),
			audit.BadRecord, 306, 306, "stands record 300"},
		{"record_inserted", edit(bundle1, func(r [][]byte) [][]byte { return slices.Insert(r, 45, []byte("{}")) }),
			audit.BadRecord, 301, 301, "not what was signed"},
		{"record_added_to_full_bundle", grown(bundle1, []byte{0, 1, 'x'}), audit.BadRecord, 512, 512, "holds more"},
		{"record_added_to_log", grown(bundle2, []byte{0, 1, 'x'}), audit.BadRecord, 700, 700, "holds more"},
		{"byte_added_to_log", grown(bundle2, []byte{0}), audit.BadRecord, 700, 700, ""},
		{"records_swapped", edit(bundle1, func(r [][]byte) [][]byte { r[44], r[45] = r[45], r[44]; return r }),
			audit.BadRecord, 300, 300, "stands record 301"},
		{"bundles_swapped", swap(bundle0, bundle1), audit.BadRecord, 0, 0, ""},
		{"bundle_missing", remove(bundle1), audit.BadRecord, 256, 256, "not exist"},
		{"bundle_cut", cut(bundle1, 3), audit.BadRecord, 511, 511, "ends before it"},
		{"bundle_empty", edit(bundle1, func([][]byte) [][]byte { return nil }), audit.BadRecord, 256, 256, ""},

		{"tile_flipped", flip(tile1, 44*32), audit.BadTile, -1, -1, "tile/0/001"},
		{"tile_missing", remove(tile1), audit.BadTile, -1, -1, "tile/0/001"},
		{"tile_cut", cut(tile1, 32), audit.BadTile, -1, -1, "255 hashes"},
		{"tile_cut_within_hash", cut(tile1, 1), audit.BadTile, -1, -1, "no list of hashes"},
		{"tile_too_long", grown(tile1, make([]byte, 32)), audit.BadTile, -1, -1, "more than 8192 bytes"},
		{"tiles_swapped", swap(tile0, tile1), audit.BadTile, -1, -1, "tile/0/000"},
		{"partial_tile_flipped", flip(tile2, 0), audit.BadTile, -1, -1, "partial tiles"},
		{"partial_tile_missing", remove(tile2), audit.BadTile, -1, -1, "tile/0/002.p/188"},
		{"upper_tile_flipped", flip(tileUp, 63), audit.BadTile, -1, -1, "partial tiles"},
		{"upper_tile_missing", remove(tileUp), audit.BadTile, -1, -1, "tile/1/000.p/2"},
		{"two_tiles_names_first", all(flip(tile1, 0), flip(tile0, 0)), audit.BadTile, -1, -1, "tile/0/000"},

		{"record_and_other_tile", all(change(bundle1, 44), flip(tile0, 0)), audit.BadRecord, 300, 300, ""},
		{"record_and_partial_tile", all(change(bundle1, 44), flip(tile2, 0)), audit.BadRecord, 300, 300, "does not have its hash"},
		{"record_and_hash_beside_it", all(change(bundle1, 44), flip(tile1, 50*32)), audit.BadRecord, 300, 300, "does not have its hash"},
		{"record_and_its_tile_missing", all(change(bundle1, 44), remove(tile1)), audit.BadRecord, 256, 511, ""},
		{"record_and_its_tile_rebuilt", all(change(bundle1, 44), refit(bundle1, tile1)), audit.BadRecord, 256, 511, "made anew"},
		{"bundle_missing_and_its_tile", all(remove(bundle1), remove(tile1)), audit.BadRecord, 256, 256, "tile/entries/001"},
		{"bundle_missing_and_partial_tile", all(remove(bundle1), remove(tile2)), audit.BadRecord, 256, 256, "tile/entries/001"},
		{"all_rebuilt", all(change(bundle1, 44), refit(bundle1, tile1), refitUp), audit.BadRoot, -1, -1, "rebuilt without the key"},
		{"partial_rebuilt", all(change(bundle2, 44), refit(bundle2, tile2)), audit.BadRoot, -1, -1, "rebuilt without the key"},

		{"checkpoint_missing", remove("checkpoint"), audit.Unreadable, -1, -1, "not exist"},
		{"checkpoint_empty", cut("checkpoint", 10), audit.Unreadable, -1, -1, "malformed"},
		{"checkpoint_huge", grown("checkpoint", make([]byte, 1<<20)), audit.Unreadable, -1, -1, "more than"},
		{"checkpoint_origin", flip("checkpoint", 0), audit.BadSignature, -1, -1, ""},
		{"checkpoint_size", flip("checkpoint", len(origin)+2), audit.BadSignature, -1, -1, ""},
		{"checkpoint_root", flip("checkpoint", len(origin)+10), audit.BadSignature, -1, -1, ""},
		{"checkpoint_is_a_folder", all(remove("checkpoint"), func(_ *testing.T, folder fstest.MapFS) {
			folder["checkpoint/x"] = &fstest.MapFile{}
		}), audit.Unreadable, -1, -1, "checkpoint"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			folder := exported(t, 700)
			tt.tamper(t, folder)
			r := verify(t, folder, nil)
			if r.Verdict != tt.want || r.Index != tt.index || r.Last != tt.last || r.OK() {
				t.Fatalf("verify: got %+v, want %s, records %d to %d", r, tt.want, tt.index, tt.last)
			}
			if !strings.Contains(r.Detail, tt.detail) {
				t.Errorf("detail: got %q, want it to contain %q", r.Detail, tt.detail)
			}
			if tt.want == audit.BadRecord && r.Good > tt.index {
				t.Errorf("good records: got %d, want at most %d", r.Good, tt.index)
			}
		})
	}
}

// Whatever byte of whatever file is flipped, the log is not ok, and a flipped
// byte in a record names that record.
func TestVerifyFindsAnyFlippedBit(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 256, 300, 520} {
		exported(t, n)
	}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.SampledFrom([]int{1, 256, 300, 520}).Draw(rt, "records")
		folder := exported(t, n)
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(folder)), func(name string) bool {
			return name == "README.txt" || name == "audit.pub"
		})
		name := rapid.SampledFrom(names).Draw(rt, "file")
		at := rapid.IntRange(0, len(folder[name].Data)-1).Draw(rt, "byte")
		bit := rapid.IntRange(0, 7).Draw(rt, "bit")
		before := verify(t, folder, nil).Checkpoint
		folder[name].Data[at] ^= 1 << bit
		r := verify(t, folder, nil)
		switch {
		case name == "checkpoint":
			// The last digits of base64 have spare bits, which change nothing.
			if r.OK() && r.Checkpoint != before {
				rt.Fatalf("verify with another checkpoint: got %+v", r)
			}
		case strings.HasPrefix(name, "tile/entries/"):
			if want := recordAt(folder, name, at); r.Verdict != audit.BadRecord || r.Index != want || r.Last != want {
				rt.Fatalf("verify: got %+v, want bad record %d", r, want)
			}
		case r.Verdict != audit.BadTile:
			rt.Fatalf("verify: got %+v, want a bad tile", r)
		}
	})
}

// recordAt is the record that a byte of a bundle of an untouched log belongs to.
func recordAt(folder fstest.MapFS, name string, at int) int64 {
	var n int64
	if _, err := fmt.Sscanf(strings.TrimPrefix(name, "tile/entries/"), "%d", &n); err != nil {
		panic(err)
	}
	n *= 256
	for pos := 0; ; n++ {
		pad := 1 + n%7
		pos += 2 + len(fmt.Sprintf(`{"record":%d,"pad":"%0*d"}`, n, pad, 0))
		if at < pos {
			return n
		}
	}
}

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
		want   audit.Verdict
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

// A folder of more than 65,536 records has a full tile of level 1.
func TestVerifyUpperTiles(t *testing.T) {
	t.Parallel()
	const n = 66_000
	folder := exported(t, n)
	rebuilt := all(change(bundle1, 44), refit(bundle1, tile1), func(_ *testing.T, folder fstest.MapFS) {
		h := root(leafHashes(entries(folder[bundle1].Data)))
		copy(folder["tile/1/000"].Data[32:], h[:])
	})
	tests := []struct {
		name        string
		tamper      tamper
		want        audit.Verdict
		index, last int64
	}{
		{"intact", all(), audit.OK, -1, -1},
		{"record", change("tile/entries/100", 7), audit.BadRecord, 25607, 25607},
		{"upper_tile_flipped", flip("tile/1/000", 100), audit.BadTile, -1, -1},
		{"upper_tile_missing", remove("tile/1/000"), audit.BadTile, -1, -1},
		{"edge_tiles_missing", all(remove("tile/1/001.p/1"), remove("tile/2/000.p/1")), audit.BadTile, -1, -1},
		{"record_and_upper_tile", all(change(bundle1, 44), flip("tile/1/000", 100)), audit.BadRecord, 300, 300},
		{"record_and_tiles_rebuilt", rebuilt, audit.BadRecord, 0, 65535},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			folder := clone(folder)
			tt.tamper(t, folder)
			if r := verify(t, folder, nil); r.Verdict != tt.want || r.Index != tt.index || r.Last != tt.last {
				t.Errorf("verify: got %+v, want %s, records %d to %d", r, tt.want, tt.index, tt.last)
			}
		})
	}
}

// Partial files may be deleted once the full one is there.
func TestVerifyPartialInFullFile(t *testing.T) {
	t.Parallel()
	old, full := exported(t, 700), exported(t, 768)
	for _, name := range []string{bundle2, tile2} {
		delete(old, name)
		whole := strings.TrimSuffix(name, ".p/188")
		old[whole] = full[whole]
	}
	if r := verify(t, old, nil); !r.OK() {
		t.Errorf("verify: got %+v, want ok", r)
	}
	flip(strings.TrimSuffix(bundle2, ".p/188"), 2)(t, old)
	if r := verify(t, old, nil); r.Verdict != audit.BadRecord || r.Index != 512 {
		t.Errorf("verify: got %+v, want bad record 512", r)
	}
}

func TestVerifyKeys(t *testing.T) {
	t.Parallel()
	good := newKey(t, 1).PublicKey()
	tests := []struct {
		name, key string
		since     *audit.Checkpoint
		want      audit.Verdict // "" for an error
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
		want       audit.Verdict
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

func TestVerifySource(t *testing.T) {
	t.Parallel()
	key := newKey(t, 1)
	rebuilt := func(t *testing.T, at int) *audittest.Memory {
		forged, err := newLog(t, 700).Forged(func(l [][]byte) [][]byte { l[at] = []byte("other"); return l })
		if err != nil {
			t.Fatal(err)
		}
		return forged
	}
	tests := []struct {
		name  string
		log   func(t *testing.T) *audittest.Memory
		want  audit.Verdict
		index int64
		good  int64
	}{
		{"intact", func(t *testing.T) *audittest.Memory { return newLog(t, 600) }, audit.OK, -1, 600},
		{"grown", func(t *testing.T) *audittest.Memory { return newLog(t, 700) }, audit.OK, -1, 700},
		{"truncated", func(t *testing.T) *audittest.Memory { return newLog(t, 599) }, audit.Truncated, -1, 0},
		{"record", func(t *testing.T) *audittest.Memory {
			log := newLog(t, 700)
			log.SetLeaf(300, []byte("other"))
			return log
		}, audit.BadRecord, 300, 300},
		{"record_after_checkpoint", func(t *testing.T) *audittest.Memory {
			log := newLog(t, 700)
			log.SetLeaf(650, []byte("other"))
			return log
		}, audit.BadRecord, 650, 650},
		{"upper_hash", func(t *testing.T) *audittest.Memory {
			log := newLog(t, 700)
			log.SetHash(tlog.StoredHashIndex(9, 0), tlog.Hash{})
			return log
		}, audit.BadTile, -1, 700},
		{"rebuilt_before_checkpoint", func(t *testing.T) *audittest.Memory { return rebuilt(t, 599) }, audit.BadRoot, -1, 700},
		{"rebuilt_after_checkpoint", func(t *testing.T) *audittest.Memory { return rebuilt(t, 600) }, audit.OK, -1, 700},
	}
	c, _ := head(t, newLog(t, 600), key)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := audit.VerifySource(t.Context(), tt.log(t), c)
			if err != nil || r.Verdict != tt.want || r.Index != tt.index || r.Good != tt.good {
				t.Errorf("verify: got %+v, %v, want %s at %d after %d good", r, err, tt.want, tt.index, tt.good)
			}
		})
	}
}

func TestReportString(t *testing.T) {
	t.Parallel()
	c := audit.Checkpoint{Origin: origin}
	tests := []struct {
		report audit.Report
		want   string
	}{
		{audit.Report{Verdict: audit.OK, Checkpoint: c, Good: 5, Age: time.Hour}, "ok: 5 records of example.com/dera, checkpoint 1h0m0s old, without an own checkpoint to compare"},
		{audit.Report{Verdict: audit.OK, Checkpoint: c, Good: 5, Age: time.Hour, Compared: true}, "ok: 5 records of example.com/dera, checkpoint 1h0m0s old, containing the own checkpoint"},
		{audit.Report{Verdict: audit.BadRecord, Index: 3, Last: 3, Detail: "why"}, "bad record 3: why"},
		{audit.Report{Verdict: audit.BadRecord, Index: 3, Last: 9, Detail: "why"}, "bad record among 3 to 9: why"},
		{audit.Report{Verdict: audit.Truncated, Index: -1, Last: -1, Detail: "why"}, "truncated: why"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			if got := tt.report.String(); got != tt.want {
				t.Errorf("text: got %q, want %q", got, tt.want)
			}
		})
	}
}
