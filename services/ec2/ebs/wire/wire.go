// Package wire reads and writes the encryption of EBS volumes by default on EC2.
package wire

import (
	"context"

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
	x := cloud.Regional{Name: "EBS", ARN: t.ARN, Config: func(region string) any { return &ebs.Encryption{Region: region} }}
	return cloud.Wire{
		Type: ebs.Name, Parts: t.Parts, Operations: t.Operations, Find: x.Find, Sample: x.Sample, Try: try,
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
