// Package wire reads and writes the rotation of KMS keys.
package wire

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services/kms/key"
)

// Wire returns how keys are read and written.
func Wire() cloud.Wire {
	t := key.Type()
	return cloud.Wire{
		Type: key.Name, Parts: t.Parts, Operations: t.Operations, Find: find, Sample: sample, Gone: gone, Unread: unread, AtOnce: 8, Times: 15,
		Readers: []cloud.Reader{
			{Parts: []string{key.PartKey}, Call: "kms:DescribeKey", One: describe},
			{Parts: []string{key.PartRotation}, Call: "kms:GetKeyRotationStatus", One: readRotation},
		},
		Do: map[string]func(context.Context, *cloud.Writing) error{key.EnableRotation: enable, key.DisableRotation: disable},
		Answers: map[string]cloud.Shape{ // the writes answer nothing
			"KMS ListKeys": {Members: []string{"Keys"}}, "KMS DescribeKey": {Members: []string{"KeyMetadata"}},
			"KMS GetKeyRotationStatus": {Members: []string{"KeyRotationEnabled"}},
		},
		ConfigRules: []string{"CMK_BACKING_KEY_ROTATION_ENABLED"},
	}
}

func api(r *cloud.Reading) *kms.Client {
	return cloud.Service(r, "kms", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *kms.Client { return kms.NewFromConfig(cfg) })
}

// find returns the keys on one page of the region's, or those that are named.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, _ error) {
	ids := r.Scope.IDs
	if r.Scope.Sweep() {
		in := &kms.ListKeysInput{}
		if r.Scope.Page != "" {
			in.Marker = aws.String(r.Scope.Page)
		}
		out, err := api(r).ListKeys(ctx, in)
		if err == nil && out.Truncated && aws.ToString(out.NextMarker) == "" {
			err = cloud.Foreign("there is more, and it does not say where")
		}
		if err != nil {
			return found, r.Fail("kms:ListKeys", err)
		}
		for _, k := range out.Keys {
			ids = append(ids, aws.ToString(k.KeyId))
		}
		if out.Truncated {
			found.Next = *out.NextMarker
		}
	}
	for _, id := range ids {
		arn := key.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, id)
		found.Items = append(found.Items, cloud.NewItem(r, id, id, arn, &key.Key{ID: id}))
	}
	return found, nil
}

// sample returns the first key of the region.
func sample(ctx context.Context, r *cloud.Reading) (string, error) {
	out, err := api(r).ListKeys(ctx, &kms.ListKeysInput{Limit: aws.Int32(1)})
	if err != nil {
		return "", r.Fail("kms:ListKeys", err)
	}
	if len(out.Keys) == 0 {
		return "", nil
	}
	return aws.ToString(out.Keys[0].KeyId), nil
}

func gone(_ context.Context, _ *cloud.Reading, _ *cloud.Item, err error) bool {
	var absent *types.NotFoundException
	return errors.As(err, &absent)
}

// unread: of a key that could not be described, nothing counts.
func unread(config any, part string) {
	k := config.(*key.Key)
	if k.Rotation = nil; part == key.PartKey {
		*k = key.Key{ID: k.ID}
	}
}

func describe(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := api(r).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(x.ID)})
	if err == nil && (out.KeyMetadata == nil || aws.ToString(out.KeyMetadata.KeyId) != x.ID) {
		err = cloud.Foreign("it does not describe the key %.80q", x.ID)
	}
	if err != nil {
		return err
	}
	m := out.KeyMetadata
	if m.KeyManager == "" || m.KeyState == "" || m.KeySpec == "" || m.KeyUsage == "" || m.Origin == "" {
		return cloud.Foreign("it leaves out what the key is")
	}
	*x.Config.(*key.Key) = key.Key{
		ID: x.ID, Manager: string(m.KeyManager), State: string(m.KeyState), Spec: string(m.KeySpec), Usage: string(m.KeyUsage), Origin: string(m.Origin),
		Replica: m.MultiRegionConfiguration != nil && m.MultiRegionConfiguration.MultiRegionKeyType == types.MultiRegionKeyTypeReplica,
	}
	return nil
}

// readRotation asks only of keys that rotate: of others KMS answers with an error.
func readRotation(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	k := x.Config.(*key.Key)
	if k.Manager == "" || k.Fixed() != "" {
		return nil
	}
	out, err := api(r).GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: aws.String(x.ID)})
	if err != nil {
		return err
	}
	k.Rotation = aws.Bool(out.KeyRotationEnabled)
	return nil
}

func enable(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err == nil {
		_, err = kms.NewFromConfig(w.Config).EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: aws.String(in.Resource)})
	}
	return err
}

func disable(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err == nil {
		_, err = kms.NewFromConfig(w.Config).DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: aws.String(in.Resource)})
	}
	return err
}
