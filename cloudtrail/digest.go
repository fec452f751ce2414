package cloudtrail

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Digest is a digest file: which log files CloudTrail delivered in an hour, their
// hashes, and the digest before it.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
type Digest struct {
	Account           string          `json:"awsAccountId"`
	Start             time.Time       `json:"digestStartTime"`
	End               time.Time       `json:"digestEndTime"`
	Bucket            string          `json:"digestS3Bucket"`
	Object            string          `json:"digestS3Object"`
	Fingerprint       string          `json:"digestPublicKeyFingerprint"`
	Algorithm         string          `json:"digestSignatureAlgorithm"`
	PreviousBucket    string          `json:"previousDigestS3Bucket"`
	PreviousObject    string          `json:"previousDigestS3Object"`
	PreviousHash      string          `json:"previousDigestHashValue"`
	PreviousSignature string          `json:"previousDigestSignature"`
	Files             []DigestLogFile `json:"logFiles"`

	end  string // as it is written, for the signature
	hash [sha256.Size]byte
}

// DigestLogFile is one log file that was delivered.
type DigestLogFile struct {
	Bucket string `json:"s3Bucket"`
	Object string `json:"s3Object"`
	Hash   string `json:"hashValue"`
	Kind   string `json:"hashAlgorithm"`
}

// ErrSignature is what Verify returns for a digest whose signature does not hold.
var ErrSignature = errors.New("the signature of the digest file does not hold")

// ParseDigest reads an unpacked digest file. Nothing of it is to be believed
// before Verify.
func ParseDigest(raw []byte) (Digest, error) {
	var d Digest
	if err := json.Unmarshal(raw, &d); err != nil {
		return Digest{}, fmt.Errorf("read digest file: %w", err)
	}
	o, duplicate, ok := parseObject(raw)
	switch {
	case !ok:
		return Digest{}, fmt.Errorf("read digest file: %w", ErrNotJSON)
	case duplicate != "":
		return Digest{}, fmt.Errorf("read digest file: %w: %q", ErrDuplicateName, clean(duplicate, 64))
	case d.Object == "" || d.Bucket == "" || d.End.IsZero() || d.Start.After(d.End):
		return Digest{}, errors.New("read digest file: it lacks its name or its time")
	}
	d.end, d.hash = o.text("digestEndTime"), sha256.Sum256(raw)
	return d, nil
}

// Hash is the SHA-256 of the unpacked file, in hex, as the next digest holds it.
func (d Digest) Hash() string { return hex.EncodeToString(d.hash[:]) }

// SignedText is what the signature signs.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
func (d Digest) SignedText() string {
	previous := d.PreviousSignature
	if previous == "" {
		previous = "null"
	}
	return d.end + "\n" + d.Bucket + "/" + d.Object + "\n" + d.Hash() + "\n" + previous
}

// PublicKeys are keys of CloudTrail by fingerprint.
type PublicKeys map[string]*rsa.PublicKey

// ParsePublicKeys reads what aws cloudtrail list-public-keys prints.
func ParsePublicKeys(raw []byte) (PublicKeys, error) {
	var list struct {
		PublicKeyList []struct {
			Value       string
			Fingerprint string
		}
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("read public keys: %w", err)
	}
	keys := PublicKeys{}
	for _, k := range list.PublicKeyList {
		der, err := base64.StdEncoding.DecodeString(k.Value)
		if err != nil {
			return nil, fmt.Errorf("read public key %q: %w", k.Fingerprint, err)
		}
		key, err := x509.ParsePKCS1PublicKey(der)
		if err != nil {
			return nil, fmt.Errorf("read public key %q: %w", k.Fingerprint, err)
		}
		keys[k.Fingerprint] = key
	}
	if len(keys) == 0 {
		return nil, errors.New("read public keys: want the output of aws cloudtrail list-public-keys, with at least one key")
	}
	return keys, nil
}

// Verify holds a digest against its signature, in hex: SHA-256 with RSA, PKCS #1
// v1.5. The signature itself may come from anywhere.
func (k PublicKeys) Verify(d Digest, signature string) error {
	key := k[d.Fingerprint]
	if key == nil {
		return fmt.Errorf("%w: there is no key %q", ErrSignature, clean(d.Fingerprint, 64))
	}
	if d.Algorithm != "" && d.Algorithm != "SHA256withRSA" {
		return fmt.Errorf("%w: algorithm %q", ErrSignature, clean(d.Algorithm, 64))
	}
	raw, err := hex.DecodeString(signature)
	if err != nil {
		return fmt.Errorf("%w: it is not hexadecimal", ErrSignature)
	}
	sum := sha256.Sum256([]byte(d.SignedText()))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) != nil {
		return ErrSignature
	}
	return nil
}
