package awssim_test

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestEventsAreHints ties the two ends of an event: what a call emits, enveloped as EventBridge does it, is worth a look
// at the right place, and what a call that failed emits is not.
func TestEventsAreHints(t *testing.T) {
	t.Parallel()
	scope := func(typ, region string, ids ...string) dera.Scope {
		return dera.Scope{Partition: "aws", Account: hub, Region: region, Type: typ, IDs: ids}
	}
	watch := services.Watch()
	const bucket = "AWS::S3::Bucket"
	media, all, everywhere := []dera.Scope{scope(bucket, west, "media")}, []dera.Scope{scope(bucket, west)}, scope(bucket, dera.EveryRegion)
	account := []dera.Scope{scope("AWS::S3::AccountPublicAccessBlock", dera.GlobalRegion, hub), everywhere}
	tests := []struct {
		name string
		do   func(*testing.T, *awssim.Account, *awssim.Region) error
		want []dera.Scope
	}{
		{"create", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.CreateBucket(t.Context(), "other")
		}, []dera.Scope{scope(bucket, west, "other")}},
		{"delete", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.DeleteBucket(t.Context(), "media")
		}, media},
		{"policy", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.PutBucketPolicy(t.Context(), "media", awssim.PublicReadPolicy("media"))
		}, media},
		{"no_policy", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.PutBucketPolicy(t.Context(), "media", "")
		}, media},
		{"acl", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.PutBucketACL(t.Context(), "media", "public-read")
		}, media},
		{"block", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.PutPublicAccessBlock(t.Context(), "media", &awssim.PublicAccessBlock{})
		}, media},
		{"no_block", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.PutPublicAccessBlock(t.Context(), "media", nil)
		}, media},
		{"ownership", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.PutBucketOwnership(t.Context(), "media", "BucketOwnerEnforced")
		}, media},
		{"tags", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.TagBucket(t.Context(), "media", map[string]string{"a": "b"})
		}, media},
		{"website", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.PutBucketWebsite(t.Context(), "media", "index.html")
		}, media},
		{"account_block", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.PutAccountPublicAccessBlock(t.Context(), &awssim.PublicAccessBlock{})
		}, account},
		{"no_account_block", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.PutAccountPublicAccessBlock(t.Context(), nil)
		}, account},
		{"access_point", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.CreateAccessPoint(t.Context(), "gate", "media", nil)
		}, media},
		{"access_point_policy", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.PutAccessPointPolicy(t.Context(), "door", "")
		}, all},
		{"no_access_point", func(t *testing.T, _ *awssim.Account, r *awssim.Region) error {
			return r.DeleteAccessPoint(t.Context(), "door")
		}, all},
		{"distribution", func(t *testing.T, a *awssim.Account, _ *awssim.Region) error {
			_, err := a.PutDistribution(t.Context(), awssim.Distribution{Origins: []string{"media.s3.us-east-1.amazonaws.com"}})
			return err
		}, []dera.Scope{everywhere}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, fails := range []bool{false, true} {
				cloud, _ := newCloud(t)
				home := cloud.Account(hub)
				r := home.Region(west)
				if err := r.CreateLegacyBucket(t.Context(), "media"); err != nil {
					t.Fatal(err)
				}
				if err := r.CreateAccessPoint(t.Context(), "door", "media", nil); err != nil {
					t.Fatal(err)
				}
				want := tt.want
				if fails {
					want = nil
					cloud.Inject(awssim.Fault{Kind: awssim.Denied})
				}
				if err := tt.do(t, home, r); (err != nil) != fails {
					t.Fatalf("call: got %v, want an error: %t", err, fails)
				}
				events := cloud.Events()
				envelope := events[len(events)-1].Envelope()
				record, err := cloudtrail.Decode(envelope)
				if err != nil || !record.Trusted || !watch.Triage(envelope) {
					t.Fatalf("decode: got %+v, %v, triage %t", record, err, watch.Triage(envelope))
				}
				// A trail that delivers to the bucket is another type's matter.
				got := slices.DeleteFunc(watch.Hints(record), func(s dera.Scope) bool { return !strings.HasPrefix(s.Type, "AWS::S3::") })
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("hints, call fails %t (-want +got):\n%s", fails, diff)
				}
			}
		})
	}
}
