package cloudtrail

import "strings"

// Denied reports whether an errorCode of a service says that IAM did not allow a
// call. Codes that AWS adds and that are missing here, and those that also say
// something else, make a denied call look authorized, which keeps permissions and
// never takes one away. The codes are those of the error shapes of the API models
// (botocore 1.43.11), in CloudTrail's spelling, and of the documents of EC2. Left out are
// those about the role of a service or another service (AccessDeniedForDependencyException,
// EC2AccessDeniedException, S3AccessDeniedFault, SNSNoAuthorization, KMSAccessDeniedFault).
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
		"AccessDeniedException",         // most JSON services
		"AccessDeniedFault",             // Workspaces' and other SOAP descendants
		"CloudHsmAccessDeniedException", // CloudHSM
		"UnauthorizedOperation",         // EC2
		"UnauthorizedAccess",            // EC2, where an instance's role is refused
		"AuthorizationError",            // SNS
		"AuthorizationErrorException",   // SNS
		"AuthorizationException",        // services on older frameworks
		"ForbiddenException",            // MSK, App Mesh
		"Forbidden",                     // REST services that answer with the status alone
		"NotAuthorized",                 // Redshift and others
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

// Policy is the type of the policy that denied a call, as the service says; "" where it
// does not say.
type Policy string

// The types of policies.
const (
	UnknownPolicy  Policy = ""
	IdentityPolicy Policy = "identity-based policy"
	ResourcePolicy Policy = "resource-based policy"
	TrustPolicy    Policy = "role trust policy"
	SessionPolicy  Policy = "session policy"
	Boundary       Policy = "permissions boundary"
	ControlPolicy  Policy = "service control policy"
	LimitPolicy    Policy = "resource control policy"
	EndpointPolicy Policy = "VPC endpoint policy"
)

// Denial is what the message of a denied call says: the action that was not allowed, and
// the type of policy, which denied it or (Explicit is false) did not allow it. Where
// several types denied it, AWS names one.
type Denial struct {
	Action   string
	Policy   Policy
	Explicit bool
}

// maxMessage bounds the messages that are read; CloudTrail cuts them at 1 KB.
const maxMessage = 4096

// DenialOf reads an errorMessage. The name of a resource in it is the caller's to choose,
// and can say anything: the action is read from before it, and the reason from the end. A
// message in another form says nothing.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func DenialOf(message string) (d Denial) {
	if len(message) > maxMessage {
		return d
	}
	_, rest, ok := cutDenied(message)
	if !ok {
		return d
	}
	action, rest, _ := strings.Cut(rest, " ")
	if action = strings.TrimSuffix(action, "."); !isAction(action) {
		return d
	}
	d.Action = action
	if head, secret, ok := cutLast(rest, " Encoded authorization failure message: "); ok && !strings.Contains(secret, " ") {
		rest = head // EC2's
	}
	rest = strings.TrimSuffix(rest, ".")
	if head, arn, ok := cutLast(rest, ": arn:"); ok && !strings.ContainsAny(arn, " \"") { // of the policy that denied it
		rest = head
	}
	for _, p := range []Policy{IdentityPolicy, ResourcePolicy, TrustPolicy, SessionPolicy, Boundary, ControlPolicy, LimitPolicy, EndpointPolicy} {
		switch {
		case strings.HasSuffix(rest, "because no "+string(p)+" allows the "+action+" action"):
			d.Policy = p
		case strings.HasSuffix(rest, "with an explicit deny in a "+string(p)), strings.HasSuffix(rest, "with an explicit deny in an "+string(p)),
			strings.HasSuffix(rest, "with an explicit deny in the "+string(p)):
			d.Policy, d.Explicit = p, true
		}
	}
	return d
}

// cutDenied takes a message apart: the ARN of who was denied, and what.
func cutDenied(message string) (who, what string, ok bool) {
	head, what, ok := strings.Cut(message, " is not authorized to perform: ")
	_, who, named := cutLast(head, "User: ")
	return who, what, ok && named
}

// WhoseDenial is the key of the role or user that was denied, as the message says; "" where
// it does not, or names somebody in another way. It is not always the caller: a service may
// be told so of a role that it took on.
func WhoseDenial(message string) string {
	if len(message) > maxMessage {
		return ""
	}
	who, _, ok := cutDenied(message)
	if !ok {
		return ""
	}
	key, ok := appendKey(nil, []byte(who))
	if !ok {
		return ""
	}
	return string(key)
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// isAction reports whether a text has the form of an IAM action.
func isAction(s string) bool {
	service, name, ok := strings.Cut(s, ":")
	word := func(s string) bool {
		return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
	}
	return ok && len(s) <= 128 && word(service) && word(name)
}

// AskedOf is who was denied and what it asked for, as a message says: the ARN of the caller, or
// "anonymous", and the ARN of the resource, "" where it says none or where it is not clear
// where that ends. The resource is the caller's to choose.
func AskedOf(message string) (who, resource string) {
	if len(message) > maxMessage {
		return "", ""
	}
	who, rest, ok := cutDenied(message)
	if !ok {
		return "", ""
	}
	_, rest, _ = strings.Cut(rest, " on resource: ")
	rest, _, _ = cutLast(rest, " Encoded authorization failure message: ")
	d := DenialOf(message)
	switch {
	case d.Policy == UnknownPolicy:
	case d.Explicit:
		rest, _, _ = cutLast(rest, " with an explicit deny in ")
	default:
		rest, _, _ = cutLast(rest, " because no ")
	}
	return who, wholeARN(strings.TrimSuffix(strings.TrimSpace(rest), "."), d.Policy == UnknownPolicy && len(message) >= cutAt)
}

// cutAt is the length of a message from which on it may be one that CloudTrail cut.
const cutAt = 1000

// wholeARN is the ARN that a message names, or *; "" where it is none, or may be the beginning of one
// alone. cut says that the message may have been cut in it.
func wholeARN(text string, cut bool) string {
	inner, quoted := strings.CutPrefix(text, `"`)
	if quoted {
		if inner, quoted = strings.CutSuffix(inner, `"`); !quoted {
			return ""
		}
	}
	switch {
	case inner != "*" && !strings.HasPrefix(inner, "arn:"), strings.ContainsAny(inner, " \t\r\n\""):
		return ""
	case !quoted && (cut || strings.HasSuffix(inner, ".") || strings.HasSuffix(inner, "…")):
		return ""
	}
	return inner
}
