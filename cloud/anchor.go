package cloud

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// LockedBucket is a place in a bucket with S3 Object Lock: what is put there cannot be overwritten or
// deleted before its retention ends. It is used with dera's own credentials; every request names the
// account as the expected owner.
//
// A delete without a version ID succeeds there too, and hides the newest version behind a marker; so
// what is read back are versions, never the newest objects.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
type LockedBucket struct {
	api                   *s3.Client
	name, account, prefix string
	region                string
}

// LockedBucket returns the place under a prefix of the bucket of an account. An empty region is the one
// that is used where none is named.
func (c *Client) LockedBucket(name, account, region, prefix string) *LockedBucket {
	region = cmp.Or(region, c.base.Region)
	return &LockedBucket{name: name, account: account, prefix: prefix, region: region, api: s3.NewFromConfig(c.base, func(o *s3.Options) {
		o.Region = region
		o.APIOptions = append(o.APIOptions, c.observe("", region, false))
	})}
}

// ErrUnlocked means that a bucket does not keep what is put there.
var ErrUnlocked = errors.New("what is put there can be deleted")

// Retention is the default retention of the bucket: its mode, and how long, in words. ErrUnlocked where
// the bucket has none.
func (b *LockedBucket) Retention(ctx context.Context) (mode, period string, err error) {
	out, err := b.api.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: aws.String(b.name), ExpectedBucketOwner: aws.String(b.account)})
	switch {
	case Code(err) == "ObjectLockConfigurationNotFoundError":
		return "", "", fmt.Errorf("the bucket %s has no Object Lock: %w", b.name, ErrUnlocked)
	case err != nil:
		return "", "", wrap("", b.region, "s3:GetBucketObjectLockConfiguration", err)
	}
	l := out.ObjectLockConfiguration
	if l == nil || l.ObjectLockEnabled != types.ObjectLockEnabledEnabled || l.Rule == nil || l.Rule.DefaultRetention == nil || l.Rule.DefaultRetention.Mode == "" {
		return "", "", fmt.Errorf("the bucket %s has Object Lock and no default retention: %w", b.name, ErrUnlocked)
	}
	r := l.Rule.DefaultRetention
	period = fmt.Sprintf("%d days", aws.ToInt32(r.Days))
	if aws.ToInt32(r.Years) > 0 {
		period = fmt.Sprintf("%d years", *r.Years)
	}
	return strings.ToLower(string(r.Mode)), period, nil
}

// Put puts an object, whole or not at all, with the checksum that a bucket with Object Lock asks for.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
func (b *LockedBucket) Put(ctx context.Context, key string, body []byte) error {
	_, err := b.api.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(b.name), Key: aws.String(b.prefix + key), ExpectedBucketOwner: aws.String(b.account), Body: bytes.NewReader(body), ChecksumAlgorithm: types.ChecksumAlgorithmSha256})
	if err != nil {
		return wrap("", b.region, "s3:PutObject", err)
	}
	return nil
}

// Versions calls each for every version of every object, also of those that a delete hides, in the order
// of the keys, with what reads at most most bytes of it.
func (b *LockedBucket) Versions(ctx context.Context, most int64, each func(key string, read func(context.Context) ([]byte, error)) error) error {
	pages := s3.NewListObjectVersionsPaginator(b.api, &s3.ListObjectVersionsInput{Bucket: aws.String(b.name), Prefix: aws.String(b.prefix), ExpectedBucketOwner: aws.String(b.account)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return wrap("", b.region, "s3:ListBucketVersions", err)
		}
		for _, v := range page.Versions {
			key, ok := strings.CutPrefix(aws.ToString(v.Key), b.prefix)
			if !ok {
				continue
			}
			read := func(ctx context.Context) ([]byte, error) {
				return b.version(ctx, aws.ToString(v.Key), aws.ToString(v.VersionId), most)
			}
			if err := each(key, read); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *LockedBucket) version(ctx context.Context, key, version string, most int64) ([]byte, error) {
	in := &s3.GetObjectInput{Bucket: aws.String(b.name), Key: aws.String(key), ExpectedBucketOwner: aws.String(b.account)}
	if version != "" && version != "null" {
		in.VersionId = aws.String(version)
	}
	out, err := b.api.GetObject(ctx, in)
	if err != nil {
		return nil, wrap("", b.region, "s3:GetObjectVersion", err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(io.LimitReader(out.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("read s3://%s/%s: %w", b.name, key, err)
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("read s3://%s/%s: it has more than %d bytes", b.name, key, most)
	}
	return text, nil
}
