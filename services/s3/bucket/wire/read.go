package wire

import (
	"context"
	"errors"
	"net/http"

	"dera.example/dera/services/s3/bucket"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"dera.example/dera/cloud"
	shared "dera.example/dera/services/s3/wire"
)

// bucketPage is how many buckets a page of a sweep has, and bucketsAtOnce how
// many are read at the same time.
const (
	bucketPage    = 100
	bucketsAtOnce = 8
)

func item(r *cloud.Reading, name string) *cloud.Item {
	return cloud.NewItem(r, name, name, bucket.ARNOf(cloud.PartitionOf(r.Scope), name), &bucket.Bucket{
		Name: name, Owner: r.Scope.Account, Region: r.Scope.Region,
	})
}

// config is the configuration of an item.
func config(x *cloud.Item) *bucket.Bucket { return x.Config.(*bucket.Bucket) }

// find names the buckets of the scope. A bucket of which nobody says where it is
// could be here: it is on the page of a sweep, and unread.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, err error) {
	for _, name := range r.Scope.IDs {
		found.Items = append(found.Items, item(r, name))
	}
	if !r.Scope.Sweep() {
		return found, nil
	}
	in := &s3.ListBucketsInput{MaxBuckets: aws.Int32(bucketPage), BucketRegion: aws.String(r.Scope.Region)}
	if r.Scope.Page != "" {
		in.ContinuationToken = aws.String(r.Scope.Page)
	}
	list, next, err := shared.ListBuckets(ctx, r, in)
	if err != nil {
		return found, err
	}
	for _, b := range list {
		region, x := aws.ToString(b.BucketRegion), item(r, aws.ToString(b.Name))
		if region == "" {
			if region, err = shared.Located(ctx, r, x.ID); err != nil {
				if ctx.Err() != nil {
					return found, err
				}
				x.Doubt("its location could not be read: " + err.Error())
				region = r.Scope.Region
			}
		}
		if region == r.Scope.Region {
			found.Items = append(found.Items, x)
		}
	}
	found.Next = aws.ToString(next)
	return found, nil
}

// sample returns the name of any bucket in the region.
func sample(ctx context.Context, r *cloud.Reading) (string, error) {
	list, _, err := shared.ListBuckets(ctx, r, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1), BucketRegion: aws.String(r.Scope.Region)})
	if err != nil || len(list) == 0 {
		return "", err
	}
	name := aws.ToString(list[0].Name)
	_, _ = shared.Locate(ctx, r, name) // a sweep asks only where the list does not say
	return name, nil
}

// gone reports whether a bucket is not there, or in another region by now.
func gone(ctx context.Context, r *cloud.Reading, x *cloud.Item, err error) bool {
	var e *cloud.Error
	if !errors.As(err, &e) || e.Code == "NoSuchBucket" {
		return e != nil
	}
	if !elsewhere(e) {
		return false
	}
	where, err := cloud.Once(r, "where "+x.ID, func() (string, error) { return shared.Locate(ctx, r, x.ID) })
	return err == nil && where != r.Scope.Region
}

// elsewhere reports whether the service says that the bucket is in another region.
func elsewhere(e *cloud.Error) bool {
	var res *smithyhttp.ResponseError
	return e.Code == "PermanentRedirect" || e.Code == "AuthorizationHeaderMalformed" ||
		errors.As(e.Err, &res) && res.Response != nil && res.HTTPStatusCode() == http.StatusMovedPermanently
}
