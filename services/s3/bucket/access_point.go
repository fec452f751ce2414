package bucket

import (
	"context"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// String names the access point, and the account that it belongs to.
func (p AccessPoint) String() string {
	switch {
	case p.MultiRegion:
		return p.Name + " (multi-region)"
	case p.Account != "":
		return p.Name + " of account " + p.Account
	}
	return p.Name
}

// PublicAccessPoints returns the access points of the bucket through which
// there is public access: from the internet, by a policy of their own that allows
// public access, past a bucket policy that delegates access control to access points,
// and under no block that restricts it. unsure says what is not known.
//
// Source: S3 user guide, "Configuring IAM policies for using access points" and
// "Managing public access to access points".
func (b *Bucket) PublicAccessPoints(ctx context.Context) (open []AccessPoint, unsure string) {
	var doubts []string
	for _, p := range b.pointsInOrder() {
		if p.Policy == "" || p.VPC != "" || s3.Strictest(p.Block, b.Block, b.AccountBlock).RestrictedBuckets {
			continue
		}
		doc, err := policy.Parse(p.Policy)
		if err != nil {
			doubts = append(doubts, "the policy of access point "+p.Name+" could not be read")
			continue
		}
		lets, why := document.PublicStatements(ctx, s3.Target(""), doc)
		switch {
		case len(lets) > 0 && b.delegates():
			open = append(open, p)
		case why != "":
			doubts = append(doubts, "access point "+p.Name+": "+why)
		}
	}
	return open, strings.Join(doubts, "; ")
}

// pointsInOrder are the access points, however AWS listed them.
func (b *Bucket) pointsInOrder() []AccessPoint {
	return slices.SortedFunc(slices.Values(b.AccessPoints), func(x, y AccessPoint) int { return strings.Compare(x.Name, y.Name) })
}

// delegates reports whether some statement of the bucket policy can allow a
// request that came through an access point; in doubt it does.
func (b *Bucket) delegates() bool {
	doc, err := b.Parsed()
	if err != nil || !b.Read(PartPolicy) {
		return true
	}
	if doc == nil {
		return false
	}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow {
			continue
		}
		for _, c := range st.Conditions {
			if strings.HasPrefix(strings.ToLower(c.Key), "s3:dataaccesspoint") || strings.HasPrefix(strings.ToLower(c.Key), "s3:accesspoint") {
				return true
			}
		}
	}
	deemed, _ := s3.Public(doc)
	return deemed != s3.DeemedPrivate
}

// AccessPoint is an S3 access point of a bucket.
type AccessPoint struct {
	Name    string    `json:"name"`
	Account string    `json:"account,omitempty"` // that it belongs to, where it is not the bucket's
	VPC     string    `json:"vpc,omitempty"`     // the only network that reaches it; empty is the internet
	Policy  string    `json:"policy,omitempty"`
	Block   *s3.Block `json:"block,omitempty"`
	// MultiRegion is true for a multi-region access point.
	MultiRegion bool `json:"multi_region,omitempty"`
}
