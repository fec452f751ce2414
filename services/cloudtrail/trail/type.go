// Package trail is CloudTrail trails of an account: their configuration, settings, events
// and controls. A trail is one resource, in its home region and in the account that
// owns it; its copies in other regions, and those of an organization's trail in the
// accounts of the members, are none.
package trail

import (
	"slices"
	"strings"

	"dera.example/dera"
	events "dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/cloudtrail"
)

// Name is the type name of trails.
const Name = "AWS::CloudTrail::Trail"

// The writes, by their IAM actions.
const (
	Start        = "cloudtrail:StartLogging"
	Stop         = "cloudtrail:StopLogging"
	Update       = "cloudtrail:UpdateTrail"
	PutSelectors = "cloudtrail:PutEventSelectors"
)

// The settings.
const (
	Logging      = "logging"
	Validation   = "log_file_validation"
	MultiRegion  = "multi_region"
	GlobalEvents = "global_service_events"
)

// The parts.
const (
	PartTrail     = "trail"
	PartStatus    = "status"
	PartSelectors = "event selectors"
	PartKey       = "state of the key"
	PartBucket    = "lifecycle of the bucket"
)

// Trail is a trail. A nil member is one that could not be read.
type Trail struct {
	ID           string `json:"id"`                     // its name
	Organization bool   `json:"organization,omitempty"` // of all accounts of the organization
	Bucket       string `json:"bucket"`
	Prefix       string `json:"prefix,omitempty"` // of the keys in the bucket
	Key          string `json:"key,omitempty"`    // ARN of the KMS key; none for S3's own encryption
	Topic        string `json:"topic,omitempty"`
	LogGroup     string `json:"log_group,omitempty"`
	MultiRegion  *bool  `json:"multi_region"`
	GlobalEvents *bool  `json:"global_service_events"`
	Validation   *bool  `json:"log_file_validation"`
	Logging      *bool  `json:"logging"`
	// Selectors are the events that it records.
	Selectors *cloudtrail.Selectors `json:"selectors"`
	// DeliveryError is what S3 answered to the latest delivery of events or of digests, as
	// CloudTrail tells it; empty for a success.
	DeliveryError *string `json:"delivery_error"`
	// LogGroupError is what CloudWatch Logs answered to the latest delivery to the trail's log
	// group, from the same read; empty for none, and where the trail has no log group.
	LogGroupError string `json:"log_group_error,omitempty"`
	// KeyState is that of the key; empty where there is none, nil where it is not known.
	KeyState *string `json:"key_state"`
	// Expires is after how many days the bucket deletes logs, 0 for never.
	Expires *int `json:"expires_days"`
	// BucketMissing is true where S3 says that there is no such bucket.
	BucketMissing bool `json:"bucket_missing,omitempty"`
}

// SelectorsInput is version 1 of the input of PutSelectors. Expect are the selectors that
// are replaced.
type SelectorsInput struct {
	Trail     string               `json:"trail"`
	Selectors cloudtrail.Selectors `json:"selectors"`
	Expect    cloudtrail.Selectors `json:"expect"`
}

// ARNOf names a trail.
func ARNOf(partition, account, region, id string) dera.ARN {
	return dera.NewARN(partition, "cloudtrail", region, account, "trail/"+id)
}

// Type is trails.
func Type() resource.Type {
	on := []any{false, true}
	none := func(dera.Plan) []resource.Bounds { return nil } // a trail is in nobody's way
	return resource.Define(resource.Spec[Trail]{
		Name: Name, ARN: ARNOf, SampleIDs: []string{"audit", "Org-Trail.1", "management_events"},
		Identify: func(t *Trail) (id, name string, tags map[string]string) { return t.ID, t.ID, nil },
		Parts: []resource.Part{
			{Name: PartTrail, Action: "cloudtrail:DescribeTrails", Cheap: true},
			{Name: PartStatus, Action: "cloudtrail:GetTrailStatus", Cheap: true},
			{Name: PartSelectors, Action: "cloudtrail:GetEventSelectors", Cheap: true},
			{Name: PartKey, Action: "kms:DescribeKey", Cheap: true, Around: true},
			{Name: PartBucket, Action: "s3:GetLifecycleConfiguration", Also: []string{"s3:GetBucketLocation"}, Absent: []string{"NoSuchLifecycleConfiguration"}, Cheap: true, Around: true},
		},
		Around: []string{"delivery_error", "log_group_error", "key_state", "expires_days", "bucket_missing"},
		Settings: []resource.Setting{
			{Path: Logging, Says: "logging", Operation: Start, Off: Stop, Order: on, Terraform: "aws_cloudtrail.enable_logging", CloudFormation: "IsLogging", Denies: none},
			{Path: Validation, Says: "validation of log files", Operation: Update, Order: on, Terraform: "aws_cloudtrail.enable_log_file_validation", CloudFormation: "EnableLogFileValidation", Denies: none},
			{Path: MultiRegion, Says: "recording in all regions", Operation: Update, Order: on, Terraform: "aws_cloudtrail.is_multi_region_trail", CloudFormation: "IsMultiRegionTrail", Denies: none},
			{Path: GlobalEvents, Says: "recording of global services", Operation: Update, Order: on, Terraform: "aws_cloudtrail.include_global_service_events", CloudFormation: "IncludeGlobalServiceEvents", Denies: none},
		},
		Operations: []resource.Operator[Trail]{resource.Op(resource.OpSpec[Trail, SelectorsInput]{
			OperationType: resource.OperationType{Name: PutSelectors, Whole: true, Rivals: []string{"PutEventSelectors"}, Denies: resource.DeniesNothing},
			Of:            func(in SelectorsInput) (string, error) { return in.Trail, nil },
			Apply:         func(t *Trail, in SelectorsInput) { t.Selectors = &in.Selectors },
		})},
		Events: Events(),
		Note:   "CloudTrail records what is called from now on; calls of the time before are in its event history for 90 days, management events alone.",
	})
}

// Record returns the change after which the trail records what the selectors say.
func (t *Trail) Record(to cloudtrail.Selectors) (dera.Change, error) {
	return resource.NewChange(PutSelectors, SelectorsInput{t.ID, to, *t.Selectors}, t.Selectors, to, PutSelectors, SelectorsInput{t.ID, *t.Selectors, to}, t.Selectors.Diff(to))
}

// Events are the calls after which a trail, its key or its bucket may be different. Of a
// bucket and of a key it is not told which trails have it: all are looked at.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Operations.html
func Events() events.Events {
	all := func(c events.Call) []dera.Scope { return c.Sweep(Name) }
	return events.Events{
		Type: Name,
		Calls: slices.Concat(
			events.Calls(cloudtrail.Source, ofCall, cloudtrail.Writes()...),
			events.Calls("kms.amazonaws.com", all, "DisableKey", "EnableKey", "ScheduleKeyDeletion", "CancelKeyDeletion"),
			events.Calls("logs.amazonaws.com", all, "DeleteLogGroup", "DeleteLogStream"),
			events.Calls("s3.amazonaws.com", all, "DeleteBucket", "PutBucketLifecycle", "DeleteBucketLifecycle"),
		),
		Config: []events.Configured{{Type: Name, Find: func(r events.Record, id string) []dera.Scope { return r.Scopes(Name, named(r, id)) }}},
	}
}

// ofCall finds the trail that a call names, by its name or its ARN.
func ofCall(c events.Call) []dera.Scope {
	text := c.Parameters.Text("name")
	if text == "" {
		text = c.Parameters.Text("trailName")
	}
	return c.Scopes(Name, named(c.Record, text))
}

// named is the name in a name or an ARN of a trail of the place; of one of another place,
// nothing.
func named(r events.Record, text string) []string {
	if arn := dera.ARN(text); strings.HasPrefix(text, "arn:") {
		if text = ""; arn.Service() == "cloudtrail" && arn.Account() == r.Account && arn.Region() == r.Region {
			text, _ = strings.CutPrefix(arn.Resource(), "trail/")
		}
	}
	if len(text) < 3 || len(text) > 128 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
		return nil
	}
	return []string{text}
}

// Controls are the controls on trails.
func Controls() []control.Control {
	return []control.Control{LoggingStopped(), EventsNarrowed(), ValidationOff(), SingleRegion(), NoGlobalEvents(), DeliveryBroken(), LogsExpireEarly()}
}
