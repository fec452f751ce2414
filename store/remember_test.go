package store

import (
	"path/filepath"
	"testing"
)

func TestRememberKeepsTheLastWord(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "dera.db"), Sealer: plain{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if v, err := s.Remembered(t.Context(), "mode"); v != "" || err != nil {
		t.Errorf("before anything was said: got %q, %v, want nothing", v, err)
	}
	for _, mode := range []string{"enforce", "review"} {
		if err := s.Remember(t.Context(), map[string]string{"mode": mode, "config": "/etc/dera.yaml"}); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"mode": "review", "config": "/etc/dera.yaml", "other": ""} {
		if got, err := s.Remembered(t.Context(), name); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
}
