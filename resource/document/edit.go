package document

import "dera.example/dera/iam/policy"

// PolicyEdit is an edit of a bucket policy; statements are counted as they stand
// before it.
type PolicyEdit struct {
	Drop     []int                    // whole statements
	Elements []policy.Edit            // entries of lists that keep others
	Restrict map[int]policy.Condition // one more condition on a statement
	Append   []string                 // statements at the end
	Diff     []string
}
