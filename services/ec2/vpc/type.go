// Package vpc is VPCs as far as their flow logs go: the configuration, events and controls.
package vpc

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::EC2::VPC"

// The parts.
const (
	PartVPC   = "VPC"
	PartFlows = "flow logs"
)

// VPC is a VPC.
type VPC struct {
	ID      string            `json:"id"`
	Default bool              `json:"default,omitempty"` // AWS makes one in each region
	Tags    map[string]string `json:"tags,omitempty"`
	// Interfaces is whether anything is attached to it; nil where it could not be read.
	Interfaces *bool `json:"interfaces"`
	// Flows are the flow logs of the whole VPC, nil where they could not be read.
	Flows []Flow `json:"flow_logs"`
}

// Flow is a flow log.
type Flow struct {
	ID      string `json:"id"`
	Traffic string `json:"traffic"` // ALL, ACCEPT or REJECT
	Active  bool   `json:"active"`
	// Failed is the code of the error with which it does not deliver; empty for none.
	Failed string `json:"failed,omitempty"`
	To     string `json:"to"` // the ARN or the name of where it delivers
}

// ARNOf names a VPC.
func ARNOf(partition, account, region, id string) dera.ARN {
	return dera.NewARN(partition, "ec2", region, account, "vpc/"+id)
}

// Type is VPCs.
func Type() resource.Type {
	return resource.Define(resource.Spec[VPC]{
		Name: Name, ARN: ARNOf, SampleIDs: []string{"vpc-0123456789abcdef0", "vpc-9f8e7d6c", "vpc-0aaaabbbbccccdddd"},
		Identify: func(v *VPC) (id, name string, tags map[string]string) {
			if name = v.Tags["Name"]; name == "" {
				name = v.ID
			}
			return v.ID, name, v.Tags
		},
		Parts: []resource.Part{
			{Name: PartVPC, Action: "ec2:DescribeVpcs", Cheap: true},
			{Name: PartFlows, Action: "ec2:DescribeFlowLogs", Also: []string{"ec2:DescribeNetworkInterfaces"}, Cheap: true},
		},
		Around: []string{"interfaces"},
		Events: cloudtrail.Events{
			Type: Name,
			Calls: slices.Concat(
				cloudtrail.Calls("ec2.amazonaws.com", ofCall, "CreateVpc", "CreateDefaultVpc", "DeleteVpc", "CreateFlowLogs", "DeleteFlowLogs"),
				// Which flow logs deliver to a log group, its deletion does not tell.
				cloudtrail.Calls("logs.amazonaws.com", func(c cloudtrail.Call) []dera.Scope { return c.Sweep(Name) }, "DeleteLogGroup"),
			),
			Config: []cloudtrail.Configured{{Type: Name, Find: func(r cloudtrail.Record, id string) []dera.Scope { return r.Scopes(Name, ids(id)) }}},
		},
	})
}

// ofCall finds the VPC of a call. Flow logs are deleted by their own IDs: all VPCs are looked
// at then.
func ofCall(c cloudtrail.Call) []dera.Scope {
	switch c.Name {
	case "CreateVpc", "CreateDefaultVpc":
		return c.Scopes(Name, ids(c.Answer.Object("vpc").Text("vpcId")))
	case "DeleteVpc":
		return c.Scopes(Name, ids(c.Parameters.Text("vpcId")))
	}
	return c.Sweep(Name)
}

func ids(id string) []string {
	if hex, ok := strings.CutPrefix(id, "vpc-"); !ok || hex == "" || len(id) > 32 || strings.Trim(hex, "0123456789abcdef") != "" {
		return nil
	}
	return []string{id}
}

// Controls are the controls on VPCs.
func Controls() []control.Control { return []control.Control{NoFlowLogs()} }
