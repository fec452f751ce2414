package audit

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// VaultKeySize is the size of a vault's key in bytes.
const VaultKeySize = 32

const (
	vaultKeyName     = "vault.key"
	sealVersion      = 1
	commitmentPrefix = "hmac-sha256:"
)

// ErrSealed means that sealed bytes do not open: they were changed, are of
// another context, or were sealed with another key.
var ErrSealed = errors.New("the sealed bytes do not open with this key and context")

// Vault keeps what must not lie in clear, such as undo payloads with secrets in
// them: it encrypts the payload, to be stored outside of the log's leaves, and
// makes the commitment that stands for it in the leaf. It is safe for concurrent
// use if its source of randomness is.
type Vault struct {
	aead   cipher.AEAD
	commit []byte
	random io.Reader
}

// NewVault makes a vault of a key of VaultKeySize random bytes. Nonces come from
// random; nil means crypto/rand.
//
// Sealing and committing use keys of their own, derived by HKDF-SHA256 (RFC
// 5869), so that neither tells anything about the other.
func NewVault(key []byte, random io.Reader) (*Vault, error) {
	if len(key) != VaultKeySize {
		return nil, fmt.Errorf("make vault: the key has %d bytes, want %d", len(key), VaultKeySize)
	}
	if random == nil {
		random = rand.Reader
	}
	seal, err := hkdf.Expand(sha256.New, key, "dera vault seal v1", 32)
	if err != nil {
		return nil, fmt.Errorf("make vault: %w", err)
	}
	commit, err := hkdf.Expand(sha256.New, key, "dera vault commit v1", 32)
	if err != nil {
		return nil, fmt.Errorf("make vault: %w", err)
	}
	block, err := aes.NewCipher(seal)
	if err != nil {
		return nil, fmt.Errorf("make vault: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make vault: %w", err)
	}
	return &Vault{aead, commit, random}, nil
}

// CreateVault makes a vault with a new key and writes the key to dir as
// vault.key, readable by its owner alone. It never overwrites a key.
func CreateVault(dir string, random io.Reader) (*Vault, error) {
	if random == nil {
		random = rand.Reader
	}
	key := make([]byte, VaultKeySize)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("create vault: read random bytes: %w", err)
	}
	if err := createFile(filepath.Join(dir, vaultKeyName), base64.StdEncoding.EncodeToString(key), 0o600); err != nil {
		return nil, fmt.Errorf("create vault: %w", err)
	}
	return NewVault(key, random)
}

// LoadVault opens the vault whose key CreateVault has written. A key that others
// can read is refused; a missing one is fs.ErrNotExist.
func LoadVault(dir string, random io.Reader) (*Vault, error) {
	path := filepath.Join(dir, vaultKeyName)
	text, err := readSecret(path)
	if err != nil {
		return nil, fmt.Errorf("load vault: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("load vault: %s holds no key", path)
	}
	return NewVault(key, random)
}

// Seal encrypts plain with AES-256-GCM under a random nonce, and binds it to the
// context, which names the one place where it belongs (a record's ID): sealed
// bytes that are moved elsewhere do not open. Nonces of 96 bits are safe for
// 2^32 payloads with one key (NIST SP 800-38D section 8.3).
func (v *Vault) Seal(context string, plain []byte) ([]byte, error) {
	out := make([]byte, 1+v.aead.NonceSize(), 1+v.aead.NonceSize()+len(plain)+v.aead.Overhead())
	out[0] = sealVersion
	nonce := out[1:]
	if _, err := io.ReadFull(v.random, nonce); err != nil {
		return nil, fmt.Errorf("seal payload: read random bytes: %w", err)
	}
	return v.aead.Seal(out, nonce, plain, additional(context)), nil
}

// Open decrypts what Seal made for the same context, else ErrSealed.
func (v *Vault) Open(context string, sealed []byte) ([]byte, error) {
	n := 1 + v.aead.NonceSize()
	if len(sealed) < n || sealed[0] != sealVersion {
		return nil, fmt.Errorf("open payload of %q: %w", context, ErrSealed)
	}
	plain, err := v.aead.Open(nil, sealed[1:n], sealed[n:], additional(context))
	if err != nil {
		return nil, fmt.Errorf("open payload of %q: %w", context, ErrSealed)
	}
	return plain, nil
}

// additional is the data that GCM authenticates beside the payload.
func additional(context string) []byte {
	return append([]byte{sealVersion}, context...)
}

// Commit is what stands in a leaf for a payload: "hmac-sha256:" and a keyed
// hash in hexadecimal digits. Without the key it tells nothing about the
// payload, not even to someone who can guess it; with the key nobody can show
// another payload for it. Equal payloads have equal commitments.
func (v *Vault) Commit(payload []byte) string {
	mac := hmac.New(sha256.New, v.commit)
	mac.Write(payload)
	return commitmentPrefix + hex.EncodeToString(mac.Sum(nil))
}

// Committed reports, in constant time, whether the commitment is payload's.
func (v *Vault) Committed(payload []byte, commitment string) bool {
	return hmac.Equal([]byte(v.Commit(payload)), []byte(commitment))
}
