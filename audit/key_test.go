package audit_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera/audit"
)

func TestFileKey(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	made, err := audit.NewFileKey(dir, origin, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"audit.key": 0o600, "audit.pub": 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("mode of %s: got %v, %v, want %v", name, info, err, want)
		}
	}
	loaded, err := audit.LoadFileKey(dir)
	if err != nil || loaded.PublicKey() != made.PublicKey() || loaded.Name() != origin || loaded.KeyHash() != made.KeyHash() {
		t.Fatalf("load: got %+v, %v, want %s", loaded, err, made.PublicKey())
	}
	public, err := os.ReadFile(filepath.Join(dir, "audit.pub"))
	if err != nil || string(public) != made.PublicKey()+"\n" {
		t.Errorf("audit.pub: got %q, %v, want %q", public, err, made.PublicKey())
	}
	c, signed := head(t, newLog(t, 3), loaded)
	if got, err := audit.OpenCheckpoint(signed, string(public)); err != nil || got != c {
		t.Errorf("open what the loaded key has signed: got %+v, %v", got, err)
	}
	other, err := audit.NewFileKey(t.TempDir(), origin, nil)
	if err != nil || other.PublicKey() == made.PublicKey() {
		t.Errorf("a second key: got %v, %v, want another one", other.PublicKey(), err)
	}
}

// Every seed gives a key that can be read back, also when its base64 holds a +.
func TestFileKeyOfAnySeed(t *testing.T) {
	t.Parallel()
	for seed := range 64 {
		dir := t.TempDir()
		made, err := audit.NewFileKey(dir, origin, bytes.NewReader(bytes.Repeat([]byte{byte(4 * seed), 0xfb, 0xef}, 11)))
		if err != nil {
			t.Fatal(err)
		}
		if loaded, err := audit.LoadFileKey(dir); err != nil || loaded.PublicKey() != made.PublicKey() {
			t.Errorf("load key %d: got %v, want %s", seed, err, made.PublicKey())
		}
	}
}

func TestNewFileKeyErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, origin string
		seed         string
		prepare      func(t *testing.T, dir string)
		want         string
	}{
		{"no_origin", "", "", nil, "cannot name a log"},
		{"blank_in_origin", "a b", "", nil, "cannot name a log"},
		{"plus_in_origin", "a+b", "", nil, "cannot name a log"},
		{"line_end_in_origin", "a\n", "", nil, "cannot name a log"},
		{"origin_not_utf8", "a\xff", "", nil, "cannot name a log"},
		{"no_randomness", origin, "short", nil, "random"},
		{"key_exists", origin, "", func(t *testing.T, dir string) { write(t, dir, "audit.key", "precious") }, "exist"},
		{"public_key_exists", origin, "", func(t *testing.T, dir string) { write(t, dir, "audit.pub", "precious") }, "exist"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tt.prepare != nil {
				tt.prepare(t, dir)
			}
			seed := tt.seed
			if seed == "" {
				seed = strings.Repeat("s", 32)
			}
			if _, err := audit.NewFileKey(dir, tt.origin, strings.NewReader(seed)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("new key: got %v, want an error about %q", err, tt.want)
			}
			if data, err := os.ReadFile(filepath.Join(dir, "audit.key")); tt.name == "key_exists" && (err != nil || string(data) != "precious") {
				t.Errorf("the existing key is now %q, %v", data, err)
			}
		})
	}
}

func TestLoadFileKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prepare func(t *testing.T, dir string)
		want    string // "" for no error
	}{
		{"as_made", func(*testing.T, string) {}, ""},
		{"public_key_missing", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "audit.pub")) }, ""},
		{"readable_by_group", func(t *testing.T, dir string) { chmod(t, dir, "audit.key", 0o640) }, "others can read it"},
		{"readable_by_all", func(t *testing.T, dir string) { chmod(t, dir, "audit.key", 0o604) }, "chmod 600"},
		{"writable_by_group", func(t *testing.T, dir string) { chmod(t, dir, "audit.key", 0o620) }, "0620"},
		{"missing", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "audit.key")) }, "audit.key"},
		{"garbage", func(t *testing.T, dir string) { replace(t, dir, "audit.key", "garbage") }, "no private key"},
		{"other_public_key", func(t *testing.T, dir string) { replace(t, dir, "audit.pub", newKey(t, 2).PublicKey()) }, "is not the public key"},
		{"public_key_is_a_folder", func(t *testing.T, dir string) {
			os.Remove(filepath.Join(dir, "audit.pub"))
			write(t, dir, "audit.pub/x", "")
		}, "audit.pub"},
		{"key_is_a_folder", func(t *testing.T, dir string) {
			os.Remove(filepath.Join(dir, "audit.key"))
			write(t, dir, "audit.key/x", "")
			chmod(t, dir, "audit.key", 0o700)
		}, "audit.key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			made, err := audit.NewFileKey(dir, origin, nil)
			if err != nil {
				t.Fatal(err)
			}
			private, _ := os.ReadFile(filepath.Join(dir, "audit.key"))
			tt.prepare(t, dir)
			got, err := audit.LoadFileKey(dir)
			if tt.want == "" {
				public, _ := os.ReadFile(filepath.Join(dir, "audit.pub"))
				if err != nil || got.PublicKey() != made.PublicKey() || string(public) != made.PublicKey()+"\n" {
					t.Errorf("load: got %v, %v, with audit.pub %q", got, err, public)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("load: got %v, want an error about %q", err, tt.want)
			}
			if secret := bytes.TrimSpace(private[len(private)-20:]); bytes.Contains([]byte(err.Error()), secret) {
				t.Errorf("the error shows the private key: %v", err)
			}
			if tt.name == "missing" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("load: got %v, want %v", err, fs.ErrNotExist)
			}
		})
	}
}

func chmod(t *testing.T, dir, name string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
		t.Fatal(err)
	}
}

func replace(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
