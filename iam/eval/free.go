package eval

import "strings"

// freedom says how far AWS lets a caller do something whatever the policies say.
type freedom uint8

const (
	byPolicy     freedom = iota // the policies decide
	unlessDenied                // no policy has to allow it; a Deny holds
	always                      // no Deny holds either
)

// freedomOf says which rule of AWS holds for a request before all policies.
//
// "No permissions are required to perform this operation. If an administrator attaches
// a policy to your identity that explicitly denies access to the sts:GetCallerIdentity
// action, you can still perform this operation."
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
//
// "No permissions are required for a user to get a session token." Users and the root
// user alone can ask for one. The guide also says that a policy with the action has no
// effect; of a Deny we do not rely on it, so that one still counts.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html
func freedomOf(r *Request, c *caller) freedom {
	switch {
	case c.Type == Anonymous || c.Type == Service || c.Type == Provider:
		return byPolicy // neither signs with keys of IAM
	case strings.EqualFold(r.Action, "sts:GetCallerIdentity"):
		return always
	case strings.EqualFold(r.Action, "sts:GetSessionToken") && (c.Type == User || c.Type == Root):
		return unlessDenied
	}
	return byPolicy
}
