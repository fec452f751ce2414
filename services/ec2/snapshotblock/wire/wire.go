// Package wire reads and writes the block of public access to EBS snapshots.
package wire

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
	"dera.example/dera/control/regional"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/snapshotblock"
	shared "dera.example/dera/services/ec2/wire"
)

// Wire returns how the block is read and written: two calls a region.
func Wire() cloud.Wire {
	k := snapshotblock.Kind()
	w := shared.Regional(k, cloud.Reader{Parts: []string{regional.PartState}, Call: k.Reads[0], One: read}, cloud.Reader{Parts: []string{regional.PartUses}, Call: "ec2:DescribeSnapshots", One: readPublic})
	w.Do = map[string]func(context.Context, *cloud.Writing) error{snapshotblock.Enable: enable, snapshotblock.Disable: disable}
	w.ConfigRules = []string{"EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS"}
	return w
}

func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).GetSnapshotBlockPublicAccessState(ctx, &ec2.GetSnapshotBlockPublicAccessStateInput{})
	if err != nil {
		return err
	}
	return shared.SetState(x, string(out.State), string(out.ManagedBy))
}

// readPublic names the snapshots that are public, those of one page.
func readPublic(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, RestorableByUserIds: []string{"all"}, MaxResults: aws.Int32(100)})
	if err == nil && out.Snapshots == nil {
		err = cloud.Foreign("it has no list of snapshots")
	}
	if err != nil {
		return err
	}
	c := x.Config.(*regional.Setting)
	c.UsesRead = true
	for _, s := range out.Snapshots {
		if aws.ToString(s.OwnerId) == r.Scope.Account {
			c.Uses = append(c.Uses, aws.ToString(s.SnapshotId))
		}
	}
	if aws.ToString(out.NextToken) != "" {
		c.Uses = append(c.Uses, "and more")
	}
	return nil
}

func enable(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err != nil {
		return err
	}
	var state types.SnapshotBlockPublicAccessState
	if err := json.Unmarshal(in.Value, &state); err != nil {
		return w.Fail(snapshotblock.Enable, fmt.Errorf("the state: %w", err))
	}
	_, err = ec2.NewFromConfig(w.Config).EnableSnapshotBlockPublicAccess(ctx, &ec2.EnableSnapshotBlockPublicAccessInput{State: state, DryRun: aws.Bool(w.Dry)})
	return err
}

func disable(ctx context.Context, w *cloud.Writing) error {
	_, err := ec2.NewFromConfig(w.Config).DisableSnapshotBlockPublicAccess(ctx, &ec2.DisableSnapshotBlockPublicAccessInput{DryRun: aws.Bool(w.Dry)})
	return err
}
