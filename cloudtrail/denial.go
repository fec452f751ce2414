package cloudtrail

import "strings"

// Denied reports whether an errorCode says that a call was not allowed. Codes
// that AWS adds and that are missing here make a denied call look authorized,
// which keeps permissions and never takes one away.
func Denied(code string) bool {
	// EC2 puts the side that is to blame in front, others a namespace.
	switch code[strings.LastIndexAny(code, ".#")+1:] {
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
		"NotAuthorizedException",      // Cognito
		"UnauthorizedException",       // IoT, AppSync
		"InsufficientPrivilegesException",
		"InsufficientPermissionsException",
		"OperationNotPermittedException",
		"PermissionDeniedException",
		"KMSAccessDeniedException", // KMS through a service
		"KmsAccessDeniedException":
		return true
	}
	return false
}
