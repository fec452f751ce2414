package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"dera.example/dera/awssim"
)

// fakeKMS is AWS KMS with one key for signatures and one that encrypts, as the API reference says: a
// signature is Ed25519 over the raw message, and what was encrypted under another context does not open.
type fakeKMS struct {
	mu      sync.Mutex
	private ed25519.PrivateKey
	blobs   map[string]fakeBlob
	away    bool
	calls   map[string]int
	spec    string // of the key for signatures
}

type fakeBlob struct {
	plain   []byte
	context map[string]string
}

const (
	signKey = "arn:aws:kms:us-east-1:111122223333:key/aaaaaaaa-1111-4111-8111-111111111111"
	wrapKey = "arn:aws:kms:us-east-1:111122223333:key/bbbbbbbb-2222-4222-8222-222222222222"
)

func startKMS(t *testing.T) *fakeKMS {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k := &fakeKMS{private: private, blobs: map[string]fakeBlob{}, calls: map[string]int{}, spec: "ECC_NIST_EDWARDS25519"}
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_KMS", server.URL)
	return k
}

func (k *fakeKMS) set(f func()) { k.mu.Lock(); defer k.mu.Unlock(); f() }

func (k *fakeKMS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	k.calls[operation]++
	var in struct {
		KeyId, MessageType, SigningAlgorithm, KeySpec string
		Message, CiphertextBlob                       []byte
		EncryptionContext                             map[string]string
	}
	refuse := func(code string) {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": code})
	}
	switch err := json.NewDecoder(r.Body).Decode(&in); {
	case k.away:
		refuse("AccessDeniedException")
	case err != nil:
		refuse("SerializationException")
	case operation == "GetPublicKey" && in.KeyId == signKey:
		der, _ := x509.MarshalPKIXPublicKey(k.private.Public())
		_ = json.NewEncoder(w).Encode(map[string]any{"KeyId": signKey, "KeySpec": k.spec, "KeyUsage": "SIGN_VERIFY", "PublicKey": der, "SigningAlgorithms": []string{"ED25519_SHA_512", "ED25519_PH_SHA_512"}})
	case operation == "Sign" && in.KeyId == signKey && in.MessageType == "RAW" && in.SigningAlgorithm == "ED25519_SHA_512" && len(in.Message) <= 4096:
		_ = json.NewEncoder(w).Encode(map[string]any{"KeyId": signKey, "Signature": ed25519.Sign(k.private, in.Message), "SigningAlgorithm": in.SigningAlgorithm})
	case operation == "GenerateDataKey" && in.KeyId == wrapKey && in.KeySpec == "AES_256":
		plain := make([]byte, 32)
		_, _ = rand.Read(plain)
		blob := sha256.Sum256(plain)
		k.blobs[string(blob[:])] = fakeBlob{plain, in.EncryptionContext}
		_ = json.NewEncoder(w).Encode(map[string]any{"KeyId": wrapKey, "Plaintext": plain, "CiphertextBlob": blob[:]})
	case operation == "Decrypt" && in.KeyId == wrapKey:
		b, ok := k.blobs[string(in.CiphertextBlob)]
		if !ok || !reflect.DeepEqual(b.context, in.EncryptionContext) {
			refuse("InvalidCiphertextException")
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"KeyId": wrapKey, "Plaintext": b.plain})
	default:
		refuse("ValidationException")
	}
}

// kmsWorld is a simulated AWS with a KMS and a configuration that keeps both keys there.
type kmsWorld struct {
	t      *testing.T
	kms    *fakeKMS
	dir    string
	config string
	group  string
	region *awssim.Region
}

func newKMSWorld(t *testing.T, config string) *kmsWorld {
	t.Helper()
	cloud := awssim.New(awssim.Config{Seed: 7})
	account := cloud.Account("111122223333")
	serving(t, cloud, account.Credentials())
	w := &kmsWorld{t: t, dir: t.TempDir(), region: account.Region("us-east-1"), kms: startKMS(t)}
	w.config = fileIn(t, w.dir, "config.yaml", "version: 1\nsettle: 10ms\n"+config)
	id, err := w.region.CreateSecurityGroup(t.Context(), "web", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"})
	if err != nil {
		t.Fatal(err)
	}
	w.group = id
	return w
}

func (w *kmsWorld) dera(args ...string) (string, int) {
	w.t.Helper()
	var out, errOut strings.Builder
	code := run(w.t.Context(), append(args, "--data", filepath.Join(w.dir, "data"), "--config", w.config), strings.NewReader(""), &out, &errOut)
	return strings.Join(strings.Fields(out.String()+errOut.String()), " "), code
}

const bothKeys = "keys: {signer: {kms: '" + signKey + "'}, vault: {kms: '" + wrapKey + "'}}\n"

// TestKeysInKMS: with both keys in KMS no secret lies in the data folder, the fix is made and taken back, and the log verifies offline with audit.pub alone.
func TestKeysInKMS(t *testing.T) {
	w := newKMSWorld(t, bothKeys)
	if out, code := w.dera("scan", "--apply", "--mode", "enforce", "--no-exemptions"); code != exitNo && code != exitGood {
		t.Fatalf("got %d\n%s", code, out)
	}
	keys := filepath.Join(w.dir, "data", "keys")
	for _, b := range w.kms.blobs {
		files, err := os.ReadDir(keys)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(filepath.Join(keys, f.Name()))
			if err != nil || strings.Contains(string(text), string(b.plain)) || f.Name() == "vault.key" || f.Name() == "audit.key" {
				t.Errorf("%s holds a key in clear, %v", f.Name(), err)
			}
		}
	}
	if out, code := w.dera("rollback", "--since", "2h", "--account", "111122223333", "--reason", "test", "--yes", "--no-exemptions"); code != exitGood { // its undo lay sealed
		t.Errorf("rollback: got %d\n%s", code, out)
	}
	if out, _ := w.dera("doctor"); !strings.Contains(out, "keys signer it is "+signKey+", and belongs to audit.pub") || !strings.Contains(out, "keys vault "+wrapKey+" encrypts it") {
		t.Errorf("doctor: got\n%s", out)
	}
	exported := filepath.Join(w.dir, "export")
	if out, code := w.dera("audit", "export", exported); code != exitGood {
		t.Fatalf("got %d\n%s", code, out)
	}
	w.kms.set(func() { w.kms.away = true })
	pub := fileIn(t, w.dir, "trusted.pub", string(copied(t, filepath.Join(keys, "audit.pub"))))
	if out, code := w.dera("audit", "verify", exported, "--key", pub); code != exitGood || !strings.HasPrefix(out, "valid") {
		t.Errorf("offline: got %d\n%s", code, out)
	}
}

// TestKMSIsAway: without KMS dera says what is missing and starts nothing that needs the vault; a stop works, is recorded, and is signed later.
func TestKMSIsAway(t *testing.T) {
	w := newKMSWorld(t, bothKeys)
	if out, code := w.dera("scan"); code != exitNo {
		t.Fatalf("got %d\n%s", code, out)
	}
	w.kms.set(func() { w.kms.away = true })
	for _, command := range [][]string{{"run", "--mode", "enforce", "--no-exemptions"}, {"scan"}, {"findings"}} {
		if out, code := w.dera(command...); code == exitGood || code == exitNo || !strings.Contains(out, "kms:Decrypt") {
			t.Errorf("%v: got %d\n%s", command, code, out)
		}
	}
	if out, code := w.dera("stop", "--reason", "KMS is away"); code != exitGood || !strings.Contains(out, "stopped everywhere") {
		t.Errorf("stop: got %d\n%s", code, out)
	}
	for _, err := range []error{context.DeadlineExceeded, io.ErrUnexpectedEOF} { // as of the network to KMS
		if databaseAway(&keysError{err}) || !databaseAway(err) {
			t.Errorf("%v of a key counts as one of the database", err)
		}
	}
	w.kms.set(func() { w.kms.away = false })
	if out, code := w.dera("audit", "verify"); code != exitGood || !strings.HasPrefix(out, "valid") {
		t.Errorf("got %d\n%s", code, out)
	}
	if out, _ := w.dera("scan"); !strings.Contains(out, "stopped everywhere") {
		t.Errorf("the stop does not hold\n%s", out)
	}
}

// TestSignerIsAway: while the key does not sign, what happens is recorded, and the alarm stands until it is signed.
func TestSignerIsAway(t *testing.T) {
	w := newKMSWorld(t, "keys: {signer: {kms: '"+signKey+"'}}\n")
	if out, code := w.dera("scan"); code != exitNo {
		t.Fatalf("got %d\n%s", code, out)
	}
	w.kms.set(func() { w.kms.away = true })
	out, code := w.dera("scan", "--apply", "--mode", "enforce", "--no-exemptions")
	if !strings.Contains(out, "is not signed yet") || code == exitFailed {
		t.Errorf("got %d\n%s", code, out)
	}
	w.kms.set(func() { w.kms.away = false })
	if out, code := w.dera("audit", "verify"); code != exitGood || !strings.HasPrefix(out, "valid") {
		t.Errorf("got %d\n%s", code, out)
	}
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w.kms.set(func() { w.kms.private = other }) // nothing is signed by a key that nobody can verify
	if out, code := w.dera("audit", "verify"); code == exitGood || !strings.Contains(out, "not with the key of audit.pub") {
		t.Errorf("another key: got %d\n%s", code, out)
	}
}

// TestKeysStay: a log and a database keep the keys that they began with, and a key of another kind is refused.
func TestKeysStay(t *testing.T) {
	w := newKMSWorld(t, "")
	if out, code := w.dera("scan"); code != exitNo {
		t.Fatalf("got %d\n%s", code, out)
	}
	for config, want := range map[string]string{
		"keys: {signer: {kms: '" + signKey + "'}}\n": "the log is signed with the key in",
		"keys: {vault: {kms: '" + wrapKey + "'}}\n":  "the database was made with another vault key",
		"keys: {signer: {kms: 'alias/dera'}}\n":      "is not the ARN of a key",
		"keys: {vault: {kms: '" + wrapKey + "*'}}\n": "is not the ARN of a key",
	} {
		w.config = fileIn(t, w.dir, "other.yaml", "version: 1\n"+config)
		if out, code := w.dera("scan"); code != exitUsage || !strings.Contains(out, want) {
			t.Errorf("%s: got %d\n%s", config, code, out)
		}
	}
	w.dir = t.TempDir()
	w.config = fileIn(t, w.dir, "config.yaml", "version: 1\n"+bothKeys)
	w.kms.set(func() { w.kms.spec = "ECC_NIST_P256" })
	if out, code := w.dera("scan"); code == exitGood || !strings.Contains(out, "it must be ECC_NIST_EDWARDS25519") {
		t.Errorf("a key of another kind: got %d\n%s", code, out)
	}
	w.kms.set(func() { w.kms.spec = "ECC_NIST_EDWARDS25519" })
	if out, code := w.dera("scan"); code != exitNo {
		t.Errorf("after it was made right: got %d\n%s", code, out)
	}
}
