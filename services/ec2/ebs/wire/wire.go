// Package wire reads and writes the encryption of EBS volumes by default on EC2.
package wire

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/services/ec2/ebs"
	shared "dera.example/dera/services/ec2/wire"
)

// Wire returns how encryption by default is read and written.
func Wire() cloud.Wire {
	t := ebs.Type()
	return cloud.Wire{
		Type: ebs.Name, Parts: t.Parts, Operations: t.Operations, Find: find, Try: try,
		Sample: func(_ context.Context, r *cloud.Reading) (string, error) { return r.Scope.Region, nil },
		Readers: []cloud.Reader{
			{Parts: []string{ebs.PartEnabled}, Call: "ec2:GetEbsEncryptionByDefault", One: readEnabled},
			{Parts: []string{ebs.PartKey}, Call: "ec2:GetEbsDefaultKmsKeyId", One: readKey},
		},
		Do:          map[string]func(context.Context, *cloud.Writing) error{ebs.Enable: enable, ebs.Disable: disable},
		Answers:     shared.Answers(),
		ConfigRules: []string{"EC2_EBS_ENCRYPTION_BY_DEFAULT"},
		Regions:     shared.Regions,
	}
}

// find: a region has it once, under its own name.
func find(_ context.Context, r *cloud.Reading) (found cloud.Found, _ error) {
	region := r.Scope.Region
	for _, id := range r.Scope.IDs {
		if id != region {
			found.Missing = append(found.Missing, id)
		}
	}
	if r.Scope.Sweep() || slices.Contains(r.Scope.IDs, region) {
		arn := ebs.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, region, region)
		found.Items = []*cloud.Item{cloud.NewItem(r, region, "EBS", arn, &ebs.Encryption{Region: region})}
	}
	return found, nil
}

func readEnabled(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).GetEbsEncryptionByDefault(ctx, &ec2.GetEbsEncryptionByDefaultInput{})
	if err == nil && out.EbsEncryptionByDefault == nil {
		err = cloud.Foreign("it says neither on nor off")
	}
	if err != nil {
		return err
	}
	x.Config.(*ebs.Encryption).Enabled = *out.EbsEncryptionByDefault
	return nil
}

func readKey(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).GetEbsDefaultKmsKeyId(ctx, &ec2.GetEbsDefaultKmsKeyIdInput{})
	if err == nil && aws.ToString(out.KmsKeyId) == "" {
		err = cloud.Foreign("it names no key")
	}
	if err != nil {
		return err
	}
	x.Config.(*ebs.Encryption).Key = *out.KmsKeyId
	return nil
}

func enable(ctx context.Context, w *cloud.Writing) error {
	_, err := ec2.NewFromConfig(w.Config).EnableEbsEncryptionByDefault(ctx, &ec2.EnableEbsEncryptionByDefaultInput{DryRun: aws.Bool(w.Dry)})
	return err
}

func disable(ctx context.Context, w *cloud.Writing) error {
	_, err := ec2.NewFromConfig(w.Config).DisableEbsEncryptionByDefault(ctx, &ec2.DisableEbsEncryptionByDefaultInput{DryRun: aws.Bool(w.Dry)})
	return err
}

// try returns the change that switches it on, and the one that switches it off.
func try(region string) ([]dera.Change, error) {
	on, err := ebs.Type().Set(&ebs.Encryption{Region: region}, "enabled", true)
	if err != nil {
		return nil, err
	}
	return []dera.Change{on, {Operation: on.Undo.Operation, Version: on.Undo.Version, Input: on.Undo.Input}}, nil
}
