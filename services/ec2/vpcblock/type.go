// Package vpcblock is the block of public access to the VPCs in a region of an account: its
// mode, events and controls. dera does not write it.
package vpcblock

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/regional"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::EC2::VPCBlockPublicAccessOptions"

// The modes, the least secure first.
const (
	Off          = "off"
	BlockIngress = "block-ingress"
	BlockBoth    = "block-bidirectional"
)

// Kind is the block. It has exclusions of VPCs and subnets, which are no part of it.
//
// https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
func Kind() regional.Kind {
	return regional.Kind{
		Name: Name, Service: "ec2", Slug: "vpc-block-public-access", Label: "VPCs", Says: "the block of public access to VPCs",
		Reads: []string{"ec2:DescribeVpcBlockPublicAccessOptions"}, Order: []string{Off, BlockIngress, BlockBoth},
		Source: "ec2.amazonaws.com", Calls: []string{"ModifyVpcBlockPublicAccessOptions"},
		Note: "Switching it on cuts off every server of the region that the internet reaches, but for exclusions.",
	}
}

// Type is the block: one resource for each account and region.
func Type() resource.Type { return Kind().Type() }

// Controls are the controls on the block.
func Controls() []control.Control { return []control.Control{OffControl()} }

// OffControl finds regions in which VPCs may reach the internet and be reached.
func OffControl() control.Control {
	return Kind().Alert(control.Meta{
		ID: "ec2-vpcblock-off", Title: "Public access to VPCs is not blocked", Severity: dera.Low,
		Why:        "In a region that serves nothing to the internet, the block holds whatever is made later: gateways, routes, addresses and security groups.",
		Fix:        "None by dera. A person switches it on where nothing is for the internet, or with exclusions for what is.",
		Complexity: "high",
		Cases: []control.Case{
			{When: "the mode is off", Disposition: dera.Alert, Because: "it cuts off every public server of the region; which those are, and whether they are meant, is not this setting's to say"},
		},
		Refs:  []control.Ref{{Standard: "Amazon VPC", ID: "Block public access", URL: "https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html"}},
		Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}, func(s *regional.Setting) string {
		if s.State != Off {
			return ""
		}
		return "The internet gateways of the region block nothing."
	})
}
