package role

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
)

const (
	source = "iam.amazonaws.com"
	// home is where alone the events of IAM arrive in the partition aws.
	home = "us-east-1"
)

// Events are the calls after which a role may be different. Those on a managed policy
// do not name the roles that it is attached to: all are looked at.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
func Events() cloudtrail.Events {
	calls := cloudtrail.Calls(source, ofCall, "CreateRole", "DeleteRole", "UpdateRole", "UpdateRoleDescription", "UpdateAssumeRolePolicy", "PutRolePolicy", "DeleteRolePolicy",
		"AttachRolePolicy", "DetachRolePolicy", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "TagRole", "UntagRole")
	calls = append(calls, cloudtrail.Calls(source, all, "CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion")...)
	for i := range calls {
		calls[i].Region = home
	}
	return cloudtrail.Events{Type: Name, Calls: calls, Config: []cloudtrail.Configured{{Type: Name, Find: func(r cloudtrail.Record, id string) []dera.Scope {
		return r.In(dera.GlobalRegion).Sweep(Name) // Config has the RoleId, which is no name
	}}}}
}

func ofCall(c cloudtrail.Call) []dera.Scope {
	return c.In(dera.GlobalRegion).Scopes(Name, names(c.Parameters.Text("roleName")))
}

func all(c cloudtrail.Call) []dera.Scope { return c.In(dera.GlobalRegion).Sweep(Name) }

// names returns those texts that can be names of roles.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
func names(texts ...string) (out []string) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	for _, s := range texts {
		if s != "" && len(s) <= 64 && strings.Trim(s, letters+"_+=,.@-") == "" {
			out = append(out, s)
		}
	}
	return out
}
