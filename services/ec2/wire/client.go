// Package wire is what the wires of EC2's resource types share: clients, the shape
// of answers, and the regions.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"dera.example/dera/cloud"
)

// EC2 returns the reading client of an account and region.
func EC2(r *cloud.Reading, account, region string) *ec2.Client {
	return cloud.Service(r, "ec2", account, region, func(cfg aws.Config) *ec2.Client { return ec2.NewFromConfig(cfg) })
}

// Answers are the shapes of EC2's answers.
func Answers() map[string]cloud.Shape {
	return map[string]cloud.Shape{"EC2": {Root: "*Response", Space: "http://ec2.amazonaws.com/doc/"}}
}

// Regions returns the regions that are switched on in the scope's account.
func Regions(ctx context.Context, r *cloud.Reading) ([]string, error) {
	out, err := EC2(r, r.Scope.Account, r.Scope.Region).DescribeRegions(ctx, &ec2.DescribeRegionsInput{})
	if err == nil && len(out.Regions) == 0 {
		err = cloud.Foreign("it has no regions")
	}
	if err != nil {
		return nil, r.Fail("ec2:DescribeRegions", err)
	}
	var regions []string
	for _, x := range out.Regions {
		regions = append(regions, aws.ToString(x.RegionName))
	}
	return regions, nil
}

// Tags are tags as a configuration has them; nil for none.
func Tags(list []types.Tag) map[string]string {
	if len(list) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, t := range list {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}
