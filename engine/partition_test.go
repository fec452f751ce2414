package engine_test

import (
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/services/s3/bucket"
)

// TestOneBucketHasOneFinding in every partition, whoever asks for the look and
// whichever partition he names: two findings are two leases and two fixers.
func TestOneBucketHasOneFinding(t *testing.T) {
	t.Parallel()
	const sovereign = "eusc-de-east-1"
	w := newWorldWith(t, func(w *world) {
		w.mode = dera.ReviewOnly
		w.cloud = awssim.New(awssim.Config{Now: w.clock.Now, Seed: 1, Regions: []string{region, sovereign}})
		w.region = w.cloud.Account(account).Region(sovereign)
		w.config = func(c *engine.Config) {
			c.Controls, c.Regions = rulebook(bucket.Name), []string{sovereign}
			c.Accounts = []dera.Account{{ID: account, Partition: "aws"}}
		}
	})
	for _, err := range []error{w.region.CreateBucket(t.Context(), "reports"), w.region.PutPublicAccessBlock(t.Context(), "reports", nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.sweep()
	for _, partition := range []string{"aws", "aws-eusc", ""} {
		w.clock.Advance(time.Minute)
		w.ingest(dera.Event{Source: "test", Name: "PutBucketPolicy", Time: w.clock.Now(), Scope: dera.Scope{
			Partition: partition, Account: account, Region: sovereign, Type: bucket.Name, IDs: []string{"reports"},
		}})
		w.drain()
	}
	var keys []string
	for _, f := range w.findings("reports") {
		keys = append(keys, f.ResourceKey()+" "+f.Control)
	}
	want := "aws-eusc/" + account + "/" + sovereign + "/arn:aws-eusc:s3:::reports s3-bucket-access-block"
	if len(keys) != 1 || keys[0] != want {
		t.Errorf("findings: got %q, want only %q", keys, want)
	}
}
