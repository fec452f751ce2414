package cloudtrail

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

const testDigest = `{"awsAccountId":"111122223333","digestStartTime":"2026-03-01T10:01:31Z","digestEndTime":"2026-03-01T11:01:31Z","digestS3Bucket":"b","digestS3Object":"o.json.gz",` +
	`"digestPublicKeyFingerprint":"fp","digestSignatureAlgorithm":"SHA256withRSA","previousDigestSignature":null,"logFiles":[{"s3Bucket":"b","s3Object":"l","hashValue":"00","hashAlgorithm":"SHA-256"}]}`

func TestDigest(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParsePublicKeys(fmt.Appendf(nil, `{"PublicKeyList":[{"Fingerprint":"fp","Value":%q,"ValidityStartTime":1.0}]}`,
		base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&key.PublicKey))))
	if err != nil {
		t.Fatal(err)
	}
	sign := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		s, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(s)
	}
	sum := sha256.Sum256([]byte(testDigest))
	good := sign("2026-03-01T11:01:31Z\nb/o.json.gz\n" + hex.EncodeToString(sum[:]) + "\nnull")
	for _, tt := range []struct {
		name, from, to, signature string
		want                      error
	}{
		{"good", "", "", good, nil},
		{"other_hash_of_a_log_file", `"00"`, `"01"`, good, ErrSignature},
		{"other_time", `T11:01:31Z`, `T11:01:32Z`, good, ErrSignature},
		{"unknown_key", `"fp"`, `"gp"`, good, ErrSignature},
		{"other_algorithm", "SHA256withRSA", "MD5withRSA", good, ErrSignature},
		{"no_hex", "", "", "x", ErrSignature},
		{"empty", "", "", "", ErrSignature},
		{"signature_of_something_else", "", "", sign("x"), ErrSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, err := ParseDigest([]byte(strings.Replace(testDigest, tt.from, tt.to, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if err := keys.Verify(d, tt.signature); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	for name, text := range map[string]string{
		"no_json": "x", "list": "[]", "nothing": "{}", "twice": strings.Replace(testDigest, "{", `{"logFiles":[],`, 1),
		"ends_before_it_starts": strings.Replace(testDigest, "T11", "T09", 1),
	} {
		if _, err := ParseDigest([]byte(text)); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	for name, text := range map[string]string{
		"no_json": "x", "none": "{}", "no_base64": `{"PublicKeyList":[{"Value":"!"}]}`, "no_key": `{"PublicKeyList":[{"Value":"AAAA"}]}`,
	} {
		if _, err := ParsePublicKeys([]byte(text)); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestDenied(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"": false, "AccessDenied": true, "AccessDeniedException": true, "Client.UnauthorizedOperation": true, "UnauthorizedOperation": true,
		"AuthorizationError": true, "AuthorizationErrorException": true, "NotAuthorizedException": true, "ForbiddenException": true,
		"com.amazonaws.kms#AccessDeniedException": true, "KMSAccessDeniedException": true, "Server.AccessDenied": true, "UnauthorizedAccess": true,
		"NoSuchBucket": false, "ThrottlingException": false, "Client.DryRunOperation": false, "AuthFailure": false, "ValidationException": false,
		"CloudHsmAccessDeniedException": true, "AccessDeniedForDependencyException": false, "SNSNoAuthorization": false, "accessdenied": false, "AccessDeniedX": false, "ResourceNotFoundException": false, "ExpiredToken": false,
	} {
		if got := Denied("iam.amazonaws.com", code); got != want || (Record{ErrorCode: code}).Denied() != want {
			t.Errorf("%q: got %t, want %t", code, got, want)
		}
	}
	for _, no := range [][2]string{{"cognito-idp.amazonaws.com", "NotAuthorizedException"}, {"cognito-identity.amazonaws.com", "NotAuthorizedException"},
		{"sso.amazonaws.com", "UnauthorizedException"}, {"elasticloadbalancing.amazonaws.com", "OperationNotPermittedException"}} {
		if Denied(no[0], no[1]) {
			t.Errorf("%s of %s: got denied, and it is no word of IAM", no[1], no[0])
		}
	}
}
