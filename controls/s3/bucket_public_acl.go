package s3

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// BucketPublicACL finds buckets whose ACL lets strangers in.
func BucketPublicACL() control.Control {
	return control.Define(control.Spec[*resource.Bucket]{
		Meta: control.Meta{
			ID:       "s3-bucket-public-acl",
			Title:    "A bucket ACL lets strangers in",
			Type:     resource.BucketType,
			Severity: dera.Critical,
			Why: "A grant to AllUsers or AuthenticatedUsers lets anybody list the bucket, write to it or change its ACL. " +
				"AuthenticatedUsers is anybody with an AWS account, not the users of your own.",
			Fix:        "The grants to the two groups go; all other grants stay.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the ACL grants AllUsers or AuthenticatedUsers anything, and neither a block nor the object ownership takes that back", Disposition: dera.Auto, Because: "the grant can be taken away and given back"},
				{When: "the bucket serves a static website or is the origin of a CloudFront distribution, or that or its tags could not be read", Disposition: dera.Review, Because: "it may be public on purpose"},
				{When: "BlockPublicAcls is on although IgnorePublicAcls is not", Disposition: dera.Review, Because: "S3 would not take the ACL back"},
			},
			Refs:     refs("S3.2, S3.3, S3.12", "S3_BUCKET_PUBLIC_READ_PROHIBITED, S3_BUCKET_ACL_PROHIBITED"),
			Reads:    bucketReads(),
			Writes:   []string{resource.PutBucketACL},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: checkACL,
		Plan: func(b *resource.Bucket, failures []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			c, err := b.DropGrants(func(g resource.Grant) bool { return g.Public() && hasKey(failures, aclKey(g)) })
			if err != nil {
				return nil, cannotPlan(err)
			}
			return []dera.Change{c}, nil
		},
		Prove: func(b *resource.Bucket, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
			return control.ProveBucket(b, keys(failures), changes, s)
		},
	})
}

func aclKey(g resource.Grant) string {
	if g.Writes() {
		return control.ACLWrite
	}
	return control.ACLRead
}

func checkACL(b *resource.Bucket, _ control.Settings) control.Result {
	if b.ACLsDisabled() || b.Blocked().IgnorePublicACLs {
		return control.Result{Outcome: control.Pass}
	}
	if !b.Read(resource.PartACL) {
		return judged(nil, "dera was not let read the bucket ACL")
	}
	var failures []control.Failure
	for _, key := range []string{control.ACLRead, control.ACLWrite} {
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
			Key: key, Severity: dera.High, Permissions: slices.Compact(sorted(permissions)), Title: "The bucket ACL lets strangers read",
			Why: "Strangers are let in by " + strings.Join(sorted(lines), ", ") + ".",
		}
		if key == control.ACLWrite {
			f.Severity, f.Title = dera.Critical, "The bucket ACL lets strangers write or more"
		}
		failures = append(failures, lowered(b, f, b.Blocked().PublicACLs))
	}
	return judged(failures, "")
}
