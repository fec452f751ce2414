package engine_test

import (
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
	"dera.example/dera/services/s3/bucket"
)

// TestWhatIsLeftToTheAccountIsPublicForS3: without an organisation the policy is
// fixed automatically, and the block waits, since S3 would cut the partner off.
func TestWhatIsLeftToTheAccountIsPublicForS3(t *testing.T) {
	t.Parallel()
	w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(bucket.Name) })
	w.ingest(w.bucketEvent("PutBucketPolicy"))
	w.quiet()
	if got, want := w.policyOf(t), bucketPolicy(partner, narrowRead); got != want {
		t.Errorf("policy: got %s, want %s", got, want)
	}
	all, err := w.store.RemediationsOf(t.Context(), dera.ResourceKey("aws", account, region, bucket.ARNOf("aws", "reports")))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Control != "s3-bucket-access-block" {
			continue
		}
		wantState(t, r, dera.Waiting)
		var why []string
		for _, reason := range r.Decision.Reasons {
			why = append(why, reason.Why)
		}
		for _, text := range []string{"aws:PrincipalAccount is not on S3's list", "RestrictPublicBuckets would cut off arn:aws:iam::222233334444:root (statement 1)"} {
			if !strings.Contains(strings.Join(why, "\n"), text) {
				t.Errorf("the block waits for %q, want %q in it", why, text)
			}
		}
	}
}

// TestMultiRegionAccessPointHoldsTheFix: who comes through it depends on the
// statement, also when it cannot be read.
func TestMultiRegionAccessPointHoldsTheFix(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		set  func(w *world)
		want string
	}{
		"with_a_policy": {func(w *world) {
			w.cloud.Account(account).AddMultiRegionPoint(awssim.MultiRegionPoint{
				Name: "everywhere", Buckets: map[string]string{region: "reports"},
				Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222233334444:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3::` + account + `:accesspoint/everywhere/object/*"}]}`,
			})
		}, "everywhere (multi-region)"},
		"unread": {func(w *world) {
			w.cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "s3control", Operation: "ListMultiRegionAccessPoints"}, Kind: awssim.Denied})
		}, "Its multi-region access points could not be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newBucketWorld(t, func(c *engine.Config) { c.Controls = rulebook(bucket.Name)[:1] })
			tt.set(w)
			w.ingest(w.bucketEvent("PutBucketPolicy"))
			w.quiet()
			if got, want := w.policyOf(t), bucketPolicy(partner, publicRead); got != want {
				t.Errorf("policy: got %s, want it untouched", got)
			}
			r := w.bucketFixes(t)[0]
			wantState(t, r, dera.Waiting)
			found := false
			for _, reason := range r.Decision.Reasons {
				found = found || strings.Contains(reason.Why, tt.want)
			}
			if !found {
				t.Errorf("reasons: got %+v, want %q", r.Decision.Reasons, tt.want)
			}
		})
	}
}
