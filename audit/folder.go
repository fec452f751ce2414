package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/mod/sumdb/tlog"
)

// folder reads an exported log of a size. Nothing in it is believed.
type folder struct {
	fsys fs.FS
	size int64
}

// maxCheckpoint is more than a checkpoint with a hundred signatures has.
const maxCheckpoint = 1 << 20

// readFile reads at most max bytes; a longer file is an error.
func readFile(fsys fs.FS, name string, max int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(data)) > max {
		return nil, fmt.Errorf("read %s: it has more than %d bytes", name, max)
	}
	return data, nil
}

// readWidth reads the file of a width or, since partial files may be deleted
// once the full one is there, the full file.
func (d folder) readWidth(name func(w int) string, w int, max int64) (data []byte, full bool, err error) {
	data, err = readFile(d.fsys, name(w), max)
	if w < tileWidth && errors.Is(err, fs.ErrNotExist) {
		if data, err := readFile(d.fsys, name(tileWidth), max); err == nil {
			return data, true, nil
		}
	}
	return data, w == tileWidth, err
}

// hashes reads the n-th tile of a level, as wide as the log's size makes it.
func (d folder) hashes(level int, n int64) ([]tlog.Hash, error) {
	w := tileSpan(d.size, level, n)
	name := func(w int) string { return hashTile(level, n, w) }
	data, full, err := d.readWidth(name, w, tileWidth*tlog.HashSize)
	if err != nil {
		return nil, err
	}
	hashes, err := parseTile(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name(w), err)
	}
	if len(hashes) != w && (!full || len(hashes) != tileWidth) {
		return nil, fmt.Errorf("read %s: it has %d hashes, want %d", name(w), len(hashes), w)
	}
	return hashes[:w], nil
}

// entries reads the n-th bundle. On errShortBundle and errLongBundle the
// entries before the fault are returned as well.
func (d folder) entries(n int64) ([][]byte, error) {
	w := tileSpan(d.size, 0, n)
	data, full, err := d.readWidth(func(w int) string { return entryBundle(n, w) }, w, tileWidth*(2+MaxLeaf))
	if err != nil {
		return nil, err
	}
	entries, err := parseBundle(data)
	switch {
	case len(entries) > w && full:
		return entries[:w], nil
	case len(entries) > w:
		return entries[:w], errLongBundle
	case err == nil && len(entries) < w:
		return entries, errShortBundle
	}
	return entries, err
}
