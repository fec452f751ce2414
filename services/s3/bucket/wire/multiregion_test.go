package wire

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera/services/s3/bucket"

	"dera.example/dera/awssim"
	"dera.example/dera/cloud/cloudtest"
)

// TestMultiRegionAccessPoints: those of a bucket are among its access points, and
// one that cannot be read makes them unread for its buckets alone.
func TestMultiRegionAccessPoints(t *testing.T) {
	t.Parallel()
	const text = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222233334444:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3::` + cloudtest.Hub + `:accesspoint/everywhere/object/*"}]}`
	tests := []struct {
		name         string
		operation    string // that goes wrong
		code         string
		media, quiet string // what is unread of them
	}{
		{name: "all_is_read"},
		{name: "no_permission_to_list", operation: "ListMultiRegionAccessPoints", code: "AccessDenied", media: bucket.PartMultiRegion, quiet: bucket.PartMultiRegion},
		{name: "no_such_service_there", operation: "ListMultiRegionAccessPoints", code: "InvalidRequest", media: bucket.PartMultiRegion, quiet: bucket.PartMultiRegion},
		{name: "no_permission_to_read_the_policy", operation: "GetMultiRegionAccessPointPolicy", code: "AccessDenied", media: bucket.PartAccessPoints},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newBuckets(t)
			f.Cloud.Account(cloudtest.Hub).AddMultiRegionPoint(awssim.MultiRegionPoint{Name: "everywhere", Policy: text, Buckets: map[string]string{cloudtest.East: "media", "eu-west-1": "far-away"}})
			f.Cloud.Account(cloudtest.Hub).AddMultiRegionPoint(awssim.MultiRegionPoint{Name: "bare", Buckets: map[string]string{"eu-west-1": "far-away"}})
			if tt.operation != "" {
				f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "s3control", Operation: tt.operation}, Kind: awssim.Refuse, Code: tt.code, Status: 403})
			}
			media, quiet := f.bucket(t, "media"), f.bucket(t, "quiet")
			for _, x := range []struct {
				b    *bucket.Bucket
				want string
			}{{media, tt.media}, {quiet, tt.quiet}} {
				if got := strings.Join(x.b.Unread, ", "); got != x.want {
					t.Errorf("%s: unread: got %q, want %q", x.b.Name, got, x.want)
				}
			}
			found := slices.ContainsFunc(media.AccessPoints, func(p bucket.AccessPoint) bool { return p.Name == "everywhere" && p.MultiRegion && p.Policy == text })
			if found != (tt.operation == "") || len(quiet.AccessPoints) != 0 {
				t.Errorf("access points: got %v of media and %v of quiet", media.AccessPoints, quiet.AccessPoints)
			}
		})
	}
}
