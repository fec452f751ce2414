package wire

import (
	"context"
	"errors"
	"strings"
	"time"

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
// without a list is no answer. A first page that is full and names no next one is asked for whole: S3 names
// the next page, but what only speaks its protocol may cut the list at MaxBuckets without a word.
func ListBuckets(ctx context.Context, r *cloud.Reading, in *s3.ListBucketsInput) ([]types.Bucket, *string, error) {
	out, err := S3(r, r.Scope.Account, r.Home()).ListBuckets(ctx, in)
	if err == nil && out.Buckets == nil {
		err = cloud.Foreign("it has no list of buckets")
	}
	if err != nil {
		return nil, nil, r.Fail("s3:ListBuckets", err)
	}
	if most := int(aws.ToInt32(in.MaxBuckets)); most > 1 && len(out.Buckets) == most && out.ContinuationToken == nil && in.ContinuationToken == nil {
		whole, err := S3(r, r.Scope.Account, r.Home()).ListBuckets(ctx, &s3.ListBucketsInput{BucketRegion: in.BucketRegion})
		if err == nil && len(whole.Buckets) > most { // S3 refuses it to those who may have more than 10,000
			out = whole
		}
	}
	return out.Buckets, out.ContinuationToken, nil
}

// locatedFor is how long it is remembered where a bucket is.
const locatedFor = time.Minute

var errNowhere = errors.New("the bucket is nowhere")

// Located is Locate for the buckets of a listing that does not say where they are.
func Located(ctx context.Context, r *cloud.Reading, name string) (string, error) {
	at, err := cloud.Remember(r, "where "+r.Scope.Account+"/"+name, locatedFor, func() (string, error) {
		at, err := Locate(ctx, r, name)
		if err == nil && at == "" {
			err = errNowhere // one that is made again is not missed for that
		}
		return at, err
	})
	if errors.Is(err, errNowhere) {
		return "", nil
	}
	return at, err
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
