package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBackupSaysWhatIsNotSigned: while the key does not sign, a copy does not pass for verified.
func TestBackupSaysWhatIsNotSigned(t *testing.T) {
	w := newKMSWorld(t, "keys: {signer: {kms: '"+signKey+"'}}\n")
	if out, code := w.dera("scan"); code != exitNo {
		t.Fatalf("got %d\n%s", code, out)
	}
	backup := func(name string) string {
		t.Helper()
		out, code := w.dera("backup", filepath.Join(w.dir, name))
		if code != exitGood {
			t.Fatalf("got %d\n%s", code, out)
		}
		return out
	}
	if out := backup("signed.db"); !strings.Contains(out, "verified") {
		t.Errorf("got\n%s", out)
	}
	w.kms.set(func() { w.kms.away = true })
	if out, code := w.dera("stop", "--reason", "a record that nobody signs"); code != exitGood {
		t.Fatalf("got %d\n%s", code, out)
	}
	if out := backup("unsigned.db"); strings.Contains(out, "verified") || !strings.Contains(out, "1 of them are not signed yet") {
		t.Errorf("got\n%s", out)
	}
}

// TestBackupGoesWhereItSays: a name that is a URI to SQLite is a file of that name, its owner's alone, and no other is written.
func TestBackupGoesWhereItSays(t *testing.T) {
	b := backed{t, t.TempDir()}
	t.Chdir(b.dir)
	if out, code := b.dera("stop", "--reason", "a record"); code != exitGood {
		t.Fatalf("got %d\n%s", code, out)
	}
	for _, name := range []string{"file:x.db", ":memory:", "file:y.db?mode=memory"} {
		if out, code := b.dera("backup", name); code != exitGood || !strings.Contains(out, "verified") {
			t.Errorf("%s: got %d\n%s", name, code, out)
		}
		if info, err := os.Stat(name); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v, %v", name, info, err)
		}
	}
	for _, name := range []string{"x.db", "y.db"} {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("%s is there, which nobody named", name)
		}
	}
}
