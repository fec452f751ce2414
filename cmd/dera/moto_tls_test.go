package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dera.example/dera/awssim/moto"
)

// TestMotoTLS: where it is asked for, buckets get one more statement, with and without a
// policy of their own, and lose it again.
func TestMotoTLS(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	for name, before := range map[string]string{"no_policy": "", "a_policy": policyText("BUCKET", partnerStatement)} {
		t.Run(name, func(t *testing.T) {
			w := newSettingWorld(t, server, "s3-bucket-plain-http-allowed")
			bucket := "tls-" + strings.ReplaceAll(name, "_", "-")
			before := strings.ReplaceAll(before, "BUCKET", bucket)
			w.bucket(motoBucket{name: bucket, policy: before})
			if r := w.scan(exitGood, "--mode", "observe", "--no-exemptions"); len(r.Findings) != 0 {
				t.Errorf("nobody asked for it: got %+v", r.Findings)
			}
			text := "version: 1\nsettle: 10ms\ncontrols: [s3-bucket-plain-http-allowed]\ns3: {require_tls: true}\n"
			if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
			if got := findingsOf(r, bucket); len(got) != 1 || got[0] != (finding{"policy/plain-http", "s3-bucket-plain-http-allowed", "review", "open"}) {
				t.Fatalf("got %v", got)
			}
			w.approveAll(r, bucket)
			if after := w.judge(bucket).Policy; !strings.Contains(after, "aws:SecureTransport") || before != "" && !strings.Contains(after, "Partner") {
				t.Errorf("after the fix boto3 sees %s", after)
			}
			w.rollBackAll()
			if back := w.judge(bucket).Policy; back != before {
				t.Errorf("after the rollback boto3 sees %s, want %s", back, before)
			}
			if out, _, code := w.dera("audit", "verify"); code != exitGood {
				t.Errorf("audit verify: got exit code %d\n%s", code, out)
			}
		})
	}
}
