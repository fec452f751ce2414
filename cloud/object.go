package cloud

import (
	"context"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Bucket reads the objects of one bucket with dera's own credentials.
type Bucket struct {
	api           *s3.Client
	c             *Client
	name, account string
	region        string
}

// Bucket returns the bucket of an account; every request names that as the expected owner. An empty
// region is the one that is used where none is named.
func (c *Client) Bucket(name, account, region string) *Bucket {
	if region == "" {
		region = c.base.Region
	}
	return &Bucket{c: c, name: name, account: account, region: region, api: s3.NewFromConfig(c.base, func(o *s3.Options) {
		o.Region = region
		o.APIOptions = append(o.APIOptions, c.observe("", region, false))
	})}
}

// Open opens an object, which the caller closes; size is how many bytes it has.
func (b *Bucket) Open(ctx context.Context, key string) (in io.ReadCloser, size int64, err error) {
	out, err := b.api.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(b.name), Key: aws.String(key), ExpectedBucketOwner: aws.String(b.account)})
	if err != nil {
		return nil, 0, wrap("", b.region, "s3:GetObject", err)
	}
	return out.Body, aws.ToInt64(out.ContentLength), nil
}
