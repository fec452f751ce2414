package wire

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/iam/policy"
)

// ofBucket returns an error for a bucket policy that is another bucket's: S3 takes
// a policy only where its resources lie in the bucket.
func ofBucket(text, bucket string) error {
	doc, err := policy.Parse(text)
	if err != nil {
		return nil // a policy that cannot be understood is judged as one
	}
	for _, st := range doc.Statements {
		if len(st.Resources) == 0 {
			return nil
		}
		for _, r := range st.Resources {
			_, name, arn := strings.Cut(r, ":::")
			name, _, _ = strings.Cut(name, "/")
			if !arn || strings.Contains(name, "$") || dera.MatchGlob(name, bucket) {
				return nil
			}
		}
	}
	if len(doc.Statements) == 0 {
		return nil
	}
	return cloud.Foreign("it is the policy of another bucket")
}
