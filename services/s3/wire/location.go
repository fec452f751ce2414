package wire

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
)

// DependentsOf is the key under which the buckets of an account that depend on
// public access are remembered.
func DependentsOf(account string) string { return "dependents of " + account }

// ListBuckets asks for one page of the buckets of the scope's account. A page
// without a list is no answer.
func ListBuckets(ctx context.Context, r *cloud.Reading, in *s3.ListBucketsInput) ([]types.Bucket, *string, error) {
	out, err := S3(r, r.Scope.Account, r.Home()).ListBuckets(ctx, in)
	if err == nil && out.Buckets == nil {
		err = cloud.Foreign("it has no list of buckets")
	}
	if err != nil {
		return nil, nil, r.Fail("s3:ListBuckets", err)
	}
	return out.Buckets, out.ContinuationToken, nil
}

// Locate asks where a bucket is. A bucket that is gone is nowhere; one that dera
// may not ask about is an error, since it could be here.
func Locate(ctx context.Context, r *cloud.Reading, name string) (string, error) {
	out, err := S3(r, r.Scope.Account, r.Home()).GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String(name), ExpectedBucketOwner: aws.String(r.Scope.Account)})
	if err != nil {
		err = r.Fail("s3:GetBucketLocation", err)
		if cloud.Is(err, cloud.NotFound) {
			return "", nil
		}
		return "", err
	}
	at := string(out.LocationConstraint)
	switch at {
	case "": // the first region has no name here (S3 API reference, GetBucketLocation)
		at = "us-east-1"
	case "EU":
		at = "eu-west-1"
	}
	if strings.Count(at, "-") < 2 || dera.PartitionOf(at) != dera.PartitionOf(r.Home()) {
		return "", r.Fail("s3:GetBucketLocation", cloud.Foreign("%.40q is no region of the partition", at))
	}
	return at, nil
}
