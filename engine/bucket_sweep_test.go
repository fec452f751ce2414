package engine_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/services/s3/bucket"
)

// TestBucketSweepWithPartialPages: a listing that is cut, with a continuation that
// the service then does not know, hides no bucket for good.
func TestBucketSweepWithPartialPages(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ListBuckets", "ListAccessPoints", "ListDistributions"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(bucket.Name)[:1] })
			for _, name := range []string{"alpha", "beta", "gamma"} {
				for _, err := range []error{
					w.region.CreateBucket(t.Context(), name),
					w.region.PutPublicAccessBlock(t.Context(), name, nil),
					w.region.PutBucketPolicy(t.Context(), name, strings.ReplaceAll(bucketPolicy(partner, publicRead), "reports", name)),
					w.region.CreateAccessPoint(t.Context(), "door-"+name, name, nil),
				} {
					if err != nil {
						t.Fatal(err)
					}
				}
				w.cloud.Account(account).AddDistribution(awssim.Distribution{Origins: []string{name + ".example.com"}})
			}
			cut := w.cloud.Inject(awssim.Fault{Match: awssim.Match{Operation: operation}, Kind: awssim.PartialPage, Times: 1})
			if err := w.engine.Sweep(t.Context(), "sweep"); err != nil {
				t.Fatal(err)
			}
			w.quiet()
			if cut.Fired() == 0 {
				t.Fatalf("no page of %s was cut", operation)
			}
			list, err := w.store.RemediationsIn(t.Context(), dera.Resolved)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) != 4 {
				t.Errorf("resolved: got %d, want the four public buckets", len(list))
			}
		})
	}
}
