package bucket

import (
	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/s3"
)

// calledAs are the ARNs of calls on a bucket and its objects, and through those of access
// points, which name no bucket, by their ARNs or by aliases.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
func calledAs(p dera.Plan) (direct, through []string) {
	return []string{string(p.Resource), string(p.Resource) + "/*"},
		s3.AccessPoints()
}

func anyARN(p dera.Plan) []string {
	direct, through := calledAs(p)
	return append(direct, through...)
}

func tookPolicy(in BucketPolicyInput, p dera.Plan, _ dera.Change) (resource.Taken, error) {
	direct, through := calledAs(p)
	return resource.Taken{Before: in.Expect, After: in.Policy, Resources: direct, Through: through}, nil
}

// tookACL bounds what grants of an ACL allowed.
func tookACL(_ BucketACLInput, p dera.Plan, _ dera.Change) (resource.Taken, error) {
	return resource.Taken{Within: []resource.Bounds{{Actions: s3.ACLActions(), Resources: anyARN(p), Why: "grants went from the bucket's ACL"}}}, nil
}

func tookBlock(in BucketBlockInput, p dera.Plan, c dera.Change) (resource.Taken, error) {
	within, err := s3.BlockDenies(c.Before, in.Block, anyARN(p))
	return resource.Taken{Within: within}, err
}
