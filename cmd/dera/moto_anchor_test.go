package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"dera.example/dera/awssim/moto"
)

// s3Client is a client of the world's account.
func (w *motoWorld) s3Client() *s3.Client {
	return s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken)})
}

// configured appends lines to the configuration.
func (w *motoWorld) configured(lines string) {
	w.t.Helper()
	path := filepath.Join(w.dir, "config.yaml")
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(text, lines...), 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestMotoAnchor: with before_writes nothing is written while the bucket of the anchor does not lock what it gets; once it does, the fix is made, its record is there, and a database from an older
// copy is found out, also where the newest checkpoint was deleted, which S3 allows by a marker.
func TestMotoAnchor(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newMotoWorld(t, server)
	api, bucket := w.s3Client(), "acme-anchor"
	if _, err := api.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket, ObjectLockEnabledForBucket: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	w.configured(fmt.Sprintf("anchor: {before_writes: true, s3: [{bucket: %s, owner: '%s', prefix: dera/}]}\n", bucket, w.creds.Account))
	group := w.group("web", perm("tcp", 22, 22, "0.0.0.0/0", ""))
	open := func() bool {
		return slices.ContainsFunc(w.inbound(group), func(s string) bool { return strings.Contains(s, "0.0.0.0/0") })
	}
	apply := []string{"scan", "--apply", "--mode", "enforce", "--no-exemptions"}
	if out, errOut, code := w.dera(apply...); code != exitUsage || !strings.Contains(errOut, "no default retention") || !open() {
		t.Fatalf("without a retention: got %d\n%s%s", code, out, errOut)
	}
	lock := func(mode types.ObjectLockRetentionMode) {
		if _, err := api.PutObjectLockConfiguration(t.Context(), &s3.PutObjectLockConfigurationInput{Bucket: &bucket, ObjectLockConfiguration: &types.ObjectLockConfiguration{
			ObjectLockEnabled: types.ObjectLockEnabledEnabled, Rule: &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: mode, Days: aws.Int32(400)}},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	lock(types.ObjectLockRetentionModeGovernance)
	if out, _, _ := w.dera("doctor"); !strings.Contains(out, "s3:BypassGovernanceRetention") {
		t.Errorf("doctor does not name what is weak\n%s", out)
	}
	lock(types.ObjectLockRetentionModeCompliance)
	if out, errOut, _ := w.dera(apply...); open() {
		t.Fatalf("nothing was fixed\n%s%s", out, errOut)
	}
	verify := func(want int, text string, args ...string) {
		t.Helper()
		out, errOut, code := w.dera(append([]string{"audit", "verify", "--anchor"}, args...)...)
		if out = strings.Join(strings.Fields(out), " "); code != want || !strings.Contains(out, text) {
			t.Errorf("got %d, want %d and %q\n%s%s", code, want, text, out, errOut)
		}
	}
	verify(exitGood, "the log contains them all")
	if out, _, _ := w.dera("doctor"); !strings.Contains(out, "nobody can delete a checkpoint there for 400 days") || !strings.Contains(strings.Join(strings.Fields(out), " "), "it has the log up to record") {
		t.Errorf("doctor: got\n%s", out)
	}
	data := filepath.Join(w.dir, "data")
	older := copied(t, filepath.Join(data, "dera.db"))
	if out, errOut, code := w.dera("stop", "--reason", "what the older copy does not know"); code != exitGood {
		t.Fatalf("%s%s", out, errOut)
	}
	w.dera("scan", "--mode", "enforce", "--no-exemptions") // its end anchors what the stop recorded
	verify(exitGood, "the log contains them all")
	list, err := api.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil || len(list.Contents) == 0 {
		t.Fatalf("the anchor is empty: %v", err)
	}
	newest := list.Contents[len(list.Contents)-1].Key
	if _, err := api.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: newest}); err != nil {
		t.Fatal(err)
	}
	for _, side := range []string{"dera.db-wal", "dera.db-shm"} {
		_ = os.Remove(filepath.Join(data, side))
	}
	if err := os.WriteFile(filepath.Join(data, "dera.db"), older, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, errOut, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("the older copy passes its own check: got %d\n%s%s", code, out, errOut)
	}
	verify(exitNo, "truncated")
	w.use(moto.Credentials{AccessKeyID: "none", SecretAccessKey: "none"})
	if _, errOut, code := w.dera("audit", "verify", "--anchor", "--db", "sqlite:"+filepath.Join(data, "dera.db")); code == exitGood {
		t.Errorf("an anchor that cannot be read: got %d\n%s", code, errOut)
	}
}

// copied is the text of a file.
func copied(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestMotoVaultInKMS: the vault's key is made and decrypted by moto's KMS, with its encryption context. TestKMSIsAway has what happens when it is refused; moto decrypts with a disabled key too.
func TestMotoVaultInKMS(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newMotoWorld(t, server)
	api := kms.New(kms.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken)})
	key, err := api.CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	w.configured("keys: {vault: {kms: '" + *key.KeyMetadata.Arn + "'}}\n")
	w.group("web", perm("tcp", 22, 22, "0.0.0.0/0", ""))
	for range 2 {
		if out, errOut, code := w.dera("scan"); code != exitNo {
			t.Fatalf("got %d\n%s%s", code, out, errOut)
		}
	}
	if _, err := os.Stat(filepath.Join(w.dir, "data", "keys", "vault.key")); err == nil {
		t.Error("the key lies in clear")
	}
}
