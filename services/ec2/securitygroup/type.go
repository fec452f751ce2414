// Package securitygroup is EC2 security groups: their configuration, reads, writes,
// events and controls.
package securitygroup

import (
	"errors"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Name is the CloudFormation type name.
const Name = "AWS::EC2::SecurityGroup"

// Type is EC2 security groups.
func Type() resource.Type {
	return resource.Define(resource.Spec[Group]{
		Name: Name,
		ARN: func(partition, account, region, id string) dera.ARN {
			return dera.NewARN(partition, "ec2", region, account, "security-group/"+id)
		},
		SampleIDs:  []string{"sg-0123456789abcdef0", "sg-fedcba98", "sg-7e57ab1e7e57ab1e7"},
		KeyOfAll:   "all",
		Identify:   func(g *Group) (id, name string, tags map[string]string) { return g.ID, g.Name, g.Tags },
		Operations: operations(),
		Parts:      Parts(),
		Canon:      (*Group).Canon,
		Brief:      brief,
		Retarget:   retarget,
		Declare:    declare,
		Attached:   attached,
		Attachments: func(g *Group) (out []resource.Attachment) {
			for _, i := range g.Interfaces {
				out = append(out, resource.Attachment{ID: i.ID, Name: i.Name, Tags: i.Tags, Addresses: i.Addresses, Requester: i.Requester})
			}
			return out
		},
		// EC2 user guide, "Security group connection tracking".
		Note:   "Established connections stay open until they end; to drop them now, use a network ACL.",
		Notes:  ownThatLose,
		Tag:    tag,
		Events: Events(), History: History,
	})
}

func operations() []resource.Operator[Group] {
	tags := resource.OpSpec[Group, TagsInput]{
		Of:    func(in TagsInput) (string, error) { return in.Resource, nil },
		Apply: func(g *Group, in TagsInput) { g.Tags = resource.Retag(g.Tags, in.Add, in.Remove) },
	}
	create, remove := tags, tags
	create.OperationType = resource.OperationType{Name: CreateTags, DryRun: true, Denies: resource.DeniesNothing}
	remove.OperationType = resource.OperationType{Name: DeleteTags, DryRun: true, Denies: resource.DeniesNothing}
	return []resource.Operator[Group]{
		resource.Op(resource.OpSpec[Group, AuthorizeIngressInput]{
			OperationType: resource.OperationType{Name: AuthorizeIngress, DryRun: true, Denies: resource.DeniesInbound},
			Of:            func(in AuthorizeIngressInput) (string, error) { return in.GroupID, nil },
			Apply: func(g *Group, in AuthorizeIngressInput) {
				if !slices.ContainsFunc(g.Ingress, in.Rule.SamePermission) {
					g.Ingress = append(slices.Clone(g.Ingress), in.Rule)
				}
			},
			Refuse: func(g *Group, in AuthorizeIngressInput) error {
				if slices.ContainsFunc(g.Ingress, in.Rule.SamePermission) {
					return fmt.Errorf("authorize %s: the group has that rule already", in.Rule.Line())
				}
				return nil
			},
			Output: func(g *Group, in AuthorizeIngressInput) map[string]string {
				i := slices.IndexFunc(g.Ingress, in.Rule.SamePermission)
				if g.Ingress[i].Description != in.Rule.Description {
					return nil // someone else's: its ID is none to revoke
				}
				return map[string]string{RuleIDOutput: g.Ingress[i].ID}
			},
			Took: func(in AuthorizeIngressInput, _ dera.Plan, _ dera.Change) (resource.Taken, error) {
				come, err := Reach([]Rule{in.Rule})
				return resource.Taken{Come: come}, err
			},
		}),
		resource.Op(resource.OpSpec[Group, RevokeIngressInput]{
			OperationType: resource.OperationType{Name: RevokeIngress, DryRun: true, Denies: resource.DeniesInbound},
			Of: func(in RevokeIngressInput) (string, error) {
				if in.RuleID == "" {
					return "", errors.New("the operation names no rule")
				}
				return in.GroupID, nil
			},
			Apply: func(g *Group, in RevokeIngressInput) {
				if i := in.find(g.Ingress); i >= 0 {
					g.Ingress = slices.Delete(slices.Clone(g.Ingress), i, i+1)
				}
			},
			Refuse: func(g *Group, in RevokeIngressInput) error {
				if in.find(g.Ingress) < 0 {
					return fmt.Errorf("revoke rule %q: the group has no such rule", in.RuleID)
				}
				return nil
			},
			Took: revoked,
		}),
		resource.Op(create), resource.Op(remove),
	}
}

// brief is the group without what a quick look leaves out.
func brief(g *Group) *Group {
	short := *g
	short.Ingress = slices.Clone(g.Ingress)
	if !g.Default() {
		short.Egress = nil
	}
	for i := range short.Ingress {
		short.Ingress[i].Tags = nil
	}
	return &short
}

func attached(g *Group) (out []string) {
	for _, i := range g.Interfaces {
		name := i.ID
		if i.PublicIP != "" {
			name += " (" + i.PublicIP + ")"
		}
		out = append(out, name)
	}
	return out
}
