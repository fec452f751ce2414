// Package wire reads and writes with whom machine images are shared.
package wire

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/control/sharing"
	"dera.example/dera/services/ec2/image"
	shared "dera.example/dera/services/ec2/wire"
)

const pageSize = 100 // the list of each is one call more

// Wire returns how images are read and written: a page of a sweep costs one call, and each
// image on it one more for its launch permissions.
func Wire() cloud.Wire {
	t := image.Type()
	o := cloud.Owning{Call: "ec2:DescribeImages", Page: page, ARN: t.ARN, Absent: []string{"InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "InvalidAMIID.Unavailable"}}
	return cloud.Wire{
		Type: image.Name, Parts: t.Parts, Operations: t.Operations, Find: o.Find, Sample: o.Sample, Gone: o.Gone, AtOnce: 8, Times: 15,
		Readers: []cloud.Reader{{Parts: []string{sharing.Part}, Call: "ec2:DescribeImageAttribute", One: readList}},
		Do:      map[string]func(context.Context, *cloud.Writing) error{image.Modify: modify},
		Try: func(id string) ([]dera.Change, error) {
			return image.Kind().Remove(&sharing.Shared{ID: id, With: []string{sharing.All}}, []string{sharing.All})
		},
		Answers: shared.Answers(),
	}
}

// page asks for a page of the account's own images, or for one by its ID. A disabled image is
// nobody's but the owner's, and EC2 lists it only where it is asked to.
func page(ctx context.Context, r *cloud.Reading, id string, token *string) ([]cloud.Owned, *string, error) {
	in := &ec2.DescribeImagesInput{Owners: []string{"self"}, MaxResults: aws.Int32(pageSize), NextToken: token, IncludeDeprecated: aws.Bool(true)}
	if id != "" {
		in = &ec2.DescribeImagesInput{ImageIds: []string{id}, IncludeDeprecated: aws.Bool(true), IncludeDisabled: aws.Bool(true)}
	}
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).DescribeImages(ctx, in)
	if err != nil || out.Images == nil {
		return nil, nil, err
	}
	list := []cloud.Owned{}
	for _, i := range out.Images {
		id, name, tags := aws.ToString(i.ImageId), aws.ToString(i.Name), shared.Tags(i.Tags)
		list = append(list, cloud.Owned{ID: id, Name: name, Owner: aws.ToString(i.OwnerId), Tags: tags, Config: &sharing.Shared{ID: id, Name: name, Tags: tags}})
	}
	return list, out.NextToken, nil
}

func readList(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.EC2(r, r.Scope.Account, r.Scope.Region).DescribeImageAttribute(ctx, &ec2.DescribeImageAttributeInput{
		ImageId: aws.String(x.ID), Attribute: types.ImageAttributeNameLaunchPermission,
	})
	if err == nil && (aws.ToString(out.ImageId) != x.ID || out.LaunchPermissions == nil) {
		err = cloud.Foreign("it does not say with whom %.40q is shared", x.ID)
	}
	if err != nil {
		return err
	}
	var members []string
	for _, p := range out.LaunchPermissions {
		members = append(members, string(p.Group)+aws.ToString(p.UserId)+aws.ToString(p.OrganizationArn)+aws.ToString(p.OrganizationalUnitArn))
	}
	x.Config.(*sharing.Shared).With, err = sharing.Sorted(members)
	return err
}

// modify names the members that come and go, and no other.
func modify(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[sharing.Members](w.Operation)
	if err != nil {
		return err
	}
	out := &ec2.ModifyImageAttributeInput{ImageId: aws.String(in.Resource), DryRun: aws.Bool(w.Dry), LaunchPermission: &types.LaunchPermissionModifications{}}
	for of, to := range map[*[]string]*[]types.LaunchPermission{&in.Add: &out.LaunchPermission.Add, &in.Remove: &out.LaunchPermission.Remove} {
		for _, m := range *of {
			p, err := permission(m)
			if err != nil {
				return w.Fail(image.Modify, err)
			}
			*to = append(*to, p)
		}
	}
	_, err = ec2.NewFromConfig(w.Config).ModifyImageAttribute(ctx, out)
	return err
}

func permission(member string) (p types.LaunchPermission, err error) {
	switch {
	case member == sharing.All:
		p.Group = types.PermissionGroupAll
	case strings.Contains(member, ":organization/"):
		p.OrganizationArn = aws.String(member)
	case strings.Contains(member, ":ou/"):
		p.OrganizationalUnitArn = aws.String(member)
	case len(member) == 12:
		p.UserId = aws.String(member)
	default:
		err = fmt.Errorf("%.80q is no member of launch permissions", member)
	}
	return p, err
}
