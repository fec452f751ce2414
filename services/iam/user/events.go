package user

import (
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/iam"
)

// Events are the calls after which a user may be different. What changes of its groups
// and managed policies is left to sweeps.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
func Events() cloudtrail.Events {
	return iam.UserKind.Events("CreateUser", "DeleteUser", "UpdateUser", "TagUser", "UntagUser", "PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary",
		"AddUserToGroup", "RemoveUserFromGroup")
}
