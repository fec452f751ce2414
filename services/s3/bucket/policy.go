package bucket

import (
	"fmt"

	"dera.example/dera/iam/policy"
)

// Parsed returns the bucket policy, or nil where there is none.
func (b *Bucket) Parsed() (*policy.Document, error) {
	if b.Policy == "" {
		return nil, nil
	}
	doc, err := policy.Parse(b.Policy)
	if err != nil {
		return nil, fmt.Errorf("read the policy of bucket %s: %w", b.Name, err)
	}
	return doc, nil
}
