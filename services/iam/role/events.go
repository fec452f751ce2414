package role

import (
	"slices"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/iam"
)

// Events are the calls after which a role, or what it may do, may be different. They
// arrive in the home region of the partition. A call on a managed policy does not
// tell to which roles it is attached: all are looked at, by one walk.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
func Events() cloudtrail.Events {
	all := func(r cloudtrail.Record, _ string) []dera.Scope { return r.In(dera.GlobalRegion).Sweep(Name) }
	calls := slices.Concat(
		cloudtrail.Calls(iam.Source, named, "CreateRole", "CreateServiceLinkedRole", "DeleteRole", "UpdateRole", "UpdateRoleDescription",
			"UpdateAssumeRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "AttachRolePolicy", "DetachRolePolicy",
			"PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "TagRole", "UntagRole"),
		cloudtrail.Calls(iam.Source, func(c cloudtrail.Call) []dera.Scope { return all(c.Record, "") },
			"CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"),
	)
	for i := range calls {
		calls[i].Region = dera.GlobalRegion
		switch calls[i].Name {
		case "UpdateAssumeRolePolicy", "PutRolePolicy", "CreatePolicyVersion":
			calls[i].Document = func(c cloudtrail.Call) string { return c.Parameters.Text("policyDocument") }
		}
	}
	// AWS Config names a role by the ID that AWS gave it.
	return cloudtrail.Events{Type: Name, Calls: calls, Config: []cloudtrail.Configured{{Type: Name, Find: all}, {Type: "AWS::IAM::Policy", Find: all}}}
}

// named finds the role in the request, or in the answer to one that leaves the name
// to IAM.
func named(c cloudtrail.Call) []dera.Scope {
	var names []string
	for _, n := range []string{c.Parameters.Text("roleName"), c.Answer.Object("role").Text("roleName")} {
		if iam.RoleKind.ValidName(n) {
			names = append(names, n)
		}
	}
	return c.In(dera.GlobalRegion).Scopes(Name, names)
}
