// Package wire reads and writes the block of public access to machine images.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
	"dera.example/dera/control/regional"
	"dera.example/dera/services/ec2/imageblock"
	shared "dera.example/dera/services/ec2/wire"
)

// Wire returns how the block is read and written: two calls a region.
func Wire() cloud.Wire {
	k := imageblock.Kind()
	w := shared.Regional(k, cloud.Reader{Parts: []string{regional.PartState}, Call: k.Reads[0], One: read}, cloud.Reader{Parts: []string{regional.PartUses}, Call: "ec2:DescribeImages", One: readPublic})
	w.Do = map[string]func(context.Context, *cloud.Writing) error{imageblock.Enable: enable, imageblock.Disable: disable}
	return w
}

func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).GetImageBlockPublicAccessState(ctx, &ec2.GetImageBlockPublicAccessStateInput{})
	if err != nil {
		return err
	}
	return shared.SetState(x, aws.ToString(out.ImageBlockPublicAccessState), string(out.ManagedBy))
}

// readPublic names the images that are public, those of one page.
func readPublic(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).DescribeImages(ctx, &ec2.DescribeImagesInput{Owners: []string{"self"}, ExecutableUsers: []string{"all"}, MaxResults: aws.Int32(100)})
	if err == nil && out.Images == nil {
		err = cloud.Foreign("it has no list of images")
	}
	if err != nil {
		return err
	}
	c := x.Config.(*regional.Setting)
	c.UsesRead = true
	for _, i := range out.Images {
		if aws.ToString(i.OwnerId) == r.Scope.Account {
			c.Uses = append(c.Uses, aws.ToString(i.ImageId))
		}
	}
	if aws.ToString(out.NextToken) != "" {
		c.Uses = append(c.Uses, "and more")
	}
	return nil
}

func enable(ctx context.Context, w *cloud.Writing) error {
	_, err := ec2.NewFromConfig(w.Config).EnableImageBlockPublicAccess(ctx, &ec2.EnableImageBlockPublicAccessInput{
		ImageBlockPublicAccessState: types.ImageBlockPublicAccessEnabledStateBlockNewSharing, DryRun: aws.Bool(w.Dry),
	})
	return err
}

func disable(ctx context.Context, w *cloud.Writing) error {
	_, err := ec2.NewFromConfig(w.Config).DisableImageBlockPublicAccess(ctx, &ec2.DisableImageBlockPublicAccessInput{DryRun: aws.Bool(w.Dry)})
	return err
}
