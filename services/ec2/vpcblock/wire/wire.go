// Package wire reads the block of public access to VPCs.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
	"dera.example/dera/control/regional"
	"dera.example/dera/services/ec2/vpcblock"
	shared "dera.example/dera/services/ec2/wire"
)

// Wire returns how the block is read: one call a region.
func Wire() cloud.Wire {
	k := vpcblock.Kind()
	return shared.Regional(k, cloud.Reader{Parts: []string{regional.PartState}, Call: k.Reads[0], One: read})
}

// read: a mode that is on its way to another is not known yet.
func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).DescribeVpcBlockPublicAccessOptions(ctx, &ec2.DescribeVpcBlockPublicAccessOptionsInput{})
	if err == nil && out.VpcBlockPublicAccessOptions == nil {
		err = cloud.Foreign("it has no options")
	}
	if err != nil {
		return err
	}
	o := out.VpcBlockPublicAccessOptions
	if o.State == types.VpcBlockPublicAccessStateUpdateInProgress {
		x.Doubt("its mode is changing")
	}
	return shared.SetState(x, string(o.InternetGatewayBlockMode), string(o.ManagedBy))
}
