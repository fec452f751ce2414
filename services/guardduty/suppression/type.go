// Package suppression is what keeps GuardDuty of a region silent: filters that archive what
// it finds, lists of addresses of which it finds nothing, and members that it lost.
package suppression

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name. CloudFormation has one for each filter and list; this is all of a
// region, whose ID it has.
const Name = "AWS::GuardDuty::Suppression"

// The parts.
const (
	PartFilters = "filters"
	PartLists   = "trusted lists"
	PartMembers = "members"
)

// Suppression is what keeps GuardDuty silent in a region. A nil list could not be read.
type Suppression struct {
	Region   string   `json:"region"`
	Detector string   `json:"detector,omitempty"` // empty where there is none
	Filters  []string `json:"filters"`            // names of those that archive
	Lists    []string `json:"trusted_lists"`      // names of those that are active
	// Lost are the members that it does not look at any more, by account, each with its
	// status; those that were removed from the list are none of them.
	Lost []string `json:"lost_members"`
}

// ARNOf names what keeps a region silent. AWS gives it no ARN; this one is in the form of
// those that AWS gives.
func ARNOf(partition, account, _, region string) dera.ARN {
	return dera.NewARN(partition, "guardduty", region, account, "suppression/"+region)
}

// Type is suppression: one resource for each account and region.
func Type() resource.Type {
	return resource.Define(resource.Spec[Suppression]{
		Name: Name, ARN: ARNOf, SampleIDs: []string{"eu-west-1", "us-east-2", "ap-south-1"},
		Identify: func(s *Suppression) (id, name string, tags map[string]string) { return s.Region, "GuardDuty", nil },
		Parts: []resource.Part{
			{Name: PartFilters, Action: "guardduty:ListFilters", Also: []string{"guardduty:GetFilter", "guardduty:ListDetectors"}, Cheap: true},
			{Name: PartLists, Action: "guardduty:ListIPSets", Also: []string{"guardduty:GetIPSet"}, Cheap: true},
			{Name: PartMembers, Action: "guardduty:ListMembers", Cheap: true},
		},
		Events: cloudtrail.Events{
			Type: Name,
			Calls: cloudtrail.Calls("guardduty.amazonaws.com", func(c cloudtrail.Call) []dera.Scope { return c.Sweep(Name) },
				"CreateFilter", "UpdateFilter", "DeleteFilter", "CreateIPSet", "UpdateIPSet", "DeleteIPSet", "DisassociateMembers", "StopMonitoringMembers", "DeleteMembers"),
		},
	})
}

// Controls are the controls on what keeps GuardDuty silent.
func Controls() []control.Control {
	return []control.Control{FindingsArchived(), TrustedAddresses(), MembersLost()}
}

func refs() []control.Ref {
	return []control.Ref{{Standard: "MITRE ATT&CK", ID: "T1562.001", URL: "https://attack.mitre.org/techniques/T1562/001/"}}
}

// absent says that there is no detector, or nothing.
func (s *Suppression) absent(control.Settings) string {
	if s.Detector == "" && s.Filters != nil {
		return "there is no detector"
	}
	return ""
}
