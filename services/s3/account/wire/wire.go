// Package wire reads and writes the public access block of accounts on S3 Control.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"dera.example/dera/cloud"
	s3account "dera.example/dera/services/s3/account"
	shared "dera.example/dera/services/s3/wire"
)

// accountTimes is how many times the timeout of a read the read of a whole
// account's buckets may take.
const accountTimes = 15

// Wire returns how the block of an account is read and written.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: s3account.Name, Parts: s3account.Parts(), Operations: s3account.Type().Operations, Times: accountTimes,
		Find: func(_ context.Context, r *cloud.Reading) (cloud.Found, error) {
			account := r.Scope.Account
			arn := s3account.ARNOf(cloud.PartitionOf(r.Scope), account)
			return cloud.Found{Items: []*cloud.Item{cloud.NewItem(r, account, "S3", arn, &s3account.AccountBlock{Account: account})}}, nil
		},
		Readers: []cloud.Reader{
			{Parts: []string{s3account.PartBlock}, Many: readBlock},
			{Parts: []string{s3account.PartDependents}, Many: readDependents},
		},
		Do:          map[string]func(context.Context, *cloud.Writing) error{s3account.PutAccountBlock: put},
		Answers:     shared.Answers(),
		Actions:     shared.Actions(),
		ConfigRules: []string{"S3_ACCOUNT_*"},
	}
}

func readBlock(ctx context.Context, r *cloud.Reading, items []*cloud.Item) (err error) {
	cfg := items[0].Config.(*s3account.AccountBlock)
	cfg.Block, err = shared.AccountBlock(ctx, r)
	return err
}

func put(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[s3account.AccountBlockInput](w.Operation)
	if err != nil {
		return err
	}
	api := s3control.NewFromConfig(w.Config, shared.PlainHost)
	if in.Block == nil {
		_, err = api.DeletePublicAccessBlock(ctx, &s3control.DeletePublicAccessBlockInput{AccountId: aws.String(in.Account)})
		return err
	}
	_, err = api.PutPublicAccessBlock(ctx, &s3control.PutPublicAccessBlockInput{
		AccountId: aws.String(in.Account),
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(in.Block.PublicACLs), IgnorePublicAcls: aws.Bool(in.Block.IgnorePublicACLs),
			BlockPublicPolicy: aws.Bool(in.Block.PublicPolicy), RestrictPublicBuckets: aws.Bool(in.Block.RestrictedBuckets),
		},
	})
	return err
}
