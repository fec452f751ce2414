package role

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
)

// Name is the CloudFormation type name.
const Name = "AWS::IAM::Role"

// Type is IAM roles. The ID is the name: events tell no path.
func Type() resource.Type {
	return resource.Define(resource.Spec[Role]{
		Name: Name, Global: true,
		ARN:       func(partition, account, _, id string) dera.ARN { return iam.RoleKind.ARN(partition, account, "/", id) },
		SampleIDs: []string{"app", "OrganizationAccountAccessRole", "zz-quite-another_name.9@x"},
		Identify:  func(r *Role) (id, name string, tags map[string]string) { return r.Name, r.Name, r.Tags },
		Parts:     Parts(), Operations: operations(), Events: Events(),
		Redact: iam.Redact,
		Canon:  (*Role).Canon,
		Brief: func(r *Role) *Role {
			brief := *r
			brief.Identity, brief.MaxSession = r.Identity.Brief(), 0
			brief.Unread = slices.DeleteFunc(brief.Unread, func(p string) bool { return p == PartSession })
			return &brief
		},
		Principals: (*Role).principals,
		Neighbours: func(r *Role) []resource.Neighbour { return r.Neighbours() },
		Note:       "Sessions that were begun before keep the role's name, and get its new permissions at once; IAM takes seconds to spread a change.",
	})
}

// Canon is equal for two roles that trust the same and have the same policies. IDs of
// AWS, what attached policies say, and when the role was used are no part of it.
func (r *Role) Canon() string {
	lines := append(r.Identity.Canon(), fmt.Sprintf("longest session %d s", r.MaxSession))
	for _, l := range document.CanonPolicy(r.Trust) {
		lines = append(lines, "trust "+l)
	}
	for _, part := range r.Unread {
		if part == PartRole || part == PartSession || part == PartInline || part == PartAttached {
			lines = append(lines, "not read: "+part)
		}
	}
	slices.Sort(lines)
	return "role " + r.Name + "\n" + strings.Join(lines, "\n") + "\n"
}

// principals is the role itself.
func (r *Role) principals() []resource.Principal {
	p := resource.Principal{Name: r.Name, Tags: r.Tags, Services: iam.ServicesOf(r.Trust), Created: r.Created, Use: r.Use}
	if r.Idle != nil {
		p.Idle = *r.Idle
	}
	return []resource.Principal{p}
}
