package bucket

import (
	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/s3"
)

// calledAs are the ARNs of calls to which what is set of a bucket applies: those on the
// bucket and its objects, and those through an access point, which names no bucket.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
func calledAs(p dera.Plan) []string {
	return []string{string(p.Resource), string(p.Resource) + "/*", "arn:*:s3:*:*:accesspoint/*", "arn:*:s3-object-lambda:*:*:accesspoint/*"}
}

func tookPolicy(in BucketPolicyInput, p dera.Plan, _ dera.Change) (resource.Taken, error) {
	return resource.Taken{Before: in.Expect, After: in.Policy, Resources: calledAs(p)}, nil
}

// tookACL bounds what grants of an ACL allowed.
func tookACL(_ BucketACLInput, p dera.Plan, _ dera.Change) (resource.Taken, error) {
	return resource.Taken{Within: []resource.Bounds{{Actions: s3.ACLActions(), Resources: calledAs(p), Why: "grants went from the bucket's ACL"}}}, nil
}

func tookBlock(in BucketBlockInput, p dera.Plan, c dera.Change) (resource.Taken, error) {
	within, err := s3.BlockDenies(c.Before, in.Block, calledAs(p))
	return resource.Taken{Within: within}, err
}
