// Package wire reads and writes KMS keys.
package wire

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
	"dera.example/dera/services/kms/key"
	shared "dera.example/dera/services/policies/wire"
)

// Wire returns how keys are read and written.
func Wire() cloud.Wire {
	return shared.Service[key.Key]{
		Type: key.Type(), Policy: key.Shape().Policy, Make: func(c resourcepolicy.Config) *key.Key { return &key.Key{Config: c} },
		ListCall: "kms:ListKeys", List: list, ReadCall: "kms:GetKeyPolicy", Read: readPolicy, TagsCall: "kms:ListResourceTags", Tags: readTags,
		Gone: []string{"NotFoundException"}, PutAction: key.PutPolicy, Put: put, Unread: unread,
		Readers: []cloud.Reader{
			{Parts: []string{key.PartKey}, Call: "kms:DescribeKey", One: describe},
			{Parts: []string{key.PartRotation}, Call: "kms:GetKeyRotationStatus", One: readRotation},
			{Parts: []string{key.PartGrants}, Call: "kms:ListGrants", One: readGrants},
		},
		Do: map[string]func(context.Context, *cloud.Writing) error{key.EnableRotation: enable, key.DisableRotation: disable, key.CancelDeletion: cancel},
		Answers: map[string]cloud.Shape{ // the writes answer nothing
			"KMS ListKeys": {Members: []string{"Keys"}}, "KMS DescribeKey": {Members: []string{"KeyMetadata"}},
			"KMS GetKeyRotationStatus": {Members: []string{"KeyRotationEnabled"}}, "KMS GetKeyPolicy": {Members: []string{"Policy"}},
			"KMS ListGrants": {Members: []string{"Grants"}}, "KMS ListResourceTags": {Members: []string{"Tags"}}, "KMS CancelKeyDeletion": {Members: []string{"KeyId"}},
		},
		ConfigRules: []string{"CMK_BACKING_KEY_ROTATION_ENABLED", "KMS_CMK_NOT_SCHEDULED_FOR_DELETION", "KMS_KEY_POLICY_NO_PUBLIC_ACCESS"},
	}.Wire()
}

func api(r *cloud.Reading) *kms.Client {
	return cloud.Service(r, "kms", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *kms.Client { return kms.NewFromConfig(cfg) })
}

func list(ctx context.Context, r *cloud.Reading, token *string) (ids []string, next *string, err error) {
	out, err := api(r).ListKeys(ctx, &kms.ListKeysInput{Marker: token})
	if err == nil && out.Truncated && aws.ToString(out.NextMarker) == "" {
		err = cloud.Foreign("there is more, and it does not say where")
	}
	if err != nil {
		return nil, nil, err
	}
	for _, k := range out.Keys {
		ids = append(ids, aws.ToString(k.KeyId))
	}
	if out.Truncated {
		next = out.NextMarker
	}
	return ids, next, nil
}

// unread: of a key that could not be described, nothing counts.
func unread(k *key.Key, part string) {
	switch part {
	case key.PartKey:
		*k = key.Key{Config: k.Config, Grants: k.Grants}
	case key.PartRotation:
		k.Rotation = nil
	case key.PartGrants:
		k.Grants = nil
	}
}

func readPolicy(ctx context.Context, r *cloud.Reading, id string) (string, error) {
	out, err := api(r).GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: aws.String(id), PolicyName: aws.String("default")})
	if err == nil && aws.ToString(out.Policy) == "" {
		err = cloud.Foreign("every key has a policy")
	}
	if err != nil {
		return "", err
	}
	return *out.Policy, nil
}

func readTags(ctx context.Context, r *cloud.Reading, id string) (map[string]string, error) {
	tags := map[string]string{}
	for in := (&kms.ListResourceTagsInput{KeyId: aws.String(id)}); ; {
		out, err := api(r).ListResourceTags(ctx, in)
		if err == nil && out.Truncated && aws.ToString(out.NextMarker) == aws.ToString(in.Marker) {
			err = cloud.Foreign("there is more, and it does not say where")
		}
		if err != nil {
			return nil, err
		}
		for _, t := range out.Tags {
			tags[aws.ToString(t.TagKey)] = aws.ToString(t.TagValue)
		}
		if in.Marker = out.NextMarker; !out.Truncated {
			return tags, nil
		}
	}
}

// readGrants keeps the grants to other accounts; those of AWS's own services stand in
// the key's account.
func readGrants(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	k := x.Config.(*key.Key)
	for in := (&kms.ListGrantsInput{KeyId: aws.String(x.ID)}); ; {
		out, err := api(r).ListGrants(ctx, in)
		if err == nil && out.Truncated && aws.ToString(out.NextMarker) == aws.ToString(in.Marker) {
			err = cloud.Foreign("there is more, and it does not say where")
		}
		if err != nil {
			return err
		}
		for _, g := range out.Grants {
			grantee := dera.ARN(aws.ToString(g.GranteePrincipal))
			if grantee.Account() == "" || grantee.Account() == r.Scope.Account {
				continue
			}
			grant := key.Grant{ID: aws.ToString(g.GrantId), Grantee: string(grantee)}
			for _, o := range g.Operations {
				grant.Operations = append(grant.Operations, string(o))
			}
			k.Grants = append(k.Grants, grant)
		}
		if in.Marker = out.NextMarker; !out.Truncated {
			slices.SortFunc(k.Grants, func(a, b key.Grant) int { return strings.Compare(a.ID, b.ID) })
			return nil
		}
	}
}

// put leaves KMS's check on that the caller may put a policy again.
func put(ctx context.Context, w *cloud.Writing, id, text string) error {
	_, err := kms.NewFromConfig(w.Config).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: aws.String(id), PolicyName: aws.String("default"), Policy: aws.String(text)})
	return err
}

func cancel(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err == nil {
		_, err = kms.NewFromConfig(w.Config).CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: aws.String(in.Resource)})
	}
	return err
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
		Config: x.Config.(*key.Key).Config, Grants: x.Config.(*key.Key).Grants, Manager: string(m.KeyManager), State: string(m.KeyState), Spec: string(m.KeySpec), Usage: string(m.KeyUsage), Origin: string(m.Origin),
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
