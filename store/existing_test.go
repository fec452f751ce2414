package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
)

// TestOpenExisting: what only reads creates no database and brings none up to date.
func TestOpenExisting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "dera.db")
	cfg := store.Config{URL: "sqlite:" + path, Sealer: storetest.Vault(t, 1)}
	if _, err := store.OpenExisting(t.Context(), cfg); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a database: got %v, want that it does not exist", err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
		t.Errorf("without a database: got the files %v, %v, want none", list, err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenExisting(t.Context(), cfg); !errors.Is(err, store.ErrSchema) || !errors.Is(err, store.ErrEmpty) {
		t.Errorf("an empty file: got %v, want ErrSchema", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 0 {
		t.Errorf("an empty file: got %v, %v, want it empty still", info, err)
	}
	if err := open(t, cfg.URL); err != nil {
		t.Fatal(err)
	}
	s, err := store.OpenExisting(t.Context(), cfg)
	if err != nil {
		t.Fatalf("a database of this version: got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	cfg.Sealer = storetest.Vault(t, 2)
	if _, err := store.OpenExisting(t.Context(), cfg); !errors.Is(err, store.ErrKey) {
		t.Errorf("another key: got %v, want ErrKey", err)
	}
}

// TestOpenExistingOnPostgres: an empty database stays empty.
func TestOpenExistingOnPostgres(t *testing.T) {
	t.Parallel()
	db := storetest.Postgres(postgres.Start(t, postgres.Config{}))(t)
	cfg := store.Config{URL: db.URL, Sealer: storetest.Vault(t, 1)}
	for range 2 {
		if _, err := store.OpenExisting(t.Context(), cfg); !errors.Is(err, store.ErrEmpty) {
			t.Errorf("an empty database: got %v, want ErrEmpty", err)
		}
	}
	if err := open(t, cfg.URL); err != nil {
		t.Fatal(err)
	}
	s, err := store.OpenExisting(t.Context(), cfg)
	if err != nil {
		t.Fatalf("a database of this version: got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
