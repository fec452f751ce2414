package audit

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// ErrSigner means that a key that is kept elsewhere did not sign: what was recorded stays, and is signed
// when the key answers again.
var ErrSigner = errors.New("the signing key does not answer")

// remoteKeyName is the file in the folder of the keys that says where the key is.
const remoteKeyName = "audit.kms"

// RemoteKey is an Ed25519 key that is kept elsewhere and never seen here. What it signs are the same signed
// notes as those of a [FileKey], and verify offline with audit.pub. It is safe for concurrent use if
// its sign is.
type RemoteKey struct {
	note.Verifier
	public string
	where  string
	sign   func(message []byte) ([]byte, error)
}

var _ Signer = (*RemoteKey)(nil)

// remoteKeyFile is what the file holds.
type remoteKeyFile struct {
	Key string `json:"key"` // names it where it is kept
}

// CreateRemoteKey notes in dir that the log named origin is signed by a key that is kept elsewhere under a
// name, and writes its public half as audit.pub. It never overwrites a key, nor makes one beside a key in
// a file: a log keeps its key. That the same is noted already, by another process or before a crash, is no error.
func CreateRemoteKey(dir, origin, where string, public ed25519.PublicKey) error {
	if _, err := os.Stat(filepath.Join(dir, privateKeyName)); err == nil {
		return fmt.Errorf("note the signing key: %s is there: a log keeps the key that it began with", filepath.Join(dir, privateKeyName))
	}
	text, err := note.NewEd25519VerifierKey(origin, public)
	if err != nil {
		return fmt.Errorf("note the signing key: %w", err)
	}
	body, err := json.Marshal(remoteKeyFile{where})
	if err != nil {
		return fmt.Errorf("note the signing key: %w", err)
	}
	// The public half first: without it the other file says nothing.
	if err := createSame(filepath.Join(dir, publicKeyName), text, 0o644); err != nil {
		return fmt.Errorf("write public key: %w", err)
	}
	if err := createSame(filepath.Join(dir, remoteKeyName), string(body), 0o600); err != nil {
		return fmt.Errorf("note the signing key: %w", err)
	}
	return nil
}

// RemoteKeyOf returns where the key of a folder is kept; a folder without such a note is fs.ErrNotExist.
func RemoteKeyOf(dir string) (where string, err error) {
	text, err := readSecret(filepath.Join(dir, remoteKeyName))
	if err != nil {
		return "", fmt.Errorf("load signing key: %w", err)
	}
	var f remoteKeyFile
	if err := json.Unmarshal([]byte(text), &f); err != nil || f.Key == "" {
		return "", fmt.Errorf("load signing key: %s does not say where it is", filepath.Join(dir, remoteKeyName))
	}
	if _, err := os.Stat(filepath.Join(dir, privateKeyName)); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("load signing key: %s and %s are there: take away the one that does not belong to audit.pub", privateKeyName, remoteKeyName)
	}
	return f.Key, nil
}

// LoadRemoteKey makes the key of a folder; sign has the key sign a message, by Ed25519 as in RFC 8032,
// without hashing it before. It calls nothing yet.
func LoadRemoteKey(dir string, sign func(message []byte) ([]byte, error)) (*RemoteKey, error) {
	where, err := RemoteKeyOf(dir)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, publicKeyName))
	if err != nil {
		return nil, fmt.Errorf("load signing key: %w", err)
	}
	public := strings.TrimSpace(string(text))
	v, err := note.NewVerifier(public)
	if err != nil {
		return nil, fmt.Errorf("load signing key: %s: %w", publicKeyName, err)
	}
	return &RemoteKey{v, public, where, sign}, nil
}

// LoadLostKey makes a key of which only audit.pub can be read: it verifies, and signing is an ErrSigner with why.
// A folder without audit.pub is fs.ErrNotExist.
func LoadLostKey(dir string, why error) (*RemoteKey, error) {
	text, err := os.ReadFile(filepath.Join(dir, publicKeyName))
	if err != nil {
		return nil, fmt.Errorf("load signing key: %w", err)
	}
	public := strings.TrimSpace(string(text))
	v, err := note.NewVerifier(public)
	if err != nil {
		return nil, fmt.Errorf("load signing key: %s: %w", publicKeyName, err)
	}
	return &RemoteKey{v, public, dir, func([]byte) ([]byte, error) { return nil, why }}, nil
}

// PublicKey is the verifier key text, what audit.pub holds.
func (k *RemoteKey) PublicKey() string { return k.public }

// Sign implements note.Signer. A signature that is not of the key of audit.pub is an error: nothing is
// signed by a key that nobody can verify.
func (k *RemoteKey) Sign(message []byte) ([]byte, error) {
	sig, err := k.sign(message)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigner, err)
	}
	if !k.Verify(message, sig) {
		return nil, fmt.Errorf("%w: %s signed, and not with the key of %s", ErrSigner, k.where, publicKeyName)
	}
	return sig, nil
}

// SameKey returns an error unless a verifier key text is of the key.
func SameKey(text string, public ed25519.PublicKey) error {
	v, err := note.NewVerifier(strings.TrimSpace(text))
	if err != nil {
		return fmt.Errorf("read public key: %w", err)
	}
	of, err := note.NewEd25519VerifierKey(v.Name(), public)
	if err != nil {
		return fmt.Errorf("read public key: %w", err)
	}
	if of != strings.TrimSpace(text) {
		return errors.New("the key is not the one of " + publicKeyName)
	}
	return nil
}
