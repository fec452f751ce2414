package awssim

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// LogFiles are the log files that a trail has delivered for one Region of an account, with a signed digest.
type LogFiles struct {
	Account, Region string
	// From and To are whole hours: what the digest covers.
	From, To time.Time
	// Records are CloudTrail records, each with an eventTime within.
	Records []json.RawMessage
}

// Write writes the files under dir as a trail does into its bucket: a log file for each day with records, and one digest
// over all, with its signature beside it. It returns the public key of the signature by its fingerprint.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
func (l LogFiles) Write(dir string) (fingerprint string, public *rsa.PublicKey, err error) {
	const bucket = "trail"
	days := map[string][]json.RawMessage{}
	for _, r := range l.Records {
		var at struct {
			Time time.Time `json:"eventTime"`
		}
		if err := json.Unmarshal(r, &at); err != nil {
			return "", nil, fmt.Errorf("read a record: %w", err)
		}
		day := at.Time.UTC().Format("2006/01/02")
		days[day] = append(days[day], r)
	}
	list := []map[string]any{}
	var names []string
	for day := range days {
		names = append(names, day)
	}
	slices.Sort(names)
	for i, day := range names {
		text, err := json.Marshal(map[string]any{"Records": days[day]})
		if err != nil {
			return "", nil, err
		}
		name := fmt.Sprintf("AWSLogs/%[1]s/CloudTrail/%[2]s/%[3]s/%[1]s_CloudTrail_%[2]s_%[4]sT0000Z_%016[5]d.json.gz", l.Account, l.Region, day, strings.ReplaceAll(day, "/", ""), i)
		if err := writePacked(dir, name, text); err != nil {
			return "", nil, err
		}
		sum := sha256.Sum256(text)
		list = append(list, map[string]any{"s3Bucket": bucket, "s3Object": name, "hashValue": hex.EncodeToString(sum[:]), "hashAlgorithm": "SHA-256"})
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", nil, err
	}
	from, to := l.From.UTC().Format(time.RFC3339), l.To.UTC().Format(time.RFC3339)
	name := fmt.Sprintf("AWSLogs/%[1]s/CloudTrail-Digest/%[2]s/%[3]s/%[1]s_CloudTrail-Digest_%[2]s_trail_%[2]s_%[4]s.json.gz",
		l.Account, l.Region, l.To.UTC().Format("2006/01/02"), l.To.UTC().Format("20060102T150405Z"))
	raw, err := json.Marshal(map[string]any{
		"awsAccountId": l.Account, "digestStartTime": from, "digestEndTime": to, "digestS3Bucket": bucket, "digestS3Object": name,
		"digestPublicKeyFingerprint": "awssim", "digestSignatureAlgorithm": "SHA256withRSA", "logFiles": list,
		"previousDigestS3Bucket": nil, "previousDigestS3Object": nil, "previousDigestHashValue": nil, "previousDigestSignature": nil,
	})
	if err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(raw)
	hash := sha256.Sum256([]byte(to + "\n" + bucket + "/" + name + "\n" + hex.EncodeToString(sum[:]) + "\nnull"))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, hash[:])
	if err != nil {
		return "", nil, err
	}
	if err := writePacked(dir, name, raw); err != nil {
		return "", nil, err
	}
	return "awssim", &key.PublicKey, os.WriteFile(filepath.Join(dir, name+".signature"), []byte(hex.EncodeToString(signature)+"\n"), 0o600)
}

func writePacked(dir, name string, text []byte) error {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}
