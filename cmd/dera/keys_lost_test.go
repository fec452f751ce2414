package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera/awssim"
)

// TestStopWithoutTheSigningKey: a stop holds also where the signing key is lost or refused; it is recorded, and signed when the key is back. Nothing else goes on meanwhile, and no other key is made.
func TestStopWithoutTheSigningKey(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 7})
	serving(t, cloud, cloud.Account("111122223333").Credentials())
	b := backed{t, t.TempDir()}
	if out, code := b.dera("scan"); code > exitNo {
		t.Fatalf("got %d\n%s", code, out)
	}
	path := filepath.Join(b.dir, "data", "keys", "audit.key")
	key := string(copied(t, path))
	for account, spoil := range map[string]func() error{
		"111122223334": func() error { return os.Remove(path) },
		"111122223335": func() error { return os.Chmod(path, 0o644) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if out, code := b.dera("stop", "--account", account, "--reason", "the key is away"); code != exitGood || !strings.Contains(out, "stopped account "+account) || !strings.Contains(out, "not signed yet") {
			t.Errorf("stop: got %d\n%s", code, out)
		}
		if out, code := b.dera("scan"); code != exitFailed || !strings.Contains(out, "audit.key") {
			t.Errorf("scan: got %d\n%s", code, out)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		fileIn(t, filepath.Dir(path), "audit.key", key)
	}
	if out, code := b.dera("audit", "verify"); code != exitGood || !strings.HasPrefix(out, "valid") {
		t.Errorf("got %d\n%s", code, out)
	}
	if out, _ := b.dera("audit", "show"); strings.Count(out, "the key is away") != 2 {
		t.Errorf("the stops are not recorded\n%s", out)
	}
}

// TestNoKeysForADatabaseThatIsThere: where the keys of a database are missing nothing makes others, which would lie in the way of those that are restored.
func TestNoKeysForADatabaseThatIsThere(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 7})
	serving(t, cloud, cloud.Account("111122223333").Credentials())
	b := backed{t, t.TempDir()}
	if out, code := b.dera("scan"); code > exitNo {
		t.Fatalf("got %d\n%s", code, out)
	}
	keys := filepath.Join(b.dir, "data", "keys")
	if err := os.Rename(keys, keys+".away"); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"scan"}, {"run"}, {"findings"}, {"stop", "--reason", "test"}} {
		if out, code := b.dera(command...); code == exitGood || code == exitNo || !strings.Contains(out, "its keys are not; restore") {
			t.Errorf("%v: got %d\n%s", command, code, out)
		}
		if list, err := os.ReadDir(keys); err == nil && len(list) > 0 {
			t.Fatalf("%v made %v", command, list)
		}
	}
	if err := os.RemoveAll(keys); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(keys+".away", keys); err != nil {
		t.Fatal(err)
	}
	if out, code := b.dera("audit", "verify"); code != exitGood {
		t.Errorf("restored: got %d\n%s", code, out)
	}
}
