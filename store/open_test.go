package store_test

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	"dera.example/dera/store/storetest/postgres"
)

func open(t *testing.T, url string) error {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: url, Sealer: storetest.Vault(t, 1)})
	if err != nil {
		return err
	}
	return s.Close()
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "text")
	if err := os.WriteFile(file, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, url, want string }{
		{"no_scheme", "dera.db", "must start with sqlite: or postgres://"},
		{"no_path", "sqlite:", "needs the path of a file"},
		{"memory", "sqlite::memory:", "needs the path of a file"},
		{"host", "sqlite://dera.db", "without //"},
		{"folder", "sqlite:" + dir, dir + " is a folder"},
		{"missing_folder", "sqlite:" + filepath.Join(dir, "none", "dera.db"), "no such file"},
		{"file_as_folder", "sqlite:" + filepath.Join(file, "dera.db"), "not a directory"},
		{"other_file", "sqlite:" + file, file + ": "},
		{"device_that_takes_nothing", "sqlite:/dev/full", "/dev/full: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := open(t, tt.url); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("open: got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOpenTakesAnyPath(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b.db", "100%25.db", "who?.db", "#1.db", "ü.db", "a&_pragma=x.db", "c:d.db"} {
		path := filepath.Join(t.TempDir(), name)
		for _, prefix := range []string{"sqlite:", "sqlite://"} {
			if err := open(t, prefix+path); err != nil {
				t.Errorf("open %s%s: got %v", prefix, path, err)
			}
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("file of %q: got %v", name, err)
		}
	}
}

func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := storetest.Open(t, storetest.SQLiteIn(dir), storetest.NewClock())
	if err := s.Commit(t.Context(), store.Batch{Counts: map[string]int64{"n": 1}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dera.db", "dera.db-wal", "dera.db-shm"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got mode %v, %v, want 0600", name, info.Mode(), err)
		}
	}
}

// TestNoPasswordInErrors has a password that nobody should read in a log.
func TestNoPasswordInErrors(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, url, want string }{
		{"nobody_answers", "postgres://dera:hunter2@" + nobody + "/dera", nobody},
		{"unknown_host", "postgres://dera:hunter2@host.invalid/dera", "host.invalid"},
		{"bad_escape", "postgres://dera:hunter2%zz@" + nobody + "/dera", "not valid"},
		{"slash_in_password", "postgres://dera:hunter2/x@" + nobody + "/dera", "not valid"},
		{"colon_in_password", "postgresql://dera:1:hunter2:3@[/dera", "not valid"},
		{"no_slashes", "postgres:dera:hunter2@" + nobody, ""},
		{"unknown_setting", "postgres://dera:hunter2@" + nobody + "/dera?sslmode=hunter2", "not valid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := open(t, tt.url)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("open: got %v, want %q and no password", err, tt.want)
			}
		})
	}
}

func TestPostgresSettings(t *testing.T) {
	t.Parallel()
	server := postgres.Start(t, postgres.Config{})
	at := server.URL(t)
	if err := open(t, at+"&options="+url.QueryEscape("-c synchronous_commit=off")); err == nil || !strings.Contains(err.Error(), "synchronous_commit") {
		t.Errorf("open with commits that can be lost: got %v, want it refused", err)
	}
	db := storetest.PostgresAt(at).SQL(t)
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	if err := open(t, strings.Replace(at, "///test_1", "///latin", 1)); err == nil || !strings.Contains(err.Error(), "LATIN1") {
		t.Errorf("open with an encoding that lacks letters: got %v, want it refused", err)
	}
	if err := open(t, at); err != nil {
		t.Errorf("open: got %v", err)
	}
}
