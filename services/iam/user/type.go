package user

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// Name is the CloudFormation type name.
const Name = "AWS::IAM::User"

// Type is IAM users. The ID is the name: events tell no path.
func Type() resource.Type {
	return resource.Define(resource.Spec[User]{
		Name: Name, Global: true,
		ARN:       func(partition, account, _, id string) dera.ARN { return iam.UserKind.ARN(partition, account, "/", id) },
		SampleIDs: []string{"ann", "ci-deployer", "zz-quite-another_name.9@x"},
		Identify:  func(u *User) (id, name string, tags map[string]string) { return u.Name, u.Name, u.Tags },
		Parts:     Parts(), Operations: iam.Operations(iam.UserKind, func(u *User) *iam.Identity { return &u.Identity }), Events: Events(),
		Redact: iam.Redact,
		Canon:  (*User).Canon,
		Brief: func(u *User) *User {
			brief := *u
			brief.Identity = u.Identity.Brief()
			return &brief
		},
		Principals: (*User).principals,
		Neighbours: func(u *User) []resource.Neighbour {
			out := u.Neighbours()
			for _, g := range u.Groups {
				out = append(out, resource.Neighbour{Type: iam.GroupKind.Type(), ID: g.Name})
			}
			return out
		},
		Note: "Access keys of the user get its new permissions at once; IAM takes seconds to spread a change.",
	})
}

// Canon is equal for two users that have the same policies themselves. IDs of AWS, their
// groups, what attached policies say and what they used are no part of it.
func (u *User) Canon() string {
	lines := u.Identity.Canon()
	for _, part := range u.Unread {
		if part == PartUser || part == PartInline || part == PartAttached {
			lines = append(lines, "not read: "+part)
		}
	}
	slices.Sort(lines)
	return "user " + u.Name + "\n" + strings.Join(lines, "\n") + "\n"
}

// principals is the user itself: a person may be behind it.
func (u *User) principals() []resource.Principal {
	return []resource.Principal{{Name: u.Name, Tags: u.Tags, Human: true, Created: u.Created, Use: u.Use}}
}
