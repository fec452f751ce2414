package policy

import (
	"fmt"
	"strings"
)

// vendorCharacters are the characters of a service prefix.
const vendorCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."

// iamPaths are the beginnings that AWS accepts of the last part of an IAM ARN,
// in the order of its message.
const iamPaths = "user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, " +
	"policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/"

// resourceFormat checks one resource of an identity-like policy: a bare "*" or
// an ARN, of which AWS looks at partition and service only, and at the rest
// for S3 and IAM. A short ARN stands for all that starts so: AWS's messages
// show it filled up with "*".
func (v *validator) resourceFormat(n *node) *Error {
	if n.str == "*" {
		return nil
	}
	parts := strings.SplitN(n.str, ":", 6)
	if len(parts) == 1 {
		return v.fault(n, fmt.Sprintf(`Resource %s must be in ARN format or "*".`, n.str), "")
	}
	given := len(parts)
	for len(parts) < 6 {
		parts = append(parts, "*")
	}
	partition, service, region, account, rest := parts[1], parts[2], parts[3], parts[4], parts[5]
	if !knownPartition(partition) {
		return v.fault(n, fmt.Sprintf(`Partition "%s" is not valid for resource "arn:%s".`,
			partition, strings.Join(parts[1:], ":")), "resource %q", n.str)
	}
	if given == 2 {
		return v.fault(n, "Resource vendor must be fully qualified and cannot contain regexes.", "resource %q", n.str)
	}
	// An S3 ARN with a region belongs to an account: an access point, a job.
	located := given > 3 && region != ""
	if service == "iam" && located {
		return v.fault(n, "IAM resource "+n.str+" cannot contain region information.", "")
	}
	if service == "s3" && located && account == "" {
		return v.fault(n, "Resource "+n.str+" can not contain region information.", "")
	}
	if service == "iam" && rest != "*" && !hasIAMPath(rest) {
		return v.fault(n, `IAM resource path must either be "*" or start with `+iamPaths+".", "resource %q", n.str)
	}
	return nil
}

func knownPartition(partition string) bool {
	switch partition {
	case "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc", "*":
		return true
	default:
		return false
	}
}

func hasIAMPath(rest string) bool {
	if rest == "root" { // AWS's own policies about root users have it
		return true
	}
	for path := range strings.SplitSeq(iamPaths, ", ") {
		if strings.HasPrefix(rest, path) {
			return true
		}
	}
	return false
}

// breaksOff reports whether the older parser refuses an ARN: its service is
// empty, or it is short and has an empty part.
func breaksOff(arn string) bool {
	if arn == "*" {
		return false
	}
	parts := strings.SplitN(arn, ":", 6)
	return len(parts) > 2 && parts[2] == "" || len(parts) < 6 && strings.Contains(arn, "::")
}
