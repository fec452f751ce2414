package wire

import (
	"context"

	"dera.example/dera/services/s3"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3control"

	"dera.example/dera/cloud"
)

// accountBlock is the key of the block of the account in a read.
const accountBlock = "account block"

// KnowAccountBlock says what the block of the scope's account is, for reads of its
// buckets that follow.
func KnowAccountBlock(r *cloud.Reading, block *s3.Block) {
	_, _ = cloud.Once(r, accountBlock, func() (*s3.Block, error) { return block, nil }) // it cannot fail
}

// AccountBlock reads the public access block of the scope's account, once a read.
// The error of an account without one has the code NoSuchPublicAccessBlockConfiguration.
func AccountBlock(ctx context.Context, r *cloud.Reading) (*s3.Block, error) {
	return cloud.Once(r, accountBlock, func() (*s3.Block, error) {
		const call = "s3control:GetPublicAccessBlock"
		account, region := r.Scope.Account, r.Home()
		out, err := Control(r, account, region).GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(account)})
		if err != nil {
			return nil, r.FailAt(region, call, err)
		}
		p := out.PublicAccessBlockConfiguration
		if p == nil {
			return nil, r.FailAt(region, call, cloud.Foreign("it has no block"))
		}
		block, err := BlockOf(p.BlockPublicAcls, p.IgnorePublicAcls, p.BlockPublicPolicy, p.RestrictPublicBuckets)
		if err != nil {
			return nil, r.FailAt(region, call, err)
		}
		return block, nil
	})
}

// BlockOf is a block as S3 returns it: always with all four settings.
func BlockOf(acls, ignore, policy, restrict *bool) (*s3.Block, error) {
	if acls == nil || ignore == nil || policy == nil || restrict == nil {
		return nil, cloud.Foreign("it has not all four settings of a block")
	}
	return &s3.Block{PublicACLs: *acls, IgnorePublicACLs: *ignore, PublicPolicy: *policy, RestrictedBuckets: *restrict}, nil
}
