package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// ErrBackup means that this kind of database has tools of its own for copies.
var ErrBackup = errors.New("PostgreSQL is copied by its own tools: pg_dump, or a backup of the server")

// Backup writes a copy of the database to a new file, readable by its owner alone, while the database is
// used: the copy is of one moment. It holds no keys. A file that is there is refused, and a copy that did
// not become whole is removed.
//
// https://www.sqlite.org/lang_vacuum.html#vacuuminto
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if !s.write.local {
		return ErrBackup
	}
	// What begins with file: is a URI to SQLite, :memory: no file at all, and an absolute path just a path.
	if path, err = filepath.Abs(path); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("back up: %w: name a file that is not there, no backup is written over", err)
	}
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	// A connection of its own: it neither holds up the writer nor is one that only reads.
	from, err := openLocal("file:"+(&url.URL{Path: strings.TrimPrefix(s.place, "sqlite:")}).EscapedPath()+fmt.Sprintf("?_pragma=busy_timeout(%d)", busyTime.Milliseconds()), 1)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if _, err := from.DB.ExecContext(ctx, `VACUUM INTO $1`, path); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return nil
}
