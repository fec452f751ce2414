package audit

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

const (
	privateKeyName = "audit.key"

	// The text of a private key is "PRIVATE+KEY+" name "+" hash "+" base64, where
	// the base64 is of the algorithm's number and the seed.
	privatePrefix = "PRIVATE+KEY+"
	algEd25519    = 1
)

var _ Signer = (*FileKey)(nil)

// FileKey is an Ed25519 key in a file, in the text format of signed notes
// (https://c2sp.org/signed-note). It is safe for concurrent use.
type FileKey struct {
	note.Signer
	public string
}

// NewFileKey makes a key for the log named origin, with random bytes from r
// (nil means crypto/rand), and writes it to dir as audit.key, readable by its
// owner alone, and audit.pub, for everybody. It never overwrites a key: where there is one, also one
// that another process made at the same time, it is fs.ErrExist, and LoadFileKey reads it.
//
// The origin names the log for good, as "example.com/dera"; it can hold neither
// blanks nor "+".
func NewFileKey(dir, origin string, r io.Reader) (*FileKey, error) {
	if r == nil {
		r = rand.Reader
	}
	if origin == "" || !utf8.ValidString(origin) || strings.Contains(origin, "+") || strings.ContainsFunc(origin, unicode.IsSpace) {
		return nil, fmt.Errorf("make signing key: %q cannot name a log: it must have neither blanks nor +", origin)
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(r, seed); err != nil {
		return nil, fmt.Errorf("make signing key: read random bytes: %w", err)
	}
	public, err := publicKey(origin, seed)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	hash, _, _ := strings.Cut(strings.TrimPrefix(public, origin+"+"), "+")
	private := privatePrefix + origin + "+" + hash + "+" + base64.StdEncoding.EncodeToString(append([]byte{algEd25519}, seed...))
	key, err := parseFileKey(private)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	// A public key without its private one is of a log that has a key already.
	if _, err := os.Lstat(filepath.Join(dir, publicKeyName)); err == nil {
		return nil, fmt.Errorf("make signing key: %s: %w, and %s is not there: restore it, a log keeps the key that it began with", filepath.Join(dir, publicKeyName), fs.ErrExist, privateKeyName)
	}
	if err := createFile(filepath.Join(dir, privateKeyName), private, 0o600); err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	if err := key.publish(dir); err != nil {
		return nil, err
	}
	return key, nil
}

// LoadFileKey reads the key that NewFileKey has made. A private key that others
// can read is refused. audit.pub is written again if it is missing, and is an
// error if it belongs to another key; a missing audit.key is fs.ErrNotExist.
func LoadFileKey(dir string) (*FileKey, error) {
	private, err := readSecret(filepath.Join(dir, privateKeyName))
	if err != nil {
		return nil, fmt.Errorf("load signing key: %w", err)
	}
	key, err := parseFileKey(private)
	if err != nil {
		return nil, fmt.Errorf("load signing key from %s: %w", filepath.Join(dir, privateKeyName), err)
	}
	path := filepath.Join(dir, publicKeyName)
	public, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return key, key.publish(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("load signing key: %w", err)
	}
	if strings.TrimSpace(string(public)) != key.public {
		return nil, fmt.Errorf("load signing key: %s is not the public key of %s", path, privateKeyName)
	}
	return key, nil
}

// PublicKey is the verifier key text, what audit.pub holds.
func (k *FileKey) PublicKey() string { return k.public }

func (k *FileKey) publish(dir string) error {
	if err := createSame(filepath.Join(dir, publicKeyName), k.public, 0o644); err != nil {
		return fmt.Errorf("write public key: %w", err)
	}
	return nil
}

// parseFileKey reads a private key and derives the public one, which the text
// holds only as a hash.
func parseFileKey(private string) (*FileKey, error) {
	signer, err := note.NewSigner(private)
	if err != nil {
		// The error of the library does not show the key, and this must not either.
		return nil, fmt.Errorf("it is no private key: %w", err)
	}
	// NewSigner has checked the form; the base64 text can hold a "+" itself.
	_, text, _ := strings.Cut(strings.TrimPrefix(private, privatePrefix+signer.Name()+"+"), "+")
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, errors.New("it is no private key")
	}
	public, err := publicKey(signer.Name(), raw[1:])
	if err != nil {
		return nil, err
	}
	return &FileKey{signer, public}, nil
}

// publicKey is the verifier key text for a seed.
func publicKey(origin string, seed []byte) (string, error) {
	key := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	return note.NewEd25519VerifierKey(origin, key)
}
