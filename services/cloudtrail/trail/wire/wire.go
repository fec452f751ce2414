// Package wire reads and writes trails on CloudTrail, and reads the state of their keys and
// the lifecycle of their buckets.
package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services/cloudtrail/trail"
	shared "dera.example/dera/services/cloudtrail/wire"
	s3wire "dera.example/dera/services/s3/wire"
)

// Wire returns how trails are read and written.
func Wire() cloud.Wire {
	t := trail.Type()
	answers := shared.Answers()
	answers["KMS DescribeKey"] = cloud.Shape{Members: []string{"KeyMetadata"}}
	answers["S3 GetBucketLifecycleConfiguration"] = cloud.Shape{Root: "LifecycleConfiguration", Space: "http://s3.amazonaws.com/doc/"}
	return cloud.Wire{
		Type: trail.Name, Parts: t.Parts, Operations: t.Operations, Find: find, Sample: sample, Gone: gone, Unread: unread,
		Readers: []cloud.Reader{
			{Parts: []string{trail.PartStatus}, Call: "cloudtrail:GetTrailStatus", One: readStatus},
			{Parts: []string{trail.PartSelectors}, Call: "cloudtrail:GetEventSelectors", One: readSelectors},
			{Parts: []string{trail.PartKey}, Call: "kms:DescribeKey", One: readKey},
			{Parts: []string{trail.PartBucket}, Call: "s3:GetBucketLifecycleConfiguration", One: readBucket},
		},
		Do:          map[string]func(context.Context, *cloud.Writing) error{trail.Start: start, trail.Stop: stop, trail.Update: update, trail.PutSelectors: put},
		Actions:     map[string]string{"s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration"},
		Answers:     answers,
		ConfigRules: []string{"CLOUD_TRAIL_*", "CLOUDTRAIL_*"},
	}
}

// find returns the trails that were made in the region, of those the account's own: what
// shadows them in other regions, and in the accounts of an organization, is no trail.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, _ error) {
	list, err := shared.Trails(ctx, r, r.Scope.Region, false)
	if err != nil {
		return found, err
	}
	seen := map[string]bool{}
	for _, t := range list {
		id := aws.ToString(t.Name)
		arn := trail.ARNOf(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, id)
		if dera.ARN(aws.ToString(t.TrailARN)) != arn || !r.Scope.Sweep() && !slices.Contains(r.Scope.IDs, id) {
			continue
		}
		seen[id] = true
		x := cloud.NewItem(r, id, id, arn, &trail.Trail{
			ID: id, Organization: aws.ToBool(t.IsOrganizationTrail), Bucket: aws.ToString(t.S3BucketName), Prefix: aws.ToString(t.S3KeyPrefix), Key: aws.ToString(t.KmsKeyId),
			Topic: aws.ToString(t.SnsTopicARN), LogGroup: aws.ToString(t.CloudWatchLogsLogGroupArn),
			MultiRegion: t.IsMultiRegionTrail, GlobalEvents: t.IncludeGlobalServiceEvents, Validation: t.LogFileValidationEnabled,
		})
		found.Items = append(found.Items, x)
	}
	for _, id := range r.Scope.IDs {
		if !seen[id] {
			found.Missing = append(found.Missing, id)
		}
	}
	return found, nil
}

// sample returns the first trail of the region.
func sample(ctx context.Context, r *cloud.Reading) (string, error) {
	list, err := shared.Trails(ctx, r, r.Scope.Region, false)
	if err != nil || len(list) == 0 {
		return "", err
	}
	return aws.ToString(list[0].Name), nil
}

// gone: CloudTrail says itself that a trail is not there.
func gone(_ context.Context, _ *cloud.Reading, _ *cloud.Item, err error) bool {
	var absent *types.TrailNotFoundException
	return errors.As(err, &absent)
}

func unread(config any, part string) {
	switch t := config.(*trail.Trail); part {
	case trail.PartStatus:
		t.Logging, t.DeliveryError, t.LogGroupError = nil, nil, ""
	case trail.PartSelectors:
		t.Selectors = nil
	case trail.PartKey:
		t.KeyState = nil
	case trail.PartBucket:
		t.Expires, t.BucketMissing = nil, false
	}
}

func readStatus(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := shared.Client(r, r.Scope.Region).GetTrailStatus(ctx, &sdk.GetTrailStatusInput{Name: aws.String(string(x.ARN))})
	if err != nil {
		return err
	}
	t := x.Config.(*trail.Trail)
	failed := aws.ToString(out.LatestDeliveryError)
	if failed == "" {
		failed = aws.ToString(out.LatestDigestDeliveryError)
	}
	t.Logging, t.DeliveryError, t.LogGroupError = out.IsLogging, &failed, aws.ToString(out.LatestCloudWatchLogsDeliveryError)
	return nil
}

func readSelectors(ctx context.Context, r *cloud.Reading, x *cloud.Item) (err error) {
	x.Config.(*trail.Trail).Selectors, err = shared.Selectors(ctx, r, r.Scope.Region, string(x.ARN))
	return err
}

// readKey reads the state of the key, in the region of the key.
func readKey(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	t := x.Config.(*trail.Trail)
	if t.Key == "" {
		t.KeyState = aws.String("")
		return nil
	}
	region := dera.ARN(t.Key).Region()
	if region == "" {
		region = r.Scope.Region
	}
	api := cloud.Service(r, "kms", r.Scope.Account, region, func(cfg aws.Config) *kms.Client { return kms.NewFromConfig(cfg) })
	out, err := api.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(t.Key)})
	if err == nil && (out.KeyMetadata == nil || out.KeyMetadata.KeyState == "") {
		err = cloud.Foreign("it does not say the state of the key %.140q", t.Key)
	}
	if err != nil {
		return r.FailAt(region, "kms:DescribeKey", err)
	}
	t.KeyState = aws.String(string(out.KeyMetadata.KeyState))
	return nil
}

// readBucket reads after how many days the bucket deletes the log files of the trail: 0
// without a rule. That of another account is not told.
func readBucket(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	t := x.Config.(*trail.Trail)
	region, err := s3wire.Locate(ctx, r, t.Bucket)
	if err != nil {
		return err
	}
	if t.Expires, t.BucketMissing = aws.Int(0), region == ""; t.BucketMissing {
		return nil
	}
	out, err := s3wire.S3(r, r.Scope.Account, region).GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: aws.String(t.Bucket), ExpectedBucketOwner: aws.String(r.Scope.Account)})
	if err != nil {
		return r.FailAt(region, "s3:GetBucketLifecycleConfiguration", err)
	}
	days := 0
	for _, rule := range out.Rules {
		if n, ok := shared.Expires(rule, t.Prefix); ok && (days == 0 || n < days) {
			days = n
		}
	}
	t.Expires = &days
	return nil
}

// named reads the input of a setting, for a client that writes. Where a trail is at home,
// its name is enough.
func named(w *cloud.Writing) (*sdk.Client, resource.SettingInput, *string, error) {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	return sdk.NewFromConfig(w.Config), in, &in.Resource, err
}

func start(ctx context.Context, w *cloud.Writing) error {
	api, _, name, err := named(w)
	if err == nil {
		_, err = api.StartLogging(ctx, &sdk.StartLoggingInput{Name: name})
	}
	return err
}

func stop(ctx context.Context, w *cloud.Writing) error {
	api, _, name, err := named(w)
	if err == nil {
		_, err = api.StopLogging(ctx, &sdk.StopLoggingInput{Name: name})
	}
	return err
}

// update sends the one member that changes: what UpdateTrail is not sent stays.
func update(ctx context.Context, w *cloud.Writing) error {
	api, in, name, err := named(w)
	if err != nil {
		return err
	}
	var on bool
	if err := json.Unmarshal(in.Value, &on); err != nil {
		return w.Fail(w.Operation.Name, fmt.Errorf("%s is set to %.40q", in.Path, in.Value))
	}
	send := &sdk.UpdateTrailInput{Name: name}
	switch in.Path {
	case trail.Validation:
		send.EnableLogFileValidation = &on
	case trail.MultiRegion:
		send.IsMultiRegionTrail = &on
	case trail.GlobalEvents:
		send.IncludeGlobalServiceEvents = &on
	default:
		return w.Fail(w.Operation.Name, fmt.Errorf("%.40q is no setting of it", in.Path))
	}
	_, err = api.UpdateTrail(ctx, send)
	return err
}

// put replaces the selectors, those alone that the plan was made from.
func put(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[trail.SelectorsInput](w.Operation)
	if err != nil {
		return err
	}
	have, err := shared.Selectors(ctx, w.Reading, w.Plan.Region, string(w.Plan.Resource))
	if err != nil {
		return w.Fail("cloudtrail:GetEventSelectors", err)
	}
	a, errA := dera.CanonicalJSON(have)
	b, errB := dera.CanonicalJSON(in.Expect)
	if errA != nil || errB != nil || string(a) != string(b) {
		return cloud.ErrMoved
	}
	_, err = sdk.NewFromConfig(w.Config).PutEventSelectors(ctx, shared.Input(in.Trail, in.Selectors))
	return err
}
