// Package wire reads and writes with whom EBS snapshots are shared.
package wire

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/control/sharing"
	"dera.example/dera/services/ec2/snapshot"
	shared "dera.example/dera/services/ec2/wire"
)

const pageSize = 100 // the list of each is one call more

// Wire returns how snapshots are read and written: a page of a sweep costs one call, and each
// snapshot on it one more for its list, but for those that AWS lets nobody share.
func Wire() cloud.Wire {
	t := snapshot.Type()
	o := cloud.Owning{Call: "ec2:DescribeSnapshots", Page: page, ARN: t.ARN, Absent: []string{"InvalidSnapshot.NotFound", "InvalidSnapshotID.Malformed"}}
	return cloud.Wire{
		Type: snapshot.Name, Parts: t.Parts, Operations: t.Operations, Find: o.Find, Sample: o.Sample, Gone: o.Gone, AtOnce: 8, Times: 15,
		Readers:     []cloud.Reader{{Parts: []string{sharing.Part}, Call: "ec2:DescribeSnapshotAttribute", One: readList}},
		Do:          map[string]func(context.Context, *cloud.Writing) error{snapshot.Modify: modify},
		Try:         try,
		Answers:     shared.Answers(),
		ConfigRules: []string{"EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK"},
	}
}

// page asks for a page of the account's own snapshots, or for one by its ID.
func page(ctx context.Context, r *cloud.Reading, id string, token *string) ([]cloud.Owned, *string, error) {
	in := &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, MaxResults: aws.Int32(pageSize), NextToken: token}
	if id != "" {
		in = &ec2.DescribeSnapshotsInput{SnapshotIds: []string{id}}
	}
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).DescribeSnapshots(ctx, in)
	if err != nil || out.Snapshots == nil {
		return nil, nil, err
	}
	list := []cloud.Owned{}
	for _, s := range out.Snapshots {
		if s.Encrypted == nil {
			return nil, nil, cloud.Foreign("it leaves out whether a snapshot is encrypted")
		}
		id, tags := aws.ToString(s.SnapshotId), shared.Tags(s.Tags)
		c := &sharing.Shared{ID: id, Of: aws.ToString(s.VolumeId), Encrypted: *s.Encrypted, Tags: tags}
		o := cloud.Owned{ID: id, Owner: aws.ToString(s.OwnerId), Tags: tags, Config: c}
		if key := aws.ToString(s.KmsKeyId); r.Scope.Sweep() && *s.Encrypted && key != "" && key == managedKey(ctx, r) {
			c.With, c.Fixed, o.Has = []string{}, "it is encrypted with the key that AWS manages, which no other account can use", []string{sharing.Part}
		}
		list = append(list, o)
	}
	return list, out.NextToken, nil
}

// managedKey is the ARN of the key that AWS manages for EBS, or "" where it is not known: AWS
// shares no snapshot that is encrypted with it. It stays the same as long as the account.
//
// https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html
func managedKey(ctx context.Context, r *cloud.Reading) string {
	account, region := r.Scope.Account, r.Scope.Region
	key, err := cloud.Once(r, "key of EBS in "+account+" "+region, func() (string, error) {
		return cloud.Remember(r, "key of EBS in "+account+" "+region, time.Hour, func() (string, error) {
			api := cloud.Service(r, "kms", account, region, func(cfg aws.Config) *kms.Client { return kms.NewFromConfig(cfg) })
			out, err := api.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/aws/ebs")})
			if err != nil || out.KeyMetadata == nil || out.KeyMetadata.KeyManager != kmstypes.KeyManagerTypeAws {
				return "", err
			}
			return aws.ToString(out.KeyMetadata.Arn), nil
		})
	})
	if err != nil {
		return "" // each list is read then
	}
	return key
}

func readList(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).DescribeSnapshotAttribute(ctx, &ec2.DescribeSnapshotAttributeInput{
		SnapshotId: aws.String(x.ID), Attribute: types.SnapshotAttributeNameCreateVolumePermission,
	})
	if err == nil && (aws.ToString(out.SnapshotId) != x.ID || out.CreateVolumePermissions == nil) {
		err = cloud.Foreign("it does not say with whom %.40q is shared", x.ID)
	}
	if err != nil {
		return err
	}
	var members []string
	for _, p := range out.CreateVolumePermissions {
		members = append(members, string(p.Group)+aws.ToString(p.UserId))
	}
	x.Config.(*sharing.Shared).With, err = sharing.Sorted(members)
	return err
}

// modify names the members that come or go and no other, so that everybody goes and accounts
// stay.
func modify(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[sharing.Members](w.Operation)
	if err != nil {
		return err
	}
	out := &ec2.ModifySnapshotAttributeInput{
		SnapshotId: aws.String(in.Resource), Attribute: types.SnapshotAttributeNameCreateVolumePermission, DryRun: aws.Bool(w.Dry),
		OperationType: types.OperationTypeAdd,
	}
	members := in.Add
	if len(in.Remove) > 0 {
		out.OperationType, members = types.OperationTypeRemove, in.Remove
	}
	if len(in.Add) > 0 && len(in.Remove) > 0 {
		return w.Fail(snapshot.Modify, errors.New("members come or go, not both in one call"))
	}
	for _, m := range members {
		if m == sharing.All {
			out.GroupNames = append(out.GroupNames, m)
		} else {
			out.UserIds = append(out.UserIds, m)
		}
	}
	_, err = ec2.NewFromConfig(w.Config).ModifySnapshotAttribute(ctx, out)
	return err
}

// try returns the change that makes a snapshot nobody's but the owner's; it is a dry run.
func try(id string) ([]dera.Change, error) {
	return snapshot.Kind().Remove(&sharing.Shared{ID: id, With: []string{sharing.All}}, []string{sharing.All})
}
