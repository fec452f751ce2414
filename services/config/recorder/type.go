// Package recorder is the customer's own configuration recorder of AWS Config in a region,
// whether there is one or not: its configuration, settings, events and controls. Recorders
// of AWS services, such as Security Hub's, are none of it.
package recorder

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name. The ID is the region: there is one recorder at most.
const Name = "AWS::Config::ConfigurationRecorder"

// The writes, by their IAM actions.
const (
	Start = "config:StartConfigurationRecorder"
	Stop  = "config:StopConfigurationRecorder"
)

// The parts.
const (
	PartRecorder = "recorder"
	PartStatus   = "status"
	PartChannel  = "delivery channel"
)

// Recorder is the recorder of a region. A nil member could not be read, or belongs to a
// recorder that there is not.
type Recorder struct {
	Region string `json:"region"`
	// Name is empty where there is no recorder.
	Name string `json:"name,omitempty"`
	Role string `json:"role,omitempty"`
	// All says that it records all types that AWS Config supports, now and later, but for
	// those Excluded; else it records those of Types.
	All       *bool    `json:"all_supported"`
	Global    bool     `json:"global_types,omitempty"` // IAM's too
	Types     []string `json:"types,omitempty"`
	Excluded  []string `json:"excluded,omitempty"`
	Frequency string   `json:"frequency,omitempty"` // CONTINUOUS or DAILY
	Recording *bool    `json:"recording"`
	// Failing is the code of the error with which the recorder stopped delivering; empty for
	// none, nil where it could not be read.
	Failing *string `json:"failing"`
	// Channel is whether there is a delivery channel, without which no recorder starts.
	Channel *bool `json:"channel"`
}

// ARNOf names the recorder of a region. That of AWS has a random ID, and none where there is
// no recorder; this one has its form.
func ARNOf(partition, account, _, region string) dera.ARN {
	return dera.NewARN(partition, "config", region, account, "configuration-recorder/"+region)
}

// absent says that there is no recorder, or nothing.
func (r *Recorder) absent() string {
	if r.Name == "" {
		return "there is no recorder"
	}
	return ""
}

// Type is recorders: one resource for each account and region.
func Type() resource.Type {
	return resource.Define(resource.Spec[Recorder]{
		Name: Name, ARN: ARNOf, SampleIDs: []string{"eu-west-1", "us-east-2", "ap-south-1"},
		Identify: func(r *Recorder) (id, name string, tags map[string]string) { return r.Region, "Config", nil },
		Parts: []resource.Part{
			{Name: PartRecorder, Action: "config:DescribeConfigurationRecorders", Cheap: true},
			{Name: PartStatus, Action: "config:DescribeConfigurationRecorderStatus", Cheap: true},
			{Name: PartChannel, Action: "config:DescribeDeliveryChannels", Cheap: true, Around: true},
		},
		Around: []string{"failing", "channel"},
		Settings: []resource.Setting{{
			Path: "recording", Says: "recording", Operation: Start, Off: Stop, Order: []any{false, true}, Terraform: "aws_config_configuration_recorder_status.is_enabled",
			Denies: func(dera.Plan) []resource.Bounds { return nil }, // a recorder is in nobody's way
		}},
		Events: Events(),
		Note:   "AWS Config charges for each configuration item that it records.",
	})
}

// Events are the calls after which the recorder of a region may be different. None names the
// region: it is where the call was made.
func Events() cloudtrail.Events {
	return cloudtrail.Events{
		Type: Name,
		Calls: cloudtrail.Calls("config.amazonaws.com", func(c cloudtrail.Call) []dera.Scope { return c.Sweep(Name) },
			"PutConfigurationRecorder", "DeleteConfigurationRecorder", "StartConfigurationRecorder", "StopConfigurationRecorder", "PutDeliveryChannel", "DeleteDeliveryChannel"),
	}
}

// Controls are the controls on recorders.
func Controls() []control.Control {
	return []control.Control{Stopped(), Missing(), Narrowed(), DeliveryBroken()}
}

// refs are the rules that a control is about.
func refs() []control.Ref {
	return []control.Ref{
		{Standard: "CIS AWS Foundations 5.0.0", ID: "3.3", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
		{Standard: "CIS AWS Foundations 7.0.0", ID: "4.3", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
		{Standard: "Security Hub", ID: "Config.1", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/config-controls.html"},
		{Standard: "MITRE ATT&CK", ID: "T1562.008", URL: "https://attack.mitre.org/techniques/T1562/008/"},
	}
}
