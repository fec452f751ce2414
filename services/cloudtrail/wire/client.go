// Package wire is what the wires of CloudTrail's resource types share: the client, the
// shapes of answers, and how trails are listed and their selectors read.
package wire

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/services/cloudtrail"
)

// Client returns the reading client of the scope's account and a region.
func Client(r *cloud.Reading, region string) *sdk.Client {
	return cloud.Service(r, "cloudtrail", r.Scope.Account, region, func(cfg aws.Config) *sdk.Client { return sdk.NewFromConfig(cfg) })
}

// Answers are the shapes of CloudTrail's answers.
func Answers() map[string]cloud.Shape {
	return map[string]cloud.Shape{
		"CloudTrail DescribeTrails": {Members: []string{"trailList"}}, "CloudTrail GetTrailStatus": {Members: []string{"IsLogging"}},
		"CloudTrail GetEventSelectors": {Members: []string{"TrailARN"}},
	}
}

// Trails lists the trails of a region: those that were made there, or with shadows also
// the copies of others. There is one page.
func Trails(ctx context.Context, r *cloud.Reading, region string, shadows bool) ([]types.Trail, error) {
	out, err := Client(r, region).DescribeTrails(ctx, &sdk.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(shadows)})
	if err != nil {
		return nil, r.FailAt(region, "cloudtrail:DescribeTrails", err)
	}
	for _, t := range out.TrailList {
		arn := dera.ARN(aws.ToString(t.TrailARN))
		if aws.ToString(t.Name) == "" || arn.Service() != "cloudtrail" || arn.Account() == "" || arn.Region() != aws.ToString(t.HomeRegion) {
			return nil, r.FailAt(region, "cloudtrail:DescribeTrails", cloud.Foreign("it does not say whose the trail %.140q is", string(arn)))
		}
	}
	return out.TrailList, nil
}

// Selectors reads which events a trail records, where it is at home. Without a word on
// selectors it has those of every trail for which nobody set any.
func Selectors(ctx context.Context, r *cloud.Reading, home, trail string) (*cloudtrail.Selectors, error) {
	out, err := Client(r, home).GetEventSelectors(ctx, &sdk.GetEventSelectorsInput{TrailName: aws.String(trail)})
	if err != nil {
		return nil, err
	}
	s := of(out)
	switch {
	case len(s.Basic) > 0 && len(s.Advanced) > 0:
		return nil, cloud.Foreign("it has basic and advanced selectors")
	case len(s.Basic)+len(s.Advanced) == 0:
		return cloudtrail.Default(), nil
	}
	s = s.Sorted()
	return &s, nil
}

func of(out *sdk.GetEventSelectorsOutput) (s cloudtrail.Selectors) {
	for _, b := range out.EventSelectors {
		// What is left out is the default of the API.
		basic := cloudtrail.Basic{ReadWrite: string(b.ReadWriteType), Management: b.IncludeManagementEvents == nil || *b.IncludeManagementEvents, Exclude: slices.Concat(b.ExcludeManagementEventSources)}
		if basic.ReadWrite == "" {
			basic.ReadWrite = string(types.ReadWriteTypeAll)
		}
		for _, d := range b.DataResources {
			basic.Data = append(basic.Data, cloudtrail.Data{Type: aws.ToString(d.Type), Values: d.Values})
		}
		s.Basic = append(s.Basic, basic)
	}
	for _, a := range out.AdvancedEventSelectors {
		advanced := cloudtrail.Advanced{Name: aws.ToString(a.Name)}
		for _, f := range a.FieldSelectors {
			advanced.Fields = append(advanced.Fields, cloudtrail.Field{
				Field: aws.ToString(f.Field), Equals: f.Equals, StartsWith: f.StartsWith, EndsWith: f.EndsWith,
				NotEquals: f.NotEquals, NotStartsWith: f.NotStartsWith, NotEndsWith: f.NotEndsWith,
			})
		}
		s.Advanced = append(s.Advanced, advanced)
	}
	return s
}

// Input is the request after which a trail records what the selectors say: the basic ones
// or the advanced ones, which take the place of all that there were.
func Input(trail string, s cloudtrail.Selectors) *sdk.PutEventSelectorsInput {
	in := &sdk.PutEventSelectorsInput{TrailName: aws.String(trail)}
	for _, b := range s.Basic {
		basic := types.EventSelector{ReadWriteType: types.ReadWriteType(b.ReadWrite), IncludeManagementEvents: aws.Bool(b.Management), ExcludeManagementEventSources: b.Exclude}
		for _, d := range b.Data {
			basic.DataResources = append(basic.DataResources, types.DataResource{Type: aws.String(d.Type), Values: d.Values})
		}
		in.EventSelectors = append(in.EventSelectors, basic)
	}
	for _, a := range s.Advanced {
		advanced := types.AdvancedEventSelector{}
		if a.Name != "" {
			advanced.Name = aws.String(a.Name)
		}
		for _, f := range a.Fields {
			advanced.FieldSelectors = append(advanced.FieldSelectors, types.AdvancedFieldSelector{
				Field: aws.String(f.Field), Equals: f.Equals, StartsWith: f.StartsWith, EndsWith: f.EndsWith,
				NotEquals: f.NotEquals, NotStartsWith: f.NotStartsWith, NotEndsWith: f.NotEndsWith,
			})
		}
		in.AdvancedEventSelectors = append(in.AdvancedEventSelectors, advanced)
	}
	return in
}

// Expires is after how many days a rule of a bucket deletes log files of a trail with the
// prefix, where it does. Log files have no tags.
func Expires(rule s3types.LifecycleRule, prefix string) (days int, ok bool) {
	if rule.Status != s3types.ExpirationStatusEnabled || rule.Expiration == nil || aws.ToInt32(rule.Expiration.Days) == 0 {
		return 0, false
	}
	//lint:ignore SA1019 rules from before there were filters have it
	under := aws.ToString(rule.Prefix)
	if f := rule.Filter; f != nil {
		under += aws.ToString(f.Prefix)
		if f.And != nil {
			under += aws.ToString(f.And.Prefix)
		}
		if f.Tag != nil || f.And != nil && len(f.And.Tags) > 0 {
			return 0, false
		}
	}
	logs := "AWSLogs/"
	if prefix != "" {
		logs = strings.TrimSuffix(prefix, "/") + "/" + logs
	}
	return int(*rule.Expiration.Days), strings.HasPrefix(logs, under) || strings.HasPrefix(under, logs)
}
