// Package instance is EC2 instances: their configuration, settings, events and controls.
package instance

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2"
)

// Name is the type name of instances.
const Name = "AWS::EC2::Instance"

// Prefix begins the ID of an instance.
const Prefix = "i-"

// ModifyMetadata is the write of the metadata options, by its IAM action.
const ModifyMetadata = "ec2:ModifyInstanceMetadataOptions"

// Tokens is the setting that says whether a request for metadata needs a token (IMDSv2).
const Tokens = "http_tokens"

// The parts of an instance.
const (
	PartInstance  = "instance"
	PartV1        = "requests without a token"
	PartElastic   = "Elastic IP addresses"
	PartAround    = "isolation group and Auto Scaling"
	PartSnapshots = "snapshots"
	PartContain   = "requests to contain it"
	PartThreats   = "threats"
)

// Hours is how many hours the requests without a token are counted over: 14 days.
const Hours = 14 * 24

// Instance is an EC2 instance.
type Instance struct {
	ID string `json:"id"`
	// Tokens is "optional" where metadata is returned without a token too, else
	// "required"; Endpoint is "enabled" where there is metadata at all.
	Tokens   string `json:"http_tokens,omitempty"`
	Endpoint string `json:"http_endpoint,omitempty"`
	// HopLimit is over how many network hops a token travels; 0 is not known.
	HopLimit int32  `json:"hop_limit,omitempty"`
	Profile  string `json:"profile,omitempty"` // the ARN of its instance profile
	VPC      string `json:"vpc,omitempty"`
	Subnet   string `json:"subnet,omitempty"`
	Image    string `json:"image,omitempty"`
	// Elastic are the Elastic IP addresses of its interfaces, and Assigned the public
	// addresses that AWS assigned, which nobody gets again once they are released.
	Elastic    []Address   `json:"elastic,omitempty"`
	Assigned   []string    `json:"assigned,omitempty"`
	Interfaces []Interface `json:"interfaces,omitempty"`
	Volumes    []string    `json:"volumes,omitempty"` // of EBS, by their IDs
	// Running is false where it is stopped; nil where it is on its way to one of both.
	Running *bool `json:"running,omitempty"`
	// Forwards is true for one that passes on what is not meant for it, as a NAT instance
	// does: the check of source and destination is off.
	Forwards bool `json:"forwards,omitempty"`
	// Tags are those of the instance.
	Tags map[string]string `json:"tags,omitempty"`
	// State is that of its life, such as running.
	State string `json:"state"`
	// Kind is the instance type, such as m7i.large; Spot is true for a Spot instance.
	Kind string `json:"kind,omitempty"`
	Spot bool   `json:"spot,omitempty"`
	// Associations are the IDs of the associations of Elastic IP addresses, by the allocation.
	Associations map[string]string `json:"associations,omitempty"`
	// Contain is what was asked for, and Around what containing it has to know, for a full
	// look; nil where that is not known. Snapshots are those that dera made for a request.
	Contain   []resource.Asked `json:"contain,omitempty"`
	Around    *Around          `json:"around,omitempty"`
	Snapshots []Snapshot       `json:"snapshots,omitempty"`
	// Threats are those about the instance; nil where they could not be read.
	Threats *resource.Threats `json:"threats,omitempty"`
	// V1 are the requests without a token, for a full look; nil where they are not known.
	V1 *Requests `json:"v1,omitempty"`
}

// Address is an Elastic IP address on an interface. Allocation is empty for one of another
// account, and where the addresses could not be read.
type Address struct {
	Public     string `json:"public"`
	Allocation string `json:"allocation,omitempty"`
	Interface  string `json:"interface"`
	Private    string `json:"private"`
}

// Line is the address as a line of the canonical form.
func (a Address) Line() string {
	return "elastic " + a.Public + " on " + a.Interface + " at " + a.Private
}

// Requests are what CloudWatch counted (EC2 user guide, "Instance metrics": MetadataNoToken)
// in the last Hours.
type Requests struct {
	Count   float64 `json:"count"`
	Unknown int     `json:"unknown_hours"` // hours about which CloudWatch says nothing
}

// Containers says by which tag containers run on the instance, or nothing; without one
// nobody knows. Tags of EKS, ECS and Kubernetes' tools.
func (i *Instance) Containers() string {
	for _, prefix := range []string{"kubernetes.io/cluster/", "k8s.io/", "eks:", "aws:eks:", "karpenter.sh/", "aws:ecs:", "AmazonECSManaged"} {
		var keys []string
		for k := range i.Tags {
			if strings.HasPrefix(k, prefix) {
				keys = append(keys, k)
			}
		}
		if len(keys) > 0 {
			return slices.Min(keys)
		}
	}
	return ""
}

// Type is EC2 instances.
func Type() resource.Type {
	return resource.Define(resource.Spec[Instance]{
		Name: Name,
		ARN: func(partition, account, region, id string) dera.ARN {
			return dera.NewARN(partition, "ec2", region, account, "instance/"+id)
		},
		SampleIDs: []string{"i-0123456789abcdef0", "i-fedcba98", "i-7e57ab1e7e57ab1e7"},
		Identify:  func(i *Instance) (id, name string, tags map[string]string) { return i.ID, i.Tags["Name"], i.Tags },
		Parts: []resource.Part{
			{Name: PartInstance, Action: "ec2:DescribeInstances", Cheap: true},
			{Name: PartElastic, Action: "ec2:DescribeAddresses", Around: true},
			{Name: PartAround, Action: "ec2:DescribeSecurityGroups", Also: []string{"autoscaling:DescribeAutoScalingInstances", "ec2:DescribeInstanceTypes"}, Around: true},
			{Name: PartSnapshots, Action: "ec2:DescribeSnapshots", Around: true},
			{Name: PartContain, Port: resource.PortAccess, Around: true, Cheap: true},
			control.ThreatPart(),
			{Name: PartV1, Action: "cloudwatch:GetMetricData", Around: true},
		},
		Canon:      (*Instance).Canon,
		Brief:      brief,
		Operations: append(addressOperations(), containOperations()...),
		Settings: []resource.Setting{{
			Path: Tokens, Says: "whether metadata needs a token (IMDSv2)", Operation: ModifyMetadata, DryRun: true,
			Order: []any{"optional", "required"}, Terraform: "aws_instance.metadata_options.http_tokens",
			Denies: func(dera.Plan) []resource.Bounds {
				return []resource.Bounds{{Error: true, Why: "software on the instance gets no metadata without a token, the credentials of its role among it"}}
			},
		}, {
			Path: power, Says: "whether the instance runs", Operation: Start, Off: Stop, DryRun: true, Order: []any{true, false},
			Denies: func(dera.Plan) []resource.Bounds {
				return []resource.Bounds{{Connections: true, Why: "the instance is stopped"}}
			},
		}},
		Notes:       notes,
		Attachments: (*Instance).attachments,
		Events:      Events(),
	})
}

// Canon is a line for each part that is the instance's own: what surrounds it, its state and
// addresses that AWS assigned are none.
func (i *Instance) Canon() string {
	lines := []string{
		"http_tokens " + i.Tokens, "http_endpoint " + i.Endpoint, fmt.Sprintf("hop_limit %d", i.HopLimit), "profile " + i.Profile,
		"vpc " + i.VPC, "subnet " + i.Subnet, "image " + i.Image, fmt.Sprintf("forwards %t", i.Forwards),
	}
	for k, v := range i.Tags {
		if !strings.HasPrefix(k, resource.TagPrefix) {
			lines = append(lines, fmt.Sprintf("tag %q %q", k, v))
		}
	}
	for _, a := range i.Elastic {
		lines = append(lines, a.Line())
	}
	for _, n := range i.Interfaces {
		lines = append(lines, n.Line())
	}
	for _, v := range i.Volumes {
		lines = append(lines, "volume "+v)
	}
	for _, x := range i.Snapshots {
		lines = append(lines, x.Line())
	}
	if i.Running != nil {
		lines = append(lines, fmt.Sprintf("running %t", *i.Running))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// attachments are by what guardrails know the instance: its own name, tags and addresses.
func (i *Instance) attachments() []resource.Attachment {
	a := resource.Attachment{ID: i.ID, Name: i.Tags["Name"], Tags: i.Tags}
	for _, e := range i.Elastic {
		a.Addresses = append(a.Addresses, e.Private)
	}
	return []resource.Attachment{a}
}

// notes say what people must know of a plan.
func notes(i *Instance, p dera.Plan) (out []string) {
	for _, c := range p.Changes {
		switch c.Operation {
		case ModifyMetadata:
			out = append(out, fmt.Sprintf("The hop limit stays %d, and the endpoint as it is. What asks for metadata without a token is refused from then on: old SDKs and agents, and scripts that call it with curl. What asks at boot alone is in no count of the last 14 days unless the instance booted since.", i.HopLimit))
			if i.HopLimit < 2 && i.Containers() == "" {
				out = append(out, "Whether containers run on it is not known: one behind a bridge gets no token while the hop limit is 1.")
			}
		case Disassociate:
			out = append(out, addressNote)
		case ModifyInterface:
			out = append(out, quarantineNote)
		case Stop:
			out = append(out, i.stopNote())
		}
	}
	return slices.Compact(out)
}

// Events are the calls after which an instance may be different.
//
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/OperationList-query-ec2.html
func Events() cloudtrail.Events {
	return cloudtrail.Events{
		Type: Name,
		Calls: slices.Concat(
			ec2.NamedOnly(Name, Prefix, "RunInstances", "ModifyInstanceAttribute"),
			cloudtrail.Calls(ec2.Source, groupsOf, "ModifyNetworkInterfaceAttribute"),
			ec2.Named(Name, Prefix, "ModifyInstanceMetadataOptions", "StartInstances", "StopInstances", "TerminateInstances",
				"AssociateAddress", "DisassociateAddress", "AttachNetworkInterface",
				"AssociateIamInstanceProfile", "DisassociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation"),
			ec2.Tagged(Name, Prefix)),
		Config: ec2.Configured(Name, Prefix),
	}
}

// groupsOf: what gives an interface other groups names the interface alone, so that all
// instances are looked at. Its other attributes, which much of what runs containers sets, are no
// matter.
func groupsOf(c cloudtrail.Call) []dera.Scope {
	if ids := ec2.IDs(c, Prefix); len(ids) > 0 {
		return c.Scopes(Name, ids)
	}
	if len(c.Parameters.Object("groupSet")) == 0 {
		return nil
	}
	return c.Sweep(Name)
}

// Controls are the controls on instances.
func Controls() []control.Control {
	return []control.Control{IMDSv1Allowed(), PublicAddress(), ProfileMissing(), ContainRequest(), Reported()}
}
