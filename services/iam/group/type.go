package group

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// Name is the CloudFormation type name.
const Name = "AWS::IAM::Group"

// Type is IAM groups. The ID is the name: events tell no path.
func Type() resource.Type {
	return resource.Define(resource.Spec[Group]{
		Name: Name, Global: true,
		ARN:       func(partition, account, _, id string) dera.ARN { return iam.GroupKind.ARN(partition, account, "/", id) },
		SampleIDs: []string{"staff", "Administrators", "zz-quite-another_name.9@x"},
		Identify:  func(g *Group) (id, name string, tags map[string]string) { return g.Name, g.Name, nil },
		Parts:     Parts(), Operations: iam.Operations(iam.GroupKind, func(g *Group) *iam.Identity { return &g.Identity }), Events: Events(),
		Redact: iam.Redact,
		Canon:  (*Group).Canon,
		Brief: func(g *Group) *Group {
			brief := *g
			brief.Identity = g.Identity.Brief()
			return &brief
		},
		Attached: func(g *Group) (out []string) {
			for _, m := range g.Members {
				out = append(out, "user "+m.Name)
			}
			return out
		},
		Attachments: func(g *Group) (out []resource.Attachment) {
			for _, m := range g.Members {
				out = append(out, resource.Attachment{ID: dera.ARN(m.ARN).Resource(), Name: m.Name, Tags: m.Tags})
			}
			return out
		},
		Principals: (*Group).principals,
		Neighbours: func(g *Group) []resource.Neighbour {
			out := g.Neighbours()
			for _, m := range g.Members {
				out = append(out, resource.Neighbour{Type: iam.UserKind.Type(), ID: m.Name})
			}
			return out
		},
		Note: "A group decides for all of its members, whose access keys get the new permissions at once; IAM takes seconds to spread a change.",
	})
}

// Canon is equal for two groups that have the same policies. IDs of AWS, the members and
// what attached policies say are no part of it.
func (g *Group) Canon() string {
	lines := g.Identity.Canon()
	for _, part := range g.Unread {
		if part == PartGroup || part == PartInline || part == PartAttached {
			lines = append(lines, "not read: "+part)
		}
	}
	slices.Sort(lines)
	return "group " + g.Name + "\n" + strings.Join(lines, "\n") + "\n"
}

// principals are the members: a person may be behind each.
func (g *Group) principals() (out []resource.Principal) {
	for _, m := range g.Members {
		out = append(out, resource.Principal{ARN: m.ARN, Name: m.Name, Tags: m.Tags, Human: true, Created: m.Created, Use: m.Use})
	}
	return out
}
