package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// TestCopyOverWhatWasKilled: a copy that is put over a database which was killed is refused, whole as it is, until the log that
// the other one left is removed.
func TestCopyOverWhatWasKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, file := filepath.Join(dir, "dera.db"), filepath.Join(dir, "copy.db")
	s := storetest.Open(t, storetest.SQLiteIn(dir), storetest.NewClock())
	commit := func(n int64) {
		t.Helper()
		if err := s.Commit(t.Context(), store.Batch{Counts: map[string]int64{"n": n}}); err != nil {
			t.Fatal(err)
		}
	}
	commit(1)
	if err := s.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	commit(2)
	read := func(path string) string {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	left, copied := read(path+"-wal"), read(file) // as a process that is killed leaves it
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{path: copied, path + "-wal": left} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(t, "sqlite:"+path); err == nil || !strings.Contains(err.Error(), "remove "+path+"-wal") || read(path) != copied {
		t.Errorf("got %v, want it refused, and the copy as it was", err)
	}
	if err := os.Remove(path + "-wal"); err != nil {
		t.Fatal(err)
	}
	if err := open(t, "sqlite:"+path); err != nil {
		t.Error(err)
	}
}
