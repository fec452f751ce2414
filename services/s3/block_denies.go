package s3

import (
	"encoding/json"
	"fmt"

	"dera.example/dera/resource"
)

// ACLActions are the calls that a grant of an ACL can allow.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html, "Mapping of ACL
// permissions and access policy permissions"
func ACLActions() []string {
	return []string{
		"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion",
		"s3:GetBucketAcl", "s3:PutBucketAcl", "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAcl", "s3:GetObjectVersionAcl", "s3:PutObjectAcl", "s3:PutObjectVersionAcl",
	}
}

// AccessPoints are patterns of the ARNs by which buckets are called through access points: those of
// any account, and aliases, which stand in the place of a bucket and end as no name of one may.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func AccessPoints() []string {
	out := []string{"*:s3:*:accesspoint/*", "*:s3-object-lambda:*:accesspoint/*"}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap"} {
		out = append(out, "*:s3:::*"+suffix, "*:s3:::*"+suffix+"/*")
	}
	return out
}

// BlockDenies bounds what the settings of a public access block deny that were off before
// and are on after it. before is a Block as JSON, or nothing.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
func BlockDenies(before json.RawMessage, to *Block, resources []string) ([]resource.Bounds, error) {
	var from *Block
	if len(before) > 0 {
		if err := json.Unmarshal(before, &from); err != nil {
			return nil, fmt.Errorf("read the block of before: %w", err)
		}
	}
	old, now := Strictest(from), Strictest(to)
	var out []resource.Bounds
	add := func(on, was, foreign bool, actions []string, why string) {
		if on && !was {
			out = append(out, resource.Bounds{Actions: actions, Resources: resources, Foreign: foreign, Why: why})
		}
	}
	add(now.PublicACLs, old.PublicACLs, false, []string{"s3:PutBucketAcl", "s3:PutObjectAcl", "s3:PutObjectVersionAcl", "s3:PutObject", "s3:CreateBucket"}, "BlockPublicAcls denies writes of public ACLs")
	add(now.IgnorePublicACLs, old.IgnorePublicACLs, false, ACLActions(), "IgnorePublicAcls takes what public ACLs grant")
	add(now.PublicPolicy, old.PublicPolicy, false, []string{"s3:PutBucketPolicy", "s3:PutAccessPointPolicy", "s3:PutMultiRegionAccessPointPolicy"}, "BlockPublicPolicy denies writes of public policies")
	add(now.RestrictedBuckets, old.RestrictedBuckets, true, []string{"s3:*", "s3-object-lambda:*"}, "RestrictPublicBuckets denies other accounts where a policy is public")
	return out, nil
}
