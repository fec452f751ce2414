package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// wrappedKeyName is the file with a vault's key that another key encrypts.
const wrappedKeyName = "vault.kms"

// ErrUnwrapped means that the key of a vault could not be decrypted, so that the vault stays closed.
var ErrUnwrapped = errors.New("the vault's key cannot be decrypted")

// Wrapper encrypts and decrypts the key of a vault with a key that is kept elsewhere. It is safe for
// concurrent use.
type Wrapper interface {
	// Key names the key that is kept elsewhere.
	Key() string
	// Generate makes a key of VaultKeySize random bytes, and the same encrypted.
	Generate(ctx context.Context) (plain, wrapped []byte, err error)
	// Unwrap decrypts what Generate encrypted.
	Unwrap(ctx context.Context, wrapped []byte) ([]byte, error)
}

// WrappedKey is the key of a vault as it lies in the folder of the keys: encrypted. In clear it is in memory
// alone.
type WrappedKey struct {
	Key     string `json:"key"` // names the key that encrypts it
	Wrapped []byte `json:"wrapped"`
}

// CreateWrappedVault makes a vault with a new key and writes the encrypted key to dir as vault.kms. It never
// overwrites a key, nor makes one beside a key in clear.
func CreateWrappedVault(ctx context.Context, dir string, w Wrapper, random io.Reader) (*Vault, error) {
	if _, err := os.Stat(filepath.Join(dir, vaultKeyName)); err == nil {
		return nil, fmt.Errorf("create vault: %s is there: a database keeps the key that it began with", filepath.Join(dir, vaultKeyName))
	}
	plain, wrapped, err := w.Generate(ctx)
	if err != nil {
		return nil, fmt.Errorf("create vault: %w", err)
	}
	body, err := json.Marshal(WrappedKey{w.Key(), wrapped})
	if err != nil {
		return nil, fmt.Errorf("create vault: %w", err)
	}
	vault, err := NewVault(plain, random)
	if err != nil {
		return nil, err
	}
	if err := createFile(filepath.Join(dir, wrappedKeyName), string(body), 0o600); err != nil {
		return nil, fmt.Errorf("create vault: %w", err)
	}
	return vault, nil
}

// LoadWrappedKey reads the encrypted key of a folder; a folder without one is fs.ErrNotExist.
func LoadWrappedKey(dir string) (WrappedKey, error) {
	path := filepath.Join(dir, wrappedKeyName)
	text, err := readSecret(path)
	if err != nil {
		return WrappedKey{}, fmt.Errorf("load vault: %w", err)
	}
	var k WrappedKey
	if err := json.Unmarshal([]byte(text), &k); err != nil || k.Key == "" || len(k.Wrapped) == 0 {
		return WrappedKey{}, fmt.Errorf("load vault: %s holds no encrypted key", path)
	}
	if _, err := os.Stat(filepath.Join(dir, vaultKeyName)); !errors.Is(err, fs.ErrNotExist) {
		return WrappedKey{}, fmt.Errorf("load vault: %s and %s are there: take away the one that the database was not made with", vaultKeyName, wrappedKeyName)
	}
	return k, nil
}

// Vault opens the vault; ErrUnwrapped where its key cannot be decrypted.
func (k WrappedKey) Vault(ctx context.Context, w Wrapper, random io.Reader) (*Vault, error) {
	plain, err := w.Unwrap(ctx, k.Wrapped)
	if err != nil {
		return nil, fmt.Errorf("load vault: %w: %w", ErrUnwrapped, err)
	}
	return NewVault(plain, random)
}

// Closed stands for a vault whose key cannot be decrypted: it seals and opens nothing. Err says why.
type Closed struct{ Err error }

// Seal returns the error.
func (c Closed) Seal(string, []byte) ([]byte, error) { return nil, c.Err }

// Open returns the error.
func (c Closed) Open(string, []byte) ([]byte, error) { return nil, c.Err }

// Commit returns nothing: what it would stand for cannot be sealed either.
func (c Closed) Commit([]byte) string { return "" }
