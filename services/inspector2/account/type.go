// Package account is Inspector in a region: what it scans.
package account

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name. CloudFormation has no such type; this one is in the form of those
// that it has. The ID is the region.
const Name = "AWS::InspectorV2::Account"

// PartStatus is all of it.
const PartStatus = "status"

// Account is Inspector in a region.
type Account struct {
	Region string `json:"region"`
	// Scans are what it can scan, each with its status, by Inspector's names: ec2, ecr,
	// lambda; nil where they could not be read.
	Scans map[string]string `json:"scans"`
}

// ARNOf names Inspector in a region. AWS gives it no ARN; this one is in the form of those
// that AWS gives.
func ARNOf(partition, account, region, _ string) dera.ARN {
	return dera.NewARN(partition, "inspector2", region, account, "account/"+region)
}

// Type is Inspector: one resource for each account and region.
func Type() resource.Type {
	return resource.Define(resource.Spec[Account]{
		Name: Name, ARN: ARNOf, SampleIDs: []string{"eu-west-1", "us-east-2", "ap-south-1"},
		Identify: func(a *Account) (id, name string, tags map[string]string) { return a.Region, "Inspector", nil },
		Parts:    []resource.Part{{Name: PartStatus, Action: "inspector2:BatchGetAccountStatus", Cheap: true}},
		Events: cloudtrail.Events{
			Type: Name,
			Calls: cloudtrail.Calls("inspector2.amazonaws.com", func(c cloudtrail.Call) []dera.Scope { return c.Sweep(Name) },
				"Enable", "Disable", "DisassociateMember"),
		},
	})
}

// Controls are the controls on Inspector.
func Controls() []control.Control { return []control.Control{Off()} }
