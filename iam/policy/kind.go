package policy

import "unicode/utf8"

// Kind says where a document is used: AWS refuses different things in an
// identity policy, a trust policy or a service control policy.
type Kind uint8

// The kinds of policy.
const (
	Identity Kind = iota // of a user, group or role, managed or inline
	Boundary             // permissions boundary
	Session              // passed to AssumeRole or GetFederationToken
	Trust                // of a role: who may assume it
	Resource             // of a bucket, key, queue, ...
	SCP                  // service control policy
	RCP                  // resource control policy
)

// String names the kind as AWS's documentation does.
func (k Kind) String() string {
	switch k {
	case Identity:
		return "identity-based policy"
	case Boundary:
		return "permissions boundary"
	case Session:
		return "session policy"
	case Trust:
		return "trust policy"
	case Resource:
		return "resource-based policy"
	case SCP:
		return "service control policy"
	case RCP:
		return "resource control policy"
	default:
		return "unknown kind of policy"
	}
}

// identityLike reports whether IAM's CreatePolicy rules hold for the kind.
func (k Kind) identityLike() bool { return k == Identity || k == Boundary || k == Session }

// SizeLimit returns the largest size that AWS stores for one document of the
// kind, in the unit that Size counts, or zero where it depends on the service
// (resource policies). Inline policies share a limit per user, group or role:
// 2048, 5120 and 10240; Identity gives that of a managed policy. The limit of
// a trust policy is the default one, an account may have raised it to 4096.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
func (k Kind) SizeLimit() int {
	switch k {
	case Identity, Boundary:
		return 6144
	case Session, Trust:
		return 2048
	case SCP, RCP:
		return 5120
	case Resource:
	}
	return 0
}

// Size returns the size of the document as AWS counts it against the limit of
// a policy of this kind. IAM does not count white space; this function counts
// the white space within strings, so that it can err upwards only. Organizations
// counts every character, S3 and the other services every byte.
func (d *Document) Size(k Kind) int {
	text := d.Text()
	switch k {
	case Identity, Boundary, Trust:
		return tightSize(text)
	case Session, SCP, RCP:
		return utf8.RuneCountInString(text)
	case Resource:
	}
	return len(text)
}

// tightSize counts characters, but not the white space between the strings.
func tightSize(text string) int {
	n := 0
	quoted, escaped := false, false
	for _, r := range text {
		if quoted || r > ' ' {
			n++
		}
		if r == '"' && !escaped {
			quoted = !quoted
		}
		escaped = r == '\\' && !escaped
	}
	return n
}
