// Package networkacl is network ACLs as far as what comes in goes: the configuration,
// operations, events and controls.
package networkacl

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/netset"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2"
)

// Name is the type name of network ACLs.
const Name = "AWS::EC2::NetworkAcl"

// Prefix begins the ID of a network ACL.
const Prefix = "acl-"

// The writes, by their IAM actions.
const (
	Create = "ec2:CreateNetworkAclEntry"
	Delete = "ec2:DeleteNetworkAclEntry"
)

// PartACL is the one part of a network ACL.
const PartACL = "network ACL"

// Last is the number of the entry that denies all else; nobody can change it.
const Last = 32767

// ACL is a network ACL of a VPC.
type ACL struct {
	ID      string            `json:"id"`
	VPC     string            `json:"vpc,omitempty"`
	Default bool              `json:"default,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	// Entries are those on what comes in, by their numbers, without the last one; the first
	// that fits a packet decides (VPC user guide, "Network ACL rules").
	Entries []Entry `json:"entries"`
	// Subnets are those that it guards.
	Subnets []string `json:"subnets,omitempty"`
}

// Entry allows or denies packets. From and To are as of a rule of a security group: ports of
// tcp and udp, type and code of ICMP, and nil where there are none.
type Entry struct {
	Number   int32        `json:"number"`
	Allow    bool         `json:"allow"`
	Protocol string       `json:"protocol"` // a number, or -1 for all
	From     *int32       `json:"from,omitempty"`
	To       *int32       `json:"to,omitempty"`
	CIDR     netip.Prefix `json:"cidr"`
}

// Line is the entry as a line of the canonical form.
func (e Entry) Line() string {
	verb, ports := "deny", ""
	if e.Allow {
		verb = "allow"
	}
	if e.From != nil && e.To != nil {
		ports = fmt.Sprintf(" %d-%d", *e.From, *e.To)
	}
	return fmt.Sprintf("entry %d %s protocol %s%s from %s", e.Number, verb, e.Protocol, ports, e.CIDR)
}

// packets are those that the entry fits.
func (e Entry) packets() (netset.Set, error) {
	t, err := netset.ParseTraffic(e.Protocol, e.From, e.To)
	if err != nil {
		return netset.Set{}, fmt.Errorf("%s: %w", e.Line(), err)
	}
	return netset.Of(t.From(e.CIDR)), nil
}

// Allowed are the packets that the entries allow, in their order.
func Allowed(entries []Entry) (in netset.Set, err error) {
	var decided netset.Set
	for _, e := range entries {
		fits, err := e.packets()
		if err != nil {
			return in, err
		}
		if e.Allow {
			in = in.Union(fits.Subtract(decided))
		}
		decided = decided.Union(fits)
	}
	return in, nil
}

// Input is version 1 of the input of both operations.
type Input struct {
	Resource string `json:"resource"` // the ID
	Entry    Entry  `json:"entry"`
}

func operations() []resource.Operator[ACL] {
	of := func(in Input) (string, error) {
		if !in.Entry.Allow || in.Entry.Number < 1 || in.Entry.Number >= Last {
			return "", errors.New("the operation is about no entry that allows something")
		}
		return in.Resource, nil
	}
	same := func(in Input) func(Entry) bool { return func(e Entry) bool { return e.Line() == in.Entry.Line() } }
	return []resource.Operator[ACL]{
		resource.Op(resource.OpSpec[ACL, Input]{
			OperationType: resource.OperationType{Name: Create, DryRun: true, Denies: resource.DeniesNothing},
			Of:            of,
			Apply: func(a *ACL, in Input) {
				if !slices.ContainsFunc(a.Entries, same(in)) {
					a.Entries = append(slices.Clone(a.Entries), in.Entry)
					slices.SortStableFunc(a.Entries, func(x, y Entry) int { return cmp.Compare(x.Number, y.Number) })
				}
			},
			Refuse: func(a *ACL, in Input) error {
				if slices.ContainsFunc(a.Entries, func(e Entry) bool { return e.Number == in.Entry.Number }) {
					return fmt.Errorf("create entry %d: there is one of this number", in.Entry.Number)
				}
				return nil
			},
		}),
		resource.Op(resource.OpSpec[ACL, Input]{
			OperationType: resource.OperationType{Name: Delete, DryRun: true, Denies: resource.DeniesWithin},
			Of:            of,
			Apply:         func(a *ACL, in Input) { a.Entries = slices.DeleteFunc(slices.Clone(a.Entries), same(in)) },
			Refuse: func(a *ACL, in Input) error {
				if !slices.ContainsFunc(a.Entries, same(in)) {
					return fmt.Errorf("delete entry %d: it is not there, or says something else", in.Entry.Number)
				}
				return nil
			},
			Took: func(in Input, _ dera.Plan, _ dera.Change) (resource.Taken, error) {
				return resource.Taken{Within: []resource.Bounds{{Public: true, Why: "the network ACL no more allows: " + in.Entry.Line()}}}, nil
			},
		}),
	}
}

// Type is network ACLs.
func Type() resource.Type {
	return resource.Define(resource.Spec[ACL]{
		Name: Name,
		ARN: func(partition, account, region, id string) dera.ARN {
			return dera.NewARN(partition, "ec2", region, account, "network-acl/"+id)
		},
		SampleIDs:  []string{"acl-0123456789abcdef0", "acl-fedcba98", "acl-7e57ab1e7e57ab1e7"},
		Identify:   func(a *ACL) (id, name string, tags map[string]string) { return a.ID, a.Tags["Name"], a.Tags },
		Parts:      []resource.Part{{Name: PartACL, Action: "ec2:DescribeNetworkAcls", Cheap: true}},
		Operations: operations(),
		Canon: func(a *ACL) string {
			lines := []string{"vpc " + a.VPC}
			for _, e := range a.Entries {
				lines = append(lines, e.Line())
			}
			for k, v := range a.Tags {
				if !strings.HasPrefix(k, resource.TagPrefix) {
					lines = append(lines, fmt.Sprintf("tag %q %q", k, v))
				}
			}
			slices.Sort(lines)
			return strings.Join(lines, "\n") + "\n"
		},
		Attached: func(a *ACL) []string { return a.Subnets },
		Note:     "Network ACLs keep no connections: what is not allowed any more is cut at once, answers too.",
		Events: cloudtrail.Events{
			Type: Name,
			Calls: slices.Concat(
				ec2.Named(Name, Prefix, "CreateNetworkAcl", "CreateNetworkAclEntry", "ReplaceNetworkAclEntry", "DeleteNetworkAclEntry", "DeleteNetworkAcl",
					"ReplaceNetworkAclAssociation", "CreateVpc", "CreateDefaultVpc"), ec2.Tagged(Name, Prefix)),
			Config: ec2.Configured(Name, Prefix),
		},
	})
}

// Controls are the controls on network ACLs.
func Controls() []control.Control { return []control.Control{AdminPortsOpen()} }
