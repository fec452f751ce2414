package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"dera.example/dera/store"
)

// database is where the database is.
func (a *cli) database() string {
	if a.flags.db != "" {
		return a.flags.db
	}
	return "sqlite:" + filepath.Join(a.flags.data, "dera.db")
}

// localThere reports whether there is a SQLite database, or something else in its place.
func (a *cli) localThere() bool {
	path, local := strings.CutPrefix(a.database(), "sqlite:")
	if !local {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && (!info.Mode().IsRegular() || info.Size() > 0) || err != nil && !errors.Is(err, fs.ErrNotExist)
}

// noKeys is that a database lost its keys. No others are made for it: they would open nothing, and lie in the way
// of those that do.
func (a *cli) noKeys() error {
	return fmt.Errorf("open the data in %s: the database is there and its keys are not; restore %s", a.flags.data, filepath.Join(a.flags.data, "keys"))
}

// existing refuses a command that only works with what there is where there is
// none: a mistyped folder must not become an empty answer. It makes nothing.
func (a *cli) existing(ctx context.Context, code int) error {
	there, err := a.dataThere(ctx)
	if err != nil || there {
		return err
	}
	where := a.flags.data
	if a.flags.db != "" {
		where = "the database of --db, with its keys in " + a.flags.data
	}
	return &exitError{code, fmt.Errorf("there is no data in %s yet: dera scan makes it, --data names another folder", where)}
}

// dataThere reports whether there is a database with its keys.
func (a *cli) dataThere(ctx context.Context) (bool, error) {
	_, local := strings.CutPrefix(a.database(), "sqlite:")
	if local && !a.localThere() {
		return false, nil
	}
	err := a.vaultThere()
	switch {
	case errors.Is(err, fs.ErrNotExist) && local:
		return false, a.noKeys()
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil || local:
		return err == nil, err
	}
	vault, err := a.vault(ctx)
	if err != nil {
		return true, nil // whoever opens it says what is wrong
	}
	s, err := store.OpenExisting(ctx, store.Config{URL: a.database(), Sealer: vault, Now: a.now})
	if errors.Is(err, store.ErrEmpty) {
		return false, nil
	}
	if err != nil {
		return true, nil // whoever opens it says what is wrong
	}
	return true, s.Close()
}
