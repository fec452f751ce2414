package bucket

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/s3"
)

// BucketPublicACL finds buckets whose ACL allows public access.
func BucketPublicACL() control.Control {
	return control.Define(control.Spec[*Bucket]{
		Meta: control.Meta{
			ID:       "s3-bucket-public-acl",
			Title:    "Bucket ACL grants public access",
			Type:     Name,
			Severity: dera.Critical,
			Why: "A grant to AllUsers or AuthenticatedUsers allows anyone to list the bucket, write to it or change its ACL. " +
				"AuthenticatedUsers means anyone with an AWS account, not the users of your own.",
			Fix:        "The grants to these two groups are removed; all other grants stay.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the ACL grants AllUsers or AuthenticatedUsers anything, and neither a block nor the object ownership takes that back", Disposition: dera.Auto, Because: "the grant can be taken away and given back"},
				{When: "the bucket serves a static website or is the origin of a CloudFront distribution, or that or its tags could not be read", Disposition: dera.Review, Because: "it may be public on purpose"},
				{When: "BlockPublicAcls is on although IgnorePublicAcls is not", Disposition: dera.Review, Because: "S3 would not take the ACL back"},
			},
			Refs:     s3.Refs("S3.2, S3.3, S3.12", "S3_BUCKET_PUBLIC_READ_PROHIBITED, S3_BUCKET_ACL_PROHIBITED"),
			Reads:    s3.Reads(),
			Writes:   []string{PutBucketACL},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: checkACL,
		Plan: func(b *Bucket, failures []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			c, err := b.DropGrants(func(g s3.Grant) bool { return g.Public() && hasKey(failures, aclKey(g)) })
			if err != nil {
				return nil, s3.CannotPlan(err)
			}
			return []dera.Change{c}, nil
		},
		Prove: func(b *Bucket, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
			return ProveBucket(b, s3.Keys(failures), changes, s)
		},
	})
}

func aclKey(g s3.Grant) string {
	if g.Writes() {
		return s3.ACLWrite
	}
	return s3.ACLRead
}

func checkACL(b *Bucket, _ control.Settings) control.Result {
	if b.ACLsDisabled() || b.Blocked().IgnorePublicACLs {
		return control.Result{Outcome: control.Pass}
	}
	if !b.Read(PartACL) {
		return judged(nil, "dera lacks permission to read the bucket ACL")
	}
	var failures []control.Failure
	for _, key := range []string{s3.ACLRead, s3.ACLWrite} {
		var lines, permissions []string
		for _, g := range b.PublicGrants() {
			if aclKey(g) == key {
				permissions = append(permissions, g.Permission)
				lines = append(lines, "“"+g.Line()+"”")
			}
		}
		if len(lines) == 0 {
			continue
		}
		f := control.Failure{
			Key: key, Severity: dera.High, Permissions: slices.Compact(s3.Sorted(permissions)), Title: "Bucket ACL grants public read access",
			Why: "Public access is granted by " + strings.Join(s3.Sorted(lines), ", ") + ".",
		}
		if key == s3.ACLWrite {
			f.Severity, f.Title = dera.Critical, "Bucket ACL grants public write access"
		}
		failures = append(failures, lowered(b, f, b.Blocked().PublicACLs))
	}
	return judged(failures, "")
}
