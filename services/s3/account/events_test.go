package account

import (
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"

	"github.com/google/go-cmp/cmp"
)

// TestHints: the calls say whose block they write by the account alone.
func TestHints(t *testing.T) {
	t.Parallel()
	watch := cloudtrail.NewWatch(Events())
	block := []dera.Scope{{Partition: "aws", Account: "111122223333", Region: dera.GlobalRegion, Type: Name, IDs: []string{"111122223333"}}}
	for name, tc := range map[string]struct {
		call, request string
		want          []dera.Scope
	}{
		"put":       {"PutAccountPublicAccessBlock", `{"publicAccessBlock":[""],"host":["s3.amazonaws.com"],"bucketName":"..."}`, block},
		"deleted":   {"DeleteAccountPublicAccessBlock", `{"host":["111122223333.s3-control.us-east-1.amazonaws.com"]}`, block},
		"of_bucket": {"PutBucketPublicAccessBlock", `{"bucketName":"files"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := cloudtrail.Record{Source: "s3.amazonaws.com", Name: tc.call, Account: "111122223333", Region: "eu-west-1", Partition: "aws", Request: []byte(tc.request)}
			if d := cmp.Diff(tc.want, watch.Hints(r)); d != "" {
				t.Errorf("hints (-want +got):\n%s", d)
			}
			r.ErrorCode = "AccessDenied"
			if got := watch.Hints(r); got != nil {
				t.Errorf("got hints %v of a failed call, want none", got)
			}
		})
	}
}
