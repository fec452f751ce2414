package group

import (
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services/iam"
)

// Events are the calls after which a group may be different. What else its members may
// do, and what its managed policies say, is left to sweeps.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
func Events() cloudtrail.Events {
	return iam.GroupKind.Events("CreateGroup", "DeleteGroup", "UpdateGroup", "AddUserToGroup", "RemoveUserFromGroup")
}
