// Package hub is Security Hub in a region: whether it is enabled.
package hub

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name. The ID is the region.
const Name = "AWS::SecurityHub::Hub"

// PartHub is all of it.
const PartHub = "hub"

// Hub is Security Hub in a region.
type Hub struct {
	Region  string `json:"region"`
	Enabled *bool  `json:"enabled"`
}

// ARNOf is the ARN of the hub of a region.
func ARNOf(partition, account, region, _ string) dera.ARN {
	return dera.NewARN(partition, "securityhub", region, account, "hub/default")
}

// Type is hubs: one resource for each account and region.
func Type() resource.Type {
	return resource.Define(resource.Spec[Hub]{
		Name: Name, ARN: ARNOf, SampleIDs: []string{"eu-west-1", "us-east-2", "ap-south-1"},
		Identify: func(h *Hub) (id, name string, tags map[string]string) { return h.Region, "Security Hub", nil },
		Parts:    []resource.Part{{Name: PartHub, Action: "securityhub:DescribeHub", Cheap: true}},
		Events: cloudtrail.Events{
			Type: Name,
			Calls: cloudtrail.Calls("securityhub.amazonaws.com", func(c cloudtrail.Call) []dera.Scope { return c.Sweep(Name) },
				"EnableSecurityHub", "DisableSecurityHub", "DisassociateFromAdministratorAccount", "DisassociateMembers", "DeleteMembers"),
		},
	})
}

// Controls are the controls on hubs.
func Controls() []control.Control { return []control.Control{Off()} }
