package audit

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

//go:embed readme.txt
var readme string

// ExportConfig is what Export writes, and where.
type ExportConfig struct {
	// Dir is the folder; it is made if need be. An earlier export of the same log
	// there is brought up to date.
	Dir string
	// Checkpoint is the signed note of the checkpoint to export.
	Checkpoint []byte
	// PublicKey is the verifier key text of the log.
	PublicKey string
}

// Export writes the log up to a signed checkpoint as a folder that [Verify] and
// other readers of https://c2sp.org/tlog-tiles understand, with the public key
// and a README.txt that tells an auditor how to verify.
//
// Each file appears whole or not at all and the checkpoint comes last, so that
// at any moment the folder holds a complete log, the old or the new one. An
// export that was interrupted goes on where it was when it is called again; a
// later one writes only what is new or is missing. One export may write to a folder at a time.
//
// Each record that is written is held against its stored hash, and the hashes
// against each other and the checkpoint: a log that was tampered with is an
// error that names the record, and its checkpoint does not get into the folder.
// A folder that holds another log, or a later checkpoint of this one, is an
// error. The error is ErrFork when the log does not contain the checkpoint that
// is to be exported, or the one in the folder.
func Export(ctx context.Context, src Source, cfg ExportConfig) (Checkpoint, error) {
	c, err := export(ctx, src, cfg)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("export log to %s: %w", cfg.Dir, err)
	}
	return c, nil
}

func export(ctx context.Context, src Source, cfg ExportConfig) (Checkpoint, error) {
	c, err := OpenCheckpoint(cfg.Checkpoint, cfg.PublicKey)
	if err != nil {
		return c, err
	}
	hashes := src.Hashes(ctx)
	size, err := src.LogSize(ctx)
	if err != nil {
		return c, err
	}
	if err := contains(hashes, size, c); err != nil {
		return c, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return c, err
	}
	root, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return c, err
	}
	defer root.Close()
	e := exporter{src: src, hashes: hashes, root: root, renamed: map[string]bool{}}
	old, err := e.exported(size, cfg.PublicKey)
	if err != nil {
		return c, err
	}
	if old > c.Size {
		return c, fmt.Errorf("the folder holds a later checkpoint, of %d records instead of %d", old, c.Size)
	}
	tiles := tlog.NewTiles(tileHeight, old, c.Size)
	changed := map[tlog.Tile]bool{}
	for _, t := range tiles {
		changed[t] = true
	}
	for _, t := range tlog.NewTiles(tileHeight, 0, c.Size) {
		if !changed[t] && e.there(t) {
			continue
		}
		if err := e.tile(ctx, t); err != nil {
			return c, err
		}
	}
	if err := e.replace(readmeName, []byte(readme)); err != nil {
		return c, err
	}
	if err := e.replace(publicKeyName, []byte(strings.TrimSpace(cfg.PublicKey)+"\n")); err != nil {
		return c, err
	}
	// A later export writes only what is new, so that what the disk lost of this one stayed lost.
	if err := e.syncFolders(); err != nil {
		return c, err
	}
	// From here on the new log is there: a crash leaves only files in excess.
	if err := e.replace(checkpointName, cfg.Checkpoint); err != nil {
		return c, err
	}
	if err := e.syncFolders(); err != nil {
		return c, err
	}
	return c, e.prune(tiles)
}

// exporter writes one folder.
type exporter struct {
	src    Source
	hashes tlog.HashReader
	root   *os.Root
	// renamed are the folders with names that may not be on the disk yet.
	renamed map[string]bool
}

// exported is the size of the log that the folder holds already; it must be the
// beginning of the log, which has the given size now.
func (e *exporter) exported(size int64, publicKey string) (int64, error) {
	signed, err := e.root.ReadFile(checkpointName)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	c, err := OpenCheckpoint(signed, publicKey)
	if err != nil {
		return 0, fmt.Errorf("the folder holds another log: %w", err)
	}
	if err := contains(e.hashes, size, c); err != nil {
		return 0, fmt.Errorf("the checkpoint in the folder: %w", err)
	}
	return c.Size, nil
}

// there reports whether the folder has the files of a tile.
func (e *exporter) there(t tlog.Tile) bool {
	names := []string{hashTile(t.L, t.N, t.W)}
	if t.L == 0 {
		names = append(names, entryBundle(t.N, t.W))
	}
	return !slices.ContainsFunc(names, func(name string) bool {
		_, err := e.root.Lstat(name)
		return err != nil
	})
}

// tile writes a tile of hashes and, at level 0, the bundle of its records.
func (e *exporter) tile(ctx context.Context, t tlog.Tile) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := tlog.ReadTileData(t, e.hashes)
	if err != nil {
		return fmt.Errorf("read hashes: %w", err)
	}
	if t.L == 0 {
		if err := e.bundle(ctx, t, data); err != nil {
			return err
		}
	}
	if err := e.checkParent(t, data); err != nil {
		return err
	}
	return e.keep(hashTile(t.L, t.N, t.W), data)
}

// bundle writes the records of a tile of level 0.
func (e *exporter) bundle(ctx context.Context, t tlog.Tile, data []byte) error {
	first := t.N * tileWidth
	leaves, err := e.src.Leaves(ctx, first, int64(t.W))
	if err != nil {
		return err
	}
	if len(leaves) != t.W {
		return fmt.Errorf("read records from %d on: got %d, want %d", first, len(leaves), t.W)
	}
	var bundle []byte
	for i, leaf := range leaves {
		if len(leaf) > MaxLeaf {
			return fmt.Errorf("record %d has %d bytes, at most %d are possible", first+int64(i), len(leaf), MaxLeaf)
		}
		if h := tlog.RecordHash(leaf); !bytes.Equal(h[:], data[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
			return fmt.Errorf("record %d does not have its stored hash: the log was tampered with", first+int64(i))
		}
		bundle = appendEntry(bundle, leaf)
	}
	return e.keep(entryBundle(t.N, t.W), bundle)
}

// checkParent holds a full tile against the hash that is stored for it above.
// The partial tiles need none: the root, which was checked, is made of them.
func (e *exporter) checkParent(t tlog.Tile, data []byte) error {
	if t.W < tileWidth {
		return nil
	}
	stored, err := readHashes(e.hashes, []int64{tlog.StoredHashIndex(tileHeight*(t.L+1), t.N)})
	if err != nil {
		return fmt.Errorf("read hashes: %w", err)
	}
	hashes, err := parseTile(data)
	if err != nil {
		return err
	}
	if fold(subtrees(hashes)) != stored[0] {
		return fmt.Errorf("the hashes of %s do not have the hash stored above them: the log was tampered with", hashTile(t.L, t.N, t.W))
	}
	return nil
}

// keep writes a file that never changes once it is there.
func (e *exporter) keep(name string, data []byte) error {
	there, err := e.root.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return e.replace(name, data)
	case err != nil:
		return err
	case !bytes.Equal(there, data):
		return fmt.Errorf("%s is there already and not of this log: export to an empty folder", name)
	}
	return nil
}

// replace writes a file, whole or not at all.
func (e *exporter) replace(name string, data []byte) error {
	if err := e.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	temp := name + ".tmp"
	f, err := e.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		// A rename must not get to the disk before what it renames.
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	for dir := path.Dir(name); ; dir = path.Dir(dir) { // those above can be new too
		if e.renamed[dir] = true; dir == "." {
			break
		}
	}
	return e.root.Rename(temp, name)
}

// syncFolders has the names of the files that were written outlive a crash of the machine.
func (e *exporter) syncFolders() error {
	for _, dir := range slices.Sorted(maps.Keys(e.renamed)) {
		if err := syncFolder(filepath.Join(e.root.Name(), dir)); err != nil {
			return err
		}
	}
	clear(e.renamed)
	return nil
}

// prune deletes the partial files of tiles that are full now.
func (e *exporter) prune(tiles []tlog.Tile) error {
	for _, t := range tiles {
		if t.W < tileWidth {
			continue
		}
		names := []string{hashTile(t.L, t.N, t.W)}
		if t.L == 0 {
			names = append(names, entryBundle(t.N, t.W))
		}
		for _, name := range names {
			if err := e.root.RemoveAll(name + ".p"); err != nil {
				return err
			}
		}
	}
	return nil
}
