package wire

import (
	"fmt"
	"regexp"
	"testing"

	"dera.example/dera/awssim"
)

// TestCutList: a list that is cut at the asked number of buckets without naming the next page loses none, nor is
// one of which nobody says where it is asked for twice.
func TestCutList(t *testing.T) {
	t.Parallel()
	f := newBuckets(t)
	for i := range bucketPage + 20 {
		if err := f.Home.CreateBucket(t.Context(), fmt.Sprintf("many-%03d", i)); err != nil {
			t.Fatal(err)
		}
	}
	f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "s3", Operation: "ListBuckets"}, Kind: awssim.Rewrite, Answer: func(status int, body string) (int, string) {
		return status, regexp.MustCompile(`<ContinuationToken>.*?</ContinuationToken>|<BucketRegion>.*?</BucketRegion>`).ReplaceAllString(body, "")
	}})
	for range 2 {
		page, err := f.Read(t.Context(), bucketScope(), false)
		if err != nil || len(page.Resources) != bucketPage+22 || page.Next != "" {
			t.Fatalf("got %d buckets, next %q, %v, want all %d", len(page.Resources), page.Next, err, bucketPage+22)
		}
	}
	asked := 0
	for _, c := range f.Calls {
		if c.Operation == "GetBucketLocation" {
			asked++
		}
	}
	if want := bucketPage + 22; asked != want {
		t.Errorf("asked %d times where a bucket is, want %d", asked, want)
	}
}
