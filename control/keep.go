package control

import (
	"slices"
	"time"

	"dera.example/dera/iam/catalog"
)

// Keep are permissions that some principals keep, although nobody used them, up to a
// moment.
type Keep struct {
	// Principals are ARNs, with * for any text and ? for any character; none are all
	// principals.
	Principals []string
	// Actions are entries, as in the Action list of a policy.
	Actions []string
	// Until is when it ends.
	Until time.Time
	// Owner answers for it, and Reason says why.
	Owner, Reason string
}

// About reports whether it is about a principal, by ARN.
func (k Keep) About(principal string) bool {
	return len(k.Principals) == 0 ||
		slices.ContainsFunc(k.Principals, func(p string) bool { return catalog.Match(p, principal) })
}
