package catalog

// Grants says whose permissions a call of IAM changes, by the parameter that
// names them: policy, role, user or group; ok is false for other calls.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
func Grants(name string) (kind string, ok bool) {
	switch name {
	case "CreatePolicyVersion", "SetDefaultPolicyVersion":
		return "policy", true
	case "AttachRolePolicy", "PutRolePolicy", "CreateRole", "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary":
		return "role", true
	case "AttachUserPolicy", "PutUserPolicy", "CreateUser", "AddUserToGroup", "PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary":
		return "user", true
	case "AttachGroupPolicy", "PutGroupPolicy":
		return "group", true
	}
	return "", false
}
