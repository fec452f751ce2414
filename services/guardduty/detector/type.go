// Package detector is GuardDuty in a region, whether there is a detector or not: its
// configuration, settings, events and controls.
package detector

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name. The ID is the region: there is one detector at most.
const Name = "AWS::GuardDuty::Detector"

// Update is the write of all settings, by its IAM action. Detectors are never deleted: with
// one go its findings.
const Update = "guardduty:UpdateDetector"

// The settings, beside those of the features.
const (
	Enabled   = "enabled"
	Frequency = "publishing_frequency"
)

// The parts.
const (
	PartDetectors     = "detectors"
	PartDetector      = "detector"
	PartAdministrator = "administrator"
)

// Detector is the detector of a region. A nil member could not be read, or belongs to a
// detector that there is not.
type Detector struct {
	Region    string  `json:"region"`
	ID        string  `json:"detector,omitempty"` // empty where there is none
	Enabled   *bool   `json:"enabled"`
	Frequency *string `json:"publishing_frequency"`
	// Features are the protection plans, by GuardDuty's names, each ENABLED or DISABLED.
	Features map[string]string `json:"features"`
	// Administrator is the account that administers this one, empty for none. Nobody else
	// may change the detector then.
	Administrator *string `json:"administrator"`
}

// ARNOf names the detector of a region. That of AWS has a random ID, and none where there is
// no detector; this one has its form.
func ARNOf(partition, account, _, region string) dera.ARN {
	return dera.NewARN(partition, "guardduty", region, account, "detector/"+region)
}

// plans are the protection plans that need nothing in the account but the switch, with the
// controls of Security Hub. Those that put agents on instances are none of them.
func plans() []string {
	return []string{"S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "EBS_MALWARE_PROTECTION", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS"}
}

// Type is detectors: one resource for each account and region.
func Type() resource.Type {
	none := func(dera.Plan) []resource.Bounds { return nil } // a detector is in nobody's way
	settings := []resource.Setting{
		{Path: Enabled, Says: "GuardDuty", Operation: Update, Order: []any{false, true}, Terraform: "aws_guardduty_detector.enable", CloudFormation: "Enable", Denies: none},
		{Path: Frequency, Says: "how often findings are published", Operation: Update, Order: []any{"SIX_HOURS", "ONE_HOUR", "FIFTEEN_MINUTES"}, Terraform: "aws_guardduty_detector.finding_publishing_frequency", CloudFormation: "FindingPublishingFrequency", Denies: none},
	}
	for _, name := range plans() {
		settings = append(settings, resource.Setting{Path: "features." + name, Says: "the protection plan " + name, Operation: Update, Order: []any{"DISABLED", "ENABLED"}, Denies: none})
	}
	return resource.Define(resource.Spec[Detector]{
		Name: Name, ARN: ARNOf, SampleIDs: []string{"eu-west-1", "us-east-2", "ap-south-1"},
		Identify: func(d *Detector) (id, name string, tags map[string]string) { return d.Region, "GuardDuty", nil },
		Parts: []resource.Part{
			{Name: PartDetectors, Action: "guardduty:ListDetectors", Cheap: true},
			{Name: PartDetector, Action: "guardduty:GetDetector", Cheap: true},
			{Name: PartAdministrator, Action: "guardduty:GetAdministratorAccount", Cheap: true, Around: true},
		},
		Around:   []string{"administrator"},
		Settings: settings,
		Events:   Events(),
		Note:     "GuardDuty charges by what it looks at.",
	})
}

// Events are the calls after which the detector of a region may be different. It is where
// the call was made.
//
// https://docs.aws.amazon.com/guardduty/latest/APIReference/API_Operations.html
func Events() cloudtrail.Events {
	return cloudtrail.Events{
		Type: Name,
		Calls: cloudtrail.Calls("guardduty.amazonaws.com", func(c cloudtrail.Call) []dera.Scope { return c.Sweep(Name) },
			"CreateDetector", "UpdateDetector", "DeleteDetector", "DisassociateFromAdministratorAccount", "DisassociateFromMasterAccount",
			"AcceptAdministratorInvitation", "StopMonitoringMembers", "DisassociateMembers", "DeleteMembers", "UpdateMemberDetectors"),
	}
}

// Controls are the controls on detectors.
func Controls() []control.Control {
	return []control.Control{Off(), Missing(), ProtectionOff(), SlowPublishing()}
}

// absent says that there is no detector, or nothing.
func (d *Detector) absent() string {
	if d.ID == "" {
		return "there is no detector"
	}
	return ""
}

// idle says that there is no detector that runs, or nothing.
func (d *Detector) idle() string {
	if d.Enabled != nil && !*d.Enabled {
		return "the detector does not run"
	}
	return d.absent()
}

// refusal: of a member, only the administrator changes the detector.
//
// https://docs.aws.amazon.com/guardduty/latest/ug/administrator_member_relationships.html
func (d *Detector) refusal() *control.Refusal {
	switch {
	case d.Administrator == nil:
		return &control.Refusal{Code: "administrator-unknown", Why: "whether another account administers this one is not known"}
	case *d.Administrator != "":
		return &control.Refusal{Code: "administrator", Why: "the account " + *d.Administrator + " administers GuardDuty of this one, and nobody else may change it"}
	}
	return nil
}

// refs are the rules that a control is about.
func refs(hub string) []control.Ref {
	return []control.Ref{
		{Standard: "Security Hub", ID: hub, URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/guardduty-controls.html"},
		{Standard: "MITRE ATT&CK", ID: "T1562.001", URL: "https://attack.mitre.org/techniques/T1562/001/"},
	}
}
