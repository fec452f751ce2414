package cloudtrail

import "strings"

// Denied reports whether an errorCode of a service says that IAM did not allow a
// call. Codes that AWS adds and that are missing here, and those that also say
// something else, make a denied call look authorized, which keeps permissions and
// never takes one away.
func Denied(source, code string) bool {
	// EC2 puts the side that is to blame in front, others a namespace.
	code = code[strings.LastIndexAny(code, ".#")+1:]
	switch {
	case code == "NotAuthorizedException" && strings.HasPrefix(source, "cognito-"):
		return false // a wrong password (Cognito user pools API reference, InitiateAuth)
	case code == "UnauthorizedException" && strings.HasPrefix(source, "sso"):
		return false // a token that ran out (IAM Identity Center portal API reference)
	}
	switch code {
	case "AccessDenied", // S3, IAM, STS, SQS and the other Query services
		"AccessDeniedException",       // most JSON services
		"AccessDeniedFault",           // Workspaces' and other SOAP descendants
		"UnauthorizedOperation",       // EC2
		"UnauthorizedAccess",          // EC2, where an instance's role is refused
		"AuthorizationError",          // SNS
		"AuthorizationErrorException", // SNS
		"AuthorizationException",      // services on older frameworks
		"ForbiddenException",          // MSK, App Mesh
		"Forbidden",                   // REST services that answer with the status alone
		"NotAuthorized",               // Redshift and others
		"NotAuthorizedException",
		"UnauthorizedException", // IoT, AppSync
		"InsufficientPrivilegesException",
		"InsufficientPermissionsException",
		"PermissionDeniedException",
		"KMSAccessDeniedException", // KMS through a service
		"KmsAccessDeniedException":
		return true
	}
	return false
}
