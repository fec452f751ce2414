// Package subnet is subnets as far as the public addresses of what is launched in them go:
// the configuration, events and controls.
package subnet

import (
	"slices"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2"
)

// Name is the type name of subnets.
const Name = "AWS::EC2::Subnet"

// Prefix begins the ID of a subnet.
const Prefix = "subnet-"

// Modify is the write, by its IAM action.
const Modify = "ec2:ModifySubnetAttribute"

// MapPublic is the setting: what is launched gets a public IPv4 address.
const MapPublic = "map_public_ip_on_launch"

// The parts of a subnet.
const (
	PartSubnet = "subnet"
	PartRoutes = "routes"
)

// Subnet is a subnet of a VPC.
type Subnet struct {
	ID        string            `json:"id"`
	VPC       string            `json:"vpc"`
	CIDR      string            `json:"cidr,omitempty"`
	MapPublic *bool             `json:"map_public_ip_on_launch,omitempty"`
	Tags      map[string]string `json:"tags,omitempty"`
	// Routes is where its route table leads, for a full look; nil where it is not known.
	Routes *Routes `json:"routes,omitempty"`
}

// Routes are the routes of IPv4 by which a public address in the subnet may be of use:
// to an internet gateway, and to an appliance or firewall that may stand before one.
type Routes struct {
	Public []string `json:"public,omitempty"` // such as 0.0.0.0/0 to igw-1
}

// Type is subnets.
func Type() resource.Type {
	return resource.Define(resource.Spec[Subnet]{
		Name: Name,
		ARN: func(partition, account, region, id string) dera.ARN {
			return dera.NewARN(partition, "ec2", region, account, "subnet/"+id)
		},
		SampleIDs: []string{"subnet-0123456789abcdef0", "subnet-fedcba98", "subnet-7e57ab1e7e57ab1e7"},
		Identify:  func(s *Subnet) (id, name string, tags map[string]string) { return s.ID, s.Tags["Name"], s.Tags },
		Parts: []resource.Part{
			{Name: PartSubnet, Action: "ec2:DescribeSubnets", Cheap: true},
			{Name: PartRoutes, Action: "ec2:DescribeRouteTables", Around: true},
		},
		Around: []string{"routes"},
		Settings: []resource.Setting{{
			Path: MapPublic, Says: "whether instances get a public address", Operation: Modify, Order: []any{true, false},
			Terraform: "aws_subnet.map_public_ip_on_launch", CloudFormation: "MapPublicIpOnLaunch",
			Denies: func(dera.Plan) []resource.Bounds {
				return []resource.Bounds{{Public: true, Why: "what is launched in the subnet from then on has no public address"}}
			},
		}},
		Events: Events(),
		Note:   "It holds for what is launched from then on; instances that there are keep their addresses. A launch that asks for a public address itself still gets one.",
	})
}

// Events are the calls after which a subnet may be different.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/operation-list-vpc.html
func Events() cloudtrail.Events {
	return cloudtrail.Events{
		Type: Name,
		Calls: slices.Concat(
			ec2.Named(Name, Prefix, "CreateSubnet", "CreateDefaultSubnet", "CreateDefaultVpc", "ModifySubnetAttribute", "DeleteSubnet"), ec2.Tagged(Name, Prefix)),
		Config: ec2.Configured(Name, Prefix),
	}
}

// Controls are the controls on subnets.
func Controls() []control.Control { return []control.Control{AutoPublicAddress()} }
