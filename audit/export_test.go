package audit_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"dera.example/dera/audit"
	"dera.example/dera/audit/audittest"
)

func exportConfig(t testing.TB, dir string, log audit.Source, key *audit.FileKey) audit.ExportConfig {
	t.Helper()
	_, signed := head(t, log, key)
	return audit.ExportConfig{Dir: dir, Checkpoint: signed, PublicKey: key.PublicKey()}
}

func TestExportLayout(t *testing.T) {
	t.Parallel()
	folder := exported(t, 700)
	want := []string{
		"README.txt", "audit.pub", "checkpoint",
		tile0, tile1, tile2, tileUp, bundle0, bundle1, bundle2,
	}
	if got := slices.Sorted(maps.Keys(folder)); !slices.Equal(got, want) {
		t.Errorf("files: got %q, want %q", got, want)
	}
	if got, want := string(folder["audit.pub"].Data), newKey(t, 1).PublicKey()+"\n"; got != want {
		t.Errorf("public key: got %q, want %q", got, want)
	}
	if !bytes.Contains(folder["README.txt"].Data, []byte("dera audit verify")) {
		t.Errorf("README.txt does not say how to verify")
	}
	// Against the specification, not the code: sizes, hashes and entries.
	var all [][]byte
	for _, name := range []string{bundle0, bundle1, bundle2} {
		all = append(all, entries(folder[name].Data)...)
	}
	hashes := leafHashes(all)
	for name, want := range map[string][]byte{
		tile0:  hashTile(hashes[:256]...),
		tile1:  hashTile(hashes[256:512]...),
		tile2:  hashTile(hashes[512:]...),
		tileUp: hashTile(root(hashes[:256]), root(hashes[256:512])),
	} {
		if !bytes.Equal(folder[name].Data, want) {
			t.Errorf("%s is not what the specification says", name)
		}
	}
	c, err := audit.OpenCheckpoint(folder["checkpoint"].Data, newKey(t, 1).PublicKey())
	if err != nil || c.Root != root(hashes) || len(all) != 700 {
		t.Errorf("checkpoint: got %+v, %v, want the root %v of 700 records", c, err, root(hashes))
	}
}

// The example of https://c2sp.org/tlog-tiles: 70,000 records have 273 full tiles
// and one of width 112, one full and one of width 17 above, and one of width 1.
func TestExportTilesOfTheSpecification(t *testing.T) {
	t.Parallel()
	folder := exported(t, 70_000)
	for _, name := range []string{"tile/0/000", "tile/0/272", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"} {
		if folder[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	if got, want := len(folder), 274+274+2+1+3; got != want {
		t.Errorf("files: got %d, want %d", got, want)
	}
}

// A log that grows is exported to the same folder: the files that are there are
// not written again, and partial ones go when the full ones have come.
func TestExportGrows(t *testing.T) {
	t.Parallel()
	dir, key, log := t.TempDir(), newKey(t, 1), &audittest.Memory{}
	var before fs.FileInfo
	from := 0
	for _, n := range []int{0, 1, 100, 256, 300, 700, 700, 768} {
		grow(t, log, from, n)
		from = n
		exportTo(t, dir, log, key)
		if r := verify(t, os.DirFS(dir), nil); !r.OK() || r.Good != int64(n) {
			t.Fatalf("verify %d records: got %+v", n, r)
		}
		if n < 256 {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, "tile/entries/000"))
		if err != nil {
			t.Fatal(err)
		}
		if before != nil && !os.SameFile(before, info) {
			t.Errorf("a full bundle was written again at %d records", n)
		}
		before = info
	}
	folder := inMemory(t, dir)
	for name := range folder {
		if strings.Contains(name, "tile/entries/") && strings.Contains(name, ".p/") || strings.HasSuffix(name, ".tmp") {
			t.Errorf("%s is still there", name)
		}
	}
}

// Wherever an export stops, the folder holds a complete log, and the next export
// goes on.
func TestExportInterrupted(t *testing.T) {
	t.Parallel()
	key := newKey(t, 1)
	for reads := range 6 {
		log := newLog(t, 300)
		dir := t.TempDir()
		exportTo(t, dir, log, key)
		grow(t, log, 300, 1500)
		stopped := &faultySource{Source: log, leaves: true, leavesLeft: reads}
		_, err := audit.Export(t.Context(), stopped, exportConfig(t, dir, log, key))
		if done := reads >= 5; done != (err == nil) || err != nil && !errors.Is(err, errFaulty) {
			t.Fatalf("export that can read %d bundles: got %v", reads, err)
		}
		want := int64(300)
		if err == nil {
			want = 1500
		}
		if r := verify(t, os.DirFS(dir), nil); !r.OK() || r.Good != want {
			t.Fatalf("verify after %d reads: got %+v, want %d good records", reads, r, want)
		}
		exportTo(t, dir, log, key)
		if r := verify(t, os.DirFS(dir), nil); !r.OK() || r.Good != 1500 {
			t.Fatalf("verify after the next export: got %+v", r)
		}
	}
}

func TestExportErrors(t *testing.T) {
	t.Parallel()
	key := newKey(t, 1)
	forged := func(t *testing.T, n, at int) *audittest.Memory {
		log, err := newLog(t, n).Forged(func(l [][]byte) [][]byte { l[at] = []byte("other"); return l })
		if err != nil {
			t.Fatal(err)
		}
		return log
	}
	tests := []struct {
		name string
		// export returns the error of an export of 700 records to dir.
		export func(t *testing.T, dir string) error
		want   string
	}{
		{"leaf_tampered", func(t *testing.T, dir string) error {
			log := newLog(t, 700)
			log.SetLeaf(300, []byte("other"))
			return export(t, log, exportConfig(t, dir, log, key))
		}, "record 300 does not have its stored hash"},
		{"leaf_too_large", func(t *testing.T, dir string) error {
			log := newLog(t, 700)
			log.SetLeaf(300, make([]byte, audit.MaxLeaf+1))
			return export(t, log, exportConfig(t, dir, log, key))
		}, "record 300 has 65536 bytes"},
		{"leaf_and_hash_tampered", func(t *testing.T, dir string) error {
			log := newLog(t, 700)
			log.SetLeaf(300, []byte("other"))
			log.SetHash(tlog.StoredHashIndex(0, 300), tlog.RecordHash([]byte("other")))
			return export(t, log, exportConfig(t, dir, log, key))
		}, "tile/0/001 do not have the hash"},
		{"log_rebuilt", func(t *testing.T, dir string) error {
			return export(t, forged(t, 700, 300), exportConfig(t, dir, newLog(t, 700), key))
		}, audit.ErrFork.Error()},
		{"log_shorter_than_checkpoint", func(t *testing.T, dir string) error {
			return export(t, newLog(t, 600), exportConfig(t, dir, newLog(t, 700), key))
		}, audit.ErrFork.Error()},
		{"key_of_another_log", func(t *testing.T, dir string) error {
			cfg := exportConfig(t, dir, newLog(t, 700), key)
			cfg.PublicKey = newKey(t, 2).PublicKey()
			return export(t, newLog(t, 700), cfg)
		}, audit.ErrSignature.Error()},
		{"folder_of_a_fork", func(t *testing.T, dir string) error {
			exportTo(t, dir, forged(t, 300, 5), key)
			return export(t, newLog(t, 700), exportConfig(t, dir, newLog(t, 700), key))
		}, audit.ErrFork.Error()},
		{"folder_ahead_of_the_log", func(t *testing.T, dir string) error {
			exportTo(t, dir, newLog(t, 800), key)
			return export(t, newLog(t, 700), exportConfig(t, dir, newLog(t, 700), key))
		}, audit.ErrFork.Error()},
		{"folder_holds_a_later_checkpoint", func(t *testing.T, dir string) error {
			exportTo(t, dir, newLog(t, 800), key)
			return export(t, newLog(t, 800), exportConfig(t, dir, newLog(t, 700), key))
		}, "later checkpoint, of 800 records"},
		{"folder_of_another_key", func(t *testing.T, dir string) error {
			exportTo(t, dir, newLog(t, 300), newKey(t, 2))
			return export(t, newLog(t, 700), exportConfig(t, dir, newLog(t, 700), key))
		}, "the folder holds another log"},
		{"folder_with_foreign_file", func(t *testing.T, dir string) error {
			write(t, dir, bundle0, "not of this log")
			return export(t, newLog(t, 700), exportConfig(t, dir, newLog(t, 700), key))
		}, "tile/entries/000 is there already"},
		{"bundle_is_a_folder", func(t *testing.T, dir string) error {
			write(t, dir, bundle0+"/x", "")
			return export(t, newLog(t, 700), exportConfig(t, dir, newLog(t, 700), key))
		}, "tile/entries/000"},
		{"tile_folder_is_a_file", func(t *testing.T, dir string) error {
			write(t, dir, "tile", "")
			return export(t, newLog(t, 700), exportConfig(t, dir, newLog(t, 700), key))
		}, "tile"},
		{"temporary_file_is_a_folder", func(t *testing.T, dir string) error {
			write(t, dir, bundle0+".tmp/x", "")
			return export(t, newLog(t, 700), exportConfig(t, dir, newLog(t, 700), key))
		}, "tile/entries/000.tmp"},
		{"readme_is_a_folder", func(t *testing.T, dir string) error {
			write(t, dir, "README.txt/x", "")
			return export(t, newLog(t, 700), exportConfig(t, dir, newLog(t, 700), key))
		}, "README.txt"},
		{"public_key_is_a_folder", func(t *testing.T, dir string) error {
			write(t, dir, "audit.pub/x", "")
			return export(t, newLog(t, 700), exportConfig(t, dir, newLog(t, 700), key))
		}, "audit.pub"},
		{"checkpoint_is_a_folder", func(t *testing.T, dir string) error {
			write(t, dir, "checkpoint/x", "")
			return export(t, newLog(t, 700), exportConfig(t, dir, newLog(t, 700), key))
		}, "checkpoint"},
		{"folder_is_a_file", func(t *testing.T, dir string) error {
			write(t, dir, "file", "")
			return export(t, newLog(t, 700), exportConfig(t, filepath.Join(dir, "file"), newLog(t, 700), key))
		}, "file"},
		{"context_over", func(t *testing.T, dir string) error {
			cfg := exportConfig(t, dir, newLog(t, 700), key)
			ctx, cancel := context.WithCancel(t.Context())
			log := &cancelSource{Source: newLog(t, 700), cancel: cancel}
			_, err := audit.Export(ctx, log, cfg)
			return err
		}, context.Canceled.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			err := tt.export(t, dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("export: got %v, want an error about %q", err, tt.want)
			}
			if _, err := os.ReadFile(filepath.Join(dir, "checkpoint")); err == nil && verify(t, os.DirFS(dir), nil).Checkpoint.Size == 700 {
				t.Errorf("a refused export has put its checkpoint into the folder")
			}
		})
	}
}

func export(t *testing.T, log audit.Source, cfg audit.ExportConfig) error {
	t.Helper()
	_, err := audit.Export(t.Context(), log, cfg)
	return err
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// cancelSource ends the context when leaves are first read.
type cancelSource struct {
	audit.Source
	cancel func()
}

func (c *cancelSource) Leaves(_ context.Context, from, n int64) ([][]byte, error) {
	c.cancel()
	return c.Source.Leaves(context.Background(), from, n)
}

func TestExportStorageErrors(t *testing.T) {
	t.Parallel()
	key := newKey(t, 1)
	for name, src := range map[string]*faultySource{
		"size":                {size: true},
		"root":                {hashes: true},
		"old_root":            {hashes: true, hashesLeft: 1},
		"tile":                {hashes: true, hashesLeft: 2},
		"hash_above":          {hashes: true, hashesLeft: 3},
		"hash_above_too_few":  {short: true, hashesLeft: 3},
		"leaves":              {leaves: true},
		"too_few_leaves":      {few: true},
		"too_few_tile_hashes": {short: true, hashesLeft: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			exportTo(t, dir, newLog(t, 5), key)
			src.Source = newLog(t, 700)
			if err := export(t, src, exportConfig(t, dir, src.Source, key)); err == nil {
				t.Errorf("export: got no error")
			}
			if r := verify(t, os.DirFS(dir), nil); !r.OK() || r.Good != 5 {
				t.Errorf("verify: got %+v, want the old log", r)
			}
		})
	}
}

// TestExportAgainWritesWhatIsMissing: a file that an earlier export wrote and that is lost is written again, also where the log did not grow.
func TestExportAgainWritesWhatIsMissing(t *testing.T) {
	t.Parallel()
	key, log, dir := newKey(t, 1), newLog(t, 700), t.TempDir()
	exportTo(t, dir, log, key)
	for _, name := range []string{bundle0, tile1, bundle2, tileUp} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		exportTo(t, dir, log, key)
		r, err := audit.Verify(t.Context(), os.DirFS(dir), audit.VerifyConfig{PublicKey: key.PublicKey()})
		if err != nil || !r.OK() {
			t.Errorf("without %s: got %v, %v", name, r, err)
		}
	}
}
