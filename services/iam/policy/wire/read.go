package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera/cloud"
	iamwire "dera.example/dera/services/iam/wire"
)

// readPolicy reads a policy with the version in force.
func readPolicy(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	p, err := iamwire.Policy(ctx, r, string(x.ARN))
	if err != nil {
		return err
	}
	v, err := iamwire.Version(ctx, r, string(x.ARN), *p.DefaultVersionId)
	if err != nil {
		return err
	}
	c := config(x)
	c.ID, c.Created, c.Default = aws.ToString(p.PolicyId), iamwire.Time(p.CreateDate), versionOf(v)
	return nil
}

// readTags reads the tags, which no listing tells.
func readTags(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	p, err := iamwire.Policy(ctx, r, string(x.ARN))
	if err != nil {
		return err
	}
	config(x).Tags = iamwire.Tags(p.Tags)
	x.Tags = config(x).Tags
	return nil
}

// versions lists the versions of a policy, without what they say.
func versions(ctx context.Context, r *cloud.Reading, arn string) (out []types.PolicyVersion, err error) {
	err = cloud.List(r, cloud.Listing[*iam.ListPolicyVersionsOutput, types.PolicyVersion]{
		Call: "iam:ListPolicyVersions", Of: "versions",
		Page: func(token *string) (*iam.ListPolicyVersionsOutput, error) {
			return iamwire.IAM(r).ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: aws.String(arn), Marker: token})
		},
		On: func(p *iam.ListPolicyVersionsOutput) ([]types.PolicyVersion, *string) { return p.Versions, p.Marker },
	}, func(v types.PolicyVersion) error {
		out = append(out, v)
		return nil
	})
	return out, err
}

// readVersions reads the versions that are not in force. Where the listing has another
// one in force than the policy, it changed meanwhile.
func readVersions(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	p, err := iamwire.Policy(ctx, r, string(x.ARN))
	if err != nil {
		return err
	}
	list, err := versions(ctx, r, string(x.ARN))
	if err != nil {
		return err
	}
	c := config(x)
	inForce := ""
	for _, v := range list {
		id := aws.ToString(v.VersionId)
		if v.IsDefaultVersion {
			inForce = id
			continue
		}
		got, err := iamwire.Version(ctx, r, string(x.ARN), id)
		if err != nil {
			return err
		}
		c.Others = append(c.Others, versionOf(got))
	}
	if inForce != *p.DefaultVersionId {
		return cloud.Foreign("version %.20q is in force, and %.20q was a moment before", inForce, *p.DefaultVersionId)
	}
	c.Sort()
	return nil
}
