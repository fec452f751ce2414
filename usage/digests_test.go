package usage_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dera.example/dera/cloudtrail"
	"dera.example/dera/usage"
)

// signingKey stands for CloudTrail's; making one takes a moment.
var signingKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// trail writes log and digest files as CloudTrail does, hour by hour.
type trail struct {
	dir      string
	key      *rsa.PrivateKey
	previous map[string]any // digest
	raw      []byte
	sign     string
	logs     []string
	digests  []string
}

func newTrail(t testing.TB) *trail {
	t.Helper()
	key, err := signingKey()
	if err != nil {
		t.Fatal(err)
	}
	return &trail{dir: t.TempDir(), key: key}
}

func (r *trail) keys() cloudtrail.PublicKeys { return cloudtrail.PublicKeys{"fp": &r.key.PublicKey} }

// hour delivers the records of one hour: none is an hour without a log file.
func (r *trail) hour(t testing.TB, at time.Time, records ...string) {
	t.Helper()
	const bucket = "logs"
	list := []map[string]any{}
	if len(records) > 0 {
		text := logFile(records...)
		name := logPath(at, len(r.logs))
		r.logs = append(r.logs, write(t, r.dir, name, pack(t, text)))
		sum := sha256.Sum256(text)
		list = append(list, map[string]any{"s3Bucket": bucket, "s3Object": name, "hashValue": hex.EncodeToString(sum[:]), "hashAlgorithm": "SHA-256"})
	}
	end := at.Add(time.Hour)
	name := fmt.Sprintf("AWSLogs/111122223333/CloudTrail-Digest/us-east-1/%s/111122223333_CloudTrail-Digest_us-east-1_my_trail_us-east-1_%s.json.gz",
		end.Format("2006/01/02"), end.Format("20060102T150405Z"))
	d := map[string]any{
		"awsAccountId": "111122223333", "digestStartTime": at.Format(time.RFC3339), "digestEndTime": end.Format(time.RFC3339),
		"digestS3Bucket": bucket, "digestS3Object": name, "digestPublicKeyFingerprint": "fp", "digestSignatureAlgorithm": "SHA256withRSA", "logFiles": list,
		"previousDigestS3Bucket": nil, "previousDigestS3Object": nil, "previousDigestHashValue": nil, "previousDigestSignature": nil,
	}
	signed := "null"
	if r.previous != nil {
		sum := sha256.Sum256(r.raw)
		d["previousDigestS3Bucket"], d["previousDigestS3Object"] = bucket, r.previous["digestS3Object"]
		d["previousDigestHashValue"], d["previousDigestSignature"] = hex.EncodeToString(sum[:]), r.sign
		signed = r.sign
	}
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	hash := sha256.Sum256([]byte(end.Format(time.RFC3339) + "\n" + bucket + "/" + name + "\n" + hex.EncodeToString(sum[:]) + "\n" + signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, r.key, crypto.SHA256, hash[:])
	if err != nil {
		t.Fatal(err)
	}
	r.previous, r.raw, r.sign = d, raw, hex.EncodeToString(signature)
	r.digests = append(r.digests, write(t, r.dir, name, pack(t, raw)))
	write(t, r.dir, name+".signature", []byte(r.sign+"\n"))
}

// hours writes five hours: the third is quiet.
func (r *trail) hours(t testing.TB) {
	t.Helper()
	for i := range 5 {
		at := start.Add(time.Duration(i) * time.Hour)
		if i == 2 {
			r.hour(t, at)
			continue
		}
		r.hour(t, at, record(fmt.Sprint(i), "a", "Get", at.Add(10*time.Minute)))
	}
}

// kinds are the gaps of the five hours that concern hours and files, shortened.
func kinds(t testing.TB, s usage.Store) string {
	t.Helper()
	var out []string
	for _, g := range gapsOf(t, s, start, start.Add(5*time.Hour)) {
		if g.Kind != usage.GapScope {
			out = append(out, fmt.Sprintf("%s %d-%d", g.Kind, (g.From-usage.SecondOf(start))/3600, (g.To-usage.SecondOf(start))/3600))
		}
	}
	return strings.Join(out, ", ")
}

func TestVerifiedImport(t *testing.T) {
	t.Parallel()
	remove := func(list func(*trail) string) func(*testing.T, *trail) {
		return func(t *testing.T, r *trail) {
			if err := os.Remove(list(r)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name     string
		spoil    func(*testing.T, *trail)
		verified int
		want     string
	}{
		{"whole", func(*testing.T, *trail) {}, 4, ""},
		{"newest_digest_without_signature", func(t *testing.T, r *trail) {
			remove(func(r *trail) string { return r.digests[4] + ".signature" })(t, r)
		}, 3, "digest-chain-broken 4-5, hours-unverified 4-5"},
		{"signatures_only_in_the_chain", func(t *testing.T, r *trail) {
			for _, d := range r.digests[:4] {
				remove(func(*trail) string { return d + ".signature" })(t, r)
			}
		}, 4, ""},
		{"log_file_is_missing", remove(func(r *trail) string { return r.logs[1] }), 3, "digest-chain-broken 1-2, hours-missing 1-2"},
		{"log_file_was_changed", func(t *testing.T, r *trail) {
			at := start.Add(time.Hour)
			if err := os.WriteFile(r.logs[1], pack(t, logFile(record("1", "b", "Get", at.Add(10*time.Minute)))), 0o600); err != nil {
				t.Fatal(err)
			}
		}, 3, "digest-chain-broken 1-2, hours-unverified 1-2"},
		{"digest_is_missing", remove(func(r *trail) string { return r.digests[2] }), 4, "digest-chain-broken 2-3, hours-missing 2-3"},
		{"digest_was_changed", func(t *testing.T, r *trail) {
			raw := strings.Replace(string(r.raw), "SHA-256", "SHA-25", 1)
			if err := os.WriteFile(r.digests[4], pack(t, []byte(raw)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, 3, "digest-chain-broken 4-5, hours-unverified 4-5"},
		{"digest_is_no_digest", func(t *testing.T, r *trail) {
			if err := os.WriteFile(r.digests[4], pack(t, []byte("{}")), 0o600); err != nil {
				t.Fatal(err)
			}
		}, 3, "digest-chain-broken 4-5, hours-unverified 4-5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, s := newTrail(t), newStore(t)
			r.hours(t)
			tt.spoil(t, r)
			report := importing(t, s, usage.ImportConfig{Keys: r.keys()}, r.dir)
			if report.Verified != tt.verified || len(report.Damaged) > 0 {
				t.Errorf("report: got %+v, want %d verified", report, tt.verified)
			}
			if got := kinds(t, s); got != tt.want {
				t.Errorf("gaps: got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestKeysLater imports without keys, then with: the ledger then knows both.
func TestKeysLater(t *testing.T) {
	t.Parallel()
	r, s := newTrail(t), newStore(t)
	r.hours(t)
	for i, step := range []struct {
		cfg            usage.ImportConfig
		read, verified int
		gaps           string
	}{
		{usage.ImportConfig{}, 4, 0, "hours-unverified 0-2, hours-missing 2-3, hours-unverified 3-5"},
		{usage.ImportConfig{Keys: r.keys()}, 4, 4, ""},
		{usage.ImportConfig{Keys: r.keys()}, 0, 0, ""},
		{usage.ImportConfig{}, 0, 0, ""},
	} {
		report := importing(t, s, step.cfg, r.dir)
		if report.Files != step.read || report.Verified != step.verified || report.Skipped != 4-step.read {
			t.Errorf("step %d: got %+v", i, report)
		}
		if got := kinds(t, s); got != step.gaps {
			t.Errorf("step %d: gaps: got %q, want %q", i, got, step.gaps)
		}
	}
	a, err := usage.New(s, nil).Principal(t.Context(), "arn:aws:iam::111122223333:role/a")
	if err != nil || len(a.Uses) != 2 || a.Uses[0].Count != 4 || a.Uses[1].Count != 4 || a.Uses[1].Trust != usage.Verified {
		t.Errorf("activity: got %+v, %v, want 4 unverified and 4 verified", a, err)
	}
}

// TestMissingFileComesLater heals a gap.
func TestMissingFileComesLater(t *testing.T) {
	t.Parallel()
	r, s := newTrail(t), newStore(t)
	r.hours(t)
	text, err := os.ReadFile(r.logs[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(r.logs[1]); err != nil {
		t.Fatal(err)
	}
	importing(t, s, usage.ImportConfig{Keys: r.keys()}, r.dir)
	if got := kinds(t, s); got == "" {
		t.Errorf("gaps: got none, want the missing file")
	}
	if err := os.WriteFile(r.logs[1], text, 0o600); err != nil {
		t.Fatal(err)
	}
	importing(t, s, usage.ImportConfig{Keys: r.keys()}, r.dir)
	if got := kinds(t, s); got != "" {
		t.Errorf("gaps: got %q, want none", got)
	}
}

// TestForgedDigest has a digest that another key signed, and one without a key.
func TestForgedDigest(t *testing.T) {
	t.Parallel()
	r, s := newTrail(t), newStore(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	r.hours(t)
	for name, keys := range map[string]cloudtrail.PublicKeys{"other_key": {"fp": &other.PublicKey}, "no_key": {"gp": &r.key.PublicKey}} {
		if report := importing(t, s, usage.ImportConfig{Keys: keys}, r.dir); report.Verified != 0 {
			t.Errorf("%s: got %d files verified, want none", name, report.Verified)
		}
		gaps := gapsOf(t, s, start, start.Add(5*time.Hour))
		if !slices.ContainsFunc(gaps, func(g usage.Gap) bool { return g.Kind == usage.GapDigest && g.Region == "us-east-1" }) {
			t.Errorf("%s: got gaps %v", name, gaps)
		}
	}
}
