package wire

import (
	"regexp"
	"testing"

	"dera.example/dera/awssim"
)

// TestLocationThatIsNone: a bucket that no region has is not dropped from a sweep.
func TestLocationThatIsNone(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"nowhere", "cn-north-1"} {
		f := newBuckets(t)
		rewrite := func(operation string, answer func(int, string) (int, string)) {
			f.Cloud.Inject(awssim.Fault{Match: awssim.Match{Service: "s3", Operation: operation}, Kind: awssim.Rewrite, Answer: answer})
		}
		rewrite("ListBuckets", func(status int, body string) (int, string) {
			return status, regexp.MustCompile(`<BucketRegion>.*?</BucketRegion>`).ReplaceAllString(body, "")
		})
		rewrite("GetBucketLocation", func(int, string) (int, string) {
			return 200, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` + at + `</LocationConstraint>`
		})
		page, err := f.Read(t.Context(), bucketScope(), false)
		if err != nil || len(page.Resources) == 0 || page.Resources[0].Unread == "" {
			t.Errorf("%s: got %+v, %v, want the buckets, and that they are not known", at, page, err)
		}
	}
}

// TestPolicyOfAnotherBucket is no policy of this one.
func TestPolicyOfAnotherBucket(t *testing.T) {
	t.Parallel()
	statement := func(r string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":` + r + `}]}`
	}
	for text, want := range map[string]bool{
		statement(`"arn:aws:s3:::media/*"`):                            true,
		statement(`"arn:aws-cn:s3:::media"`):                           true,
		statement(`["arn:aws:s3:::other/*","arn:aws:s3:::media/*"]`):   true,
		statement(`"arn:aws:s3:::med*"`):                               true,
		statement(`"arn:aws:s3:::${aws:PrincipalTag/b}/*"`):            true,
		statement(`"arn:aws:s3:::other/*"`):                            false,
		statement(`["arn:aws:s3:::other","arn:aws:s3:::mediation/*"]`): false,
		`{"not": "a policy"}`:                                          true, // judged as such
	} {
		if got := ofBucket(text, "media") == nil; got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
}
