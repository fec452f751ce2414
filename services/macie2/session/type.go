// Package session is Macie in a region: whether it is enabled, and runs.
package session

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name. The ID is the region.
const Name = "AWS::Macie::Session"

// Update is the write of all settings, by its IAM action. Macie is never disabled: with it
// go its settings and findings.
const Update = "macie2:UpdateMacieSession"

// PartSession is all of it.
const PartSession = "session"

// Off is the status of a region in which Macie is not enabled.
const Off = "OFF"

// Session is Macie in a region.
type Session struct {
	Region string `json:"region"`
	// Status is ENABLED, PAUSED or Off; nil where it could not be read.
	Status *string `json:"status"`
}

// ARNOf names the session of a region. AWS gives it no ARN; this one is in the form of those
// that AWS gives.
func ARNOf(partition, account, region, _ string) dera.ARN {
	return dera.NewARN(partition, "macie2", region, account, "session/"+region)
}

// Type is sessions: one resource for each account and region.
func Type() resource.Type {
	return resource.Define(resource.Spec[Session]{
		Name: Name, ARN: ARNOf, SampleIDs: []string{"eu-west-1", "us-east-2", "ap-south-1"},
		Identify: func(s *Session) (id, name string, tags map[string]string) { return s.Region, "Macie", nil },
		Parts:    []resource.Part{{Name: PartSession, Action: "macie2:GetMacieSession", Cheap: true}},
		Settings: []resource.Setting{{
			Path: "status", Says: "Macie", Operation: Update, Order: []any{"PAUSED", "ENABLED"}, Terraform: "aws_macie2_account.status", CloudFormation: "Status",
			Denies: func(dera.Plan) []resource.Bounds { return nil }, // Macie only reads
		}},
		Events: cloudtrail.Events{
			Type: Name,
			Calls: cloudtrail.Calls("macie2.amazonaws.com", func(c cloudtrail.Call) []dera.Scope { return c.Sweep(Name) },
				"EnableMacie", "DisableMacie", "UpdateMacieSession", "UpdateMemberSession", "DisassociateFromAdministratorAccount", "DisassociateMember", "DeleteMember"),
		},
		Note: "Macie charges by buckets and by what it looks at in them.",
	})
}

// Controls are the controls on sessions.
func Controls() []control.Control { return []control.Control{Paused(), Disabled()} }

func refs() []control.Ref {
	return []control.Ref{
		{Standard: "Security Hub", ID: "Macie.1", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/macie-controls.html"},
		{Standard: "MITRE ATT&CK", ID: "T1562.001", URL: "https://attack.mitre.org/techniques/T1562/001/"},
	}
}
