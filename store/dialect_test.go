package store

import (
	"path/filepath"
	"testing"
)

type plain struct{}

func (plain) Seal(_ string, text []byte) ([]byte, error)   { return text, nil }
func (plain) Open(_ string, sealed []byte) ([]byte, error) { return sealed, nil }
func (plain) Commit([]byte) string                         { return "c" }

// TestSQLiteIsDurable looks at the settings that no behaviour shows without a
// power cut: a commit must be on disk when it returns.
func TestSQLiteIsDurable(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "dera.db"), Sealer: plain{}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "15000"} {
		var got string
		if err := s.write.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", pragma, got, err, want)
		}
	}
	if _, err := s.read.ExecContext(t.Context(), "DELETE FROM leaves"); err == nil {
		t.Errorf("write by a reading connection: got no error")
	}
}
