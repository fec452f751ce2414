package audit_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"dera.example/dera/audit"
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
		want        audit.Status
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
		{"record_and_its_tile_rebuilt", all(change(bundle1, 44), refit(bundle1, tile1)), audit.BadRecord, 256, 511, "recomputed"},
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
		want        audit.Status
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
