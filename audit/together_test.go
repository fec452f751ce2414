package audit_test

import (
	"crypto/ed25519"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"dera.example/dera/audit"
)

// TestKeysMadeAtOnce: of many that make the keys of one folder at the same time one makes each, the others
// see fs.ErrExist and load it whole, nobody sees half a key, and nothing else is left in the folder.
func TestKeysMadeAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		dir := filepath.Join(t.TempDir(), "keys")
		const many = 8
		keys, vaults := make([]string, many), make([]string, many)
		var wait sync.WaitGroup
		for i := range many {
			wait.Go(func() {
				key, err := audit.NewFileKey(dir, origin, nil)
				if errors.Is(err, fs.ErrExist) {
					key, err = audit.LoadFileKey(dir)
				}
				if err != nil {
					t.Errorf("signing key: %v", err)
					return
				}
				keys[i] = key.PublicKey()
				vault, err := audit.CreateVault(dir, nil)
				if errors.Is(err, fs.ErrExist) {
					vault, err = audit.LoadVault(dir, nil)
				}
				if err != nil {
					t.Errorf("vault: %v", err)
					return
				}
				vaults[i] = vault.Commit([]byte("x"))
			})
		}
		wait.Wait()
		for i := range many {
			if keys[i] != keys[0] || vaults[i] != vaults[0] {
				t.Fatalf("not all have the same keys: %q, %q", keys, vaults)
			}
		}
		files, err := os.ReadDir(dir)
		if err != nil || len(files) != 3 {
			t.Errorf("got %v, %v, want audit.key, audit.pub and vault.key alone", files, err)
		}
	}
}

// TestKeysAfterACrash: a public key whose private half is not there is of a log that has a key, so no other
// is made beside it; and a note of a remote key that a crash cut in two is ended.
func TestKeysAfterACrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.CreateRemoteKey(dir, origin, "somewhere", public); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "audit.kms")); err != nil { // as if the crash came before it
		t.Fatal(err)
	}
	if _, err := audit.NewFileKey(dir, origin, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key in a file beside the public half of another: got %v, want %v", err, fs.ErrExist)
	}
	if _, err := os.Stat(filepath.Join(dir, "audit.key")); err == nil {
		t.Error("it is there all the same")
	}
	for range 2 { // the second time it is whole
		if err := audit.CreateRemoteKey(dir, origin, "somewhere", public); err != nil {
			t.Errorf("go on after a crash: %v", err)
		}
	}
	if err := audit.CreateRemoteKey(dir, origin, "elsewhere", public); !errors.Is(err, fs.ErrExist) {
		t.Errorf("another place: got %v, want %v", err, fs.ErrExist)
	}
	if where, err := audit.RemoteKeyOf(dir); err != nil || where != "somewhere" {
		t.Errorf("got %q, %v", where, err)
	}
}
