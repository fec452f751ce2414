// Package publicsharing is whether documents of Systems Manager may be shared with everybody
// in a region of an account: the setting, its events and controls.
package publicsharing

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/regional"
	"dera.example/dera/resource"
)

// Name is the type name. CloudFormation has no such type; this one is in the form of those
// that it has.
const Name = "AWS::SSM::DocumentPublicSharing"

// Update is the write, by its IAM action.
const Update = "ssm:UpdateServiceSetting"

// SettingID is the setting among those of Systems Manager.
const SettingID = "/ssm/documents/console/public-sharing-permission"

// The states, the least secure first.
const (
	Enable  = "Enable"
	Disable = "Disable"
)

// Kind is the setting.
//
// https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html#block-public-access
func Kind() regional.Kind {
	return regional.Kind{
		Name: Name, Service: "ssm", Resource: "servicesetting" + SettingID, Label: "SSM documents", Says: "public sharing of documents",
		Reads: []string{"ssm:GetServiceSetting"}, Set: Update, Order: []string{Enable, Disable}, Terraform: "aws_ssm_service_setting.setting_value",
		Source: "ssm.amazonaws.com", Calls: []string{"UpdateServiceSetting", "ResetServiceSetting"},
		Denies: []resource.Bounds{{Actions: []string{"ssm:ModifyDocumentPermission"}, Error: true, Why: "no document may be shared with everybody any more"}},
		Note:   "Documents that are shared with everybody stay so.",
	}
}

// Type is the setting: one resource for each account and region.
func Type() resource.Type { return Kind().Type() }

// Controls are the controls on the setting.
func Controls() []control.Control { return []control.Control{Allowed()} }

// Allowed finds regions in which documents can be shared with everybody.
func Allowed() control.Control {
	return Kind().Control(control.Meta{
		ID: "ssm-publicsharing-allowed", Title: "SSM documents can be shared with everybody", Severity: dera.Critical,
		Why:        "One call publishes a document with all that is written into it. The setting refuses it, whoever calls.",
		Fix:        "Public sharing of documents is switched off for the region. Documents that are public stay so, and sharing with accounts stays.",
		Complexity: "low",
		Cases: []control.Case{
			{When: "it is allowed", Disposition: dera.Review, Because: "nothing that works now depends on it but publishing the next document; the write is tested against AWS's model only"},
		},
		Refs: []control.Ref{
			{Standard: "Security Hub", ID: "SSM.7", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ssm-controls.html"},
			{Standard: "AWS Config", ID: "SSM_AUTOMATION_BLOCK_PUBLIC_SHARING", URL: "https://docs.aws.amazon.com/config/latest/developerguide/ssm-automation-block-public-sharing.html"},
		},
		Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}, regional.Always(dera.Review, "The write is tested against AWS's model only, so a person decides."))
}
