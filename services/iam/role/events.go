package role

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/iam"
)

// Events are the calls after which a role, or what it may do, may be different. A call
// on a managed policy does not tell to which roles it is attached: all are looked at, by
// one walk.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
func Events() cloudtrail.Events {
	e := iam.RoleKind.Events("CreateRole", "CreateServiceLinkedRole", "DeleteRole", "UpdateRole", "UpdateRoleDescription",
		"UpdateAssumeRolePolicy", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "TagRole", "UntagRole")
	all := func(r cloudtrail.Record, _ string) []dera.Scope { return r.In(dera.GlobalRegion).Sweep(Name) }
	versions := cloudtrail.Calls(iam.Source, func(c cloudtrail.Call) []dera.Scope { return all(c.Record, "") },
		"CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion")
	for i := range versions {
		versions[i].Region = dera.GlobalRegion
	}
	e.Calls = append(e.Calls, versions...)
	for i := range e.Calls {
		switch e.Calls[i].Name {
		case "UpdateAssumeRolePolicy", "CreatePolicyVersion":
			e.Calls[i].Document = func(c cloudtrail.Call) string { return c.Parameters.Text("policyDocument") }
		}
	}
	e.Config = append(e.Config, cloudtrail.Configured{Type: "AWS::IAM::Policy", Find: all})
	return e
}
