package audit_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dera.example/dera/audit"
)

func newVault(t testing.TB, key byte) *audit.Vault {
	t.Helper()
	v, err := audit.NewVault(bytes.Repeat([]byte{key}, audit.VaultKeySize), nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	v, other := newVault(t, 1), newVault(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		context := rapid.String().Draw(t, "context")
		sealed, err := v.Seal(context, plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.Open(context, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("open: got %q, %v, want %q", got, err, plain)
		}
		if len(plain) > 7 && bytes.Contains(sealed, plain) {
			t.Fatalf("the sealed bytes hold the payload")
		}
		again, err := v.Seal(context, plain)
		if err != nil || bytes.Equal(again, sealed) {
			t.Fatalf("sealed twice: got the same bytes, %v", err)
		}
		changed := bytes.Clone(sealed)
		changed[rapid.IntRange(0, len(sealed)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		short := sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "length")]
		for name, open := range map[string]func() ([]byte, error){
			"changed bytes": func() ([]byte, error) { return v.Open(context, changed) },
			"fewer bytes":   func() ([]byte, error) { return v.Open(context, short) },
			"other context": func() ([]byte, error) { return v.Open(context+"x", sealed) },
			"other key":     func() ([]byte, error) { return other.Open(context, sealed) },
		} {
			if got, err := open(); !errors.Is(err, audit.ErrSealed) || got != nil {
				t.Fatalf("open with %s: got %q, %v, want %v", name, got, err, audit.ErrSealed)
			}
		}
	})
}

func TestCommit(t *testing.T) {
	t.Parallel()
	v := newVault(t, 1)
	got := v.Commit([]byte("payload"))
	// HMAC-SHA256 with the key HKDF-Expand(0x01 × 32, "dera vault commit v1", 32),
	// computed with another library: commitments in old logs must stay good.
	const want = "hmac-sha256:5549bd495006949bc6e2147df3a29b288bd0eb692ae4b39ba8ec852ab4be13ed"
	if got != want {
		t.Errorf("commitment: got %q, want %q", got, want)
	}
	tests := []struct {
		name    string
		vault   *audit.Vault
		payload string
		want    bool
	}{
		{"same", v, "payload", true},
		{"same_key_elsewhere", newVault(t, 1), "payload", true},
		{"other_payload", v, "payloae", false},
		{"empty_payload", v, "", false},
		{"other_key", newVault(t, 2), "payload", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if same := tt.vault.Commit([]byte(tt.payload)) == got; same != tt.want {
				t.Errorf("equal commitments: got %t, want %t", same, tt.want)
			}
			if ok := tt.vault.Committed([]byte(tt.payload), got); ok != tt.want {
				t.Errorf("committed: got %t, want %t", ok, tt.want)
			}
		})
	}
}

func TestVaultFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	made, err := audit.CreateVault(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "vault.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of vault.key: got %v, %v, want 0600", info, err)
	}
	sealed, err := made.Seal("a", []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := audit.LoadVault(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := loaded.Open("a", sealed); err != nil || string(got) != "payload" {
		t.Errorf("open with the loaded key: got %q, %v", got, err)
	}
	if _, err := audit.CreateVault(dir, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create over a key: got %v, want %v", err, fs.ErrExist)
	}
	if _, err := audit.LoadVault(t.TempDir(), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("load where no key is: got %v, want %v", err, fs.ErrNotExist)
	}
	if again, err := audit.LoadVault(dir, nil); err != nil || again.Commit(nil) != made.Commit(nil) {
		t.Errorf("the key has changed: %v", err)
	}
}

func TestVaultErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		run  func(t *testing.T, dir string) error
		want string
	}{
		{"short_key", func(*testing.T, string) error { _, err := audit.NewVault(make([]byte, 31), nil); return err }, "31 bytes"},
		{"no_randomness_for_key", func(_ *testing.T, dir string) error {
			_, err := audit.CreateVault(dir, strings.NewReader("short"))
			return err
		}, "random"},
		{"no_randomness_for_nonce", func(t *testing.T, _ string) error {
			v, err := audit.NewVault(make([]byte, 32), strings.NewReader("short"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = v.Seal("a", nil)
			return err
		}, "random"},
		{"missing", func(_ *testing.T, dir string) error { _, err := audit.LoadVault(dir, nil); return err }, "vault.key"},
		{"readable_by_others", func(t *testing.T, dir string) error {
			write(t, dir, "vault.key", base64.StdEncoding.EncodeToString(make([]byte, 32)))
			_, err := audit.LoadVault(dir, nil)
			return err
		}, "others can read it"},
		{"garbage", func(t *testing.T, dir string) error {
			replace(t, dir, "vault.key", "no base64!")
			_, err := audit.LoadVault(dir, nil)
			return err
		}, "holds no key"},
		{"short_key_in_file", func(t *testing.T, dir string) error {
			replace(t, dir, "vault.key", "AAAA")
			_, err := audit.LoadVault(dir, nil)
			return err
		}, "3 bytes"},
		{"folder_is_a_file", func(t *testing.T, dir string) error {
			write(t, dir, "file", "")
			_, err := audit.CreateVault(filepath.Join(dir, "file"), nil)
			return err
		}, "file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := tt.run(t, t.TempDir()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %q", err, tt.want)
			}
		})
	}
}
