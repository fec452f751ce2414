// Package wire reads what records an account on CloudTrail.
package wire

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/services/cloudtrail/account"
	shared "dera.example/dera/services/cloudtrail/wire"
)

// Wire returns how the trails of an account are read.
func Wire() cloud.Wire {
	return cloud.Wire{
		Type: account.Name, Parts: account.Type().Parts, Find: find,
		Readers:     []cloud.Reader{{Parts: []string{account.PartTrails}, Call: "cloudtrail:DescribeTrails", One: read}},
		Answers:     shared.Answers(),
		ConfigRules: []string{"MULTI_REGION_CLOUD_TRAIL_ENABLED"},
	}
}

// find: an account has it once, under its own ID.
func find(_ context.Context, r *cloud.Reading) (cloud.Found, error) {
	own := r.Scope.Account
	return cloud.Only(r, own, "CloudTrail", account.ARNOf(cloud.PartitionOf(r.Scope), own, "", ""), &account.Account{ID: own}), nil
}

// read asks one region, which knows the trails of all regions, and each trail where it is at
// home, until one is known to record the account. What may not be read of a trail, as of
// the organization's, is not known.
func read(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	list, err := shared.Trails(ctx, r, r.Home(), true)
	if err != nil {
		return err
	}
	a := x.Config.(*account.Account)
	for _, t := range list {
		if !aws.ToBool(t.IsMultiRegionTrail) {
			continue
		}
		home, arn := aws.ToString(t.HomeRegion), aws.ToString(t.TrailARN)
		seen := account.Trail{ARN: arn}
		status, err := shared.Client(r, home).GetTrailStatus(ctx, &sdk.GetTrailStatusInput{Name: &arn})
		if err = failed(r, arn, "cloudtrail:GetTrailStatus", err); err != nil {
			return err
		}
		if status != nil {
			seen.Logging = status.IsLogging
		}
		seen.Selectors, err = shared.Selectors(ctx, r, home, arn)
		if err = failed(r, arn, "cloudtrail:GetEventSelectors", err); err != nil {
			return err
		}
		if a.Trails = append(a.Trails, seen); sure(seen) {
			return nil
		}
	}
	return nil
}

func sure(t account.Trail) bool {
	yes, _ := t.Records()
	return yes
}

// failed is the error of a call on a trail, but for one that dera may not make. Of the trail of
// another account, as of the organization's, CloudTrail also says that it knows none.
func failed(r *cloud.Reading, trail, call string, err error) error {
	if err == nil {
		return nil
	}
	arn := dera.ARN(trail)
	var e *cloud.Error
	err = r.FailAt(arn.Region(), call, err)
	if cloud.Is(err, cloud.Denied) || arn.Account() != r.Scope.Account && errors.As(err, &e) && e.Refused() && !e.Passing() {
		return nil
	}
	return err
}
