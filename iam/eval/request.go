package eval

import (
	"strings"
)

// Request is one call of an AWS API as the authorization sees it: who, what,
// on which resource, under which circumstances.
type Request struct {
	Principal Principal
	Action    string // "s3:GetObject"; the case does not matter
	Resource  string // an ARN, or "*" for an action without resources
	Context   Context
}

// Principal is the caller of a request. The zero value is an anonymous caller.
type Principal struct {
	Type    PrincipalType // Unknown: derived from the ARN
	ARN     string        // of the user, role, session ...; the name of a service or identity provider
	Account string        // "": derived from the ARN
	ID      string        // unique ID (AIDA..., AROA...), where known
	// Canonical is the canonical user ID of the caller's account (S3).
	Canonical string
	// ServiceLinked marks a session of a service-linked role; the ARN of the
	// role itself shows it.
	ServiceLinked bool
}

// PrincipalType says what kind of caller a principal is.
type PrincipalType uint8

// The types of principal.
const (
	Unknown PrincipalType = iota
	Anonymous
	Root
	User
	Role      // a session of the role, under whatever name
	Session   // arn:aws:sts::111122223333:assumed-role/name/session
	Federated // user: arn:aws:sts::111122223333:federated-user/name
	Provider  // a SAML or OpenID Connect identity that assumes a role
	Service   // an AWS service: "cloudtrail.amazonaws.com"
)

// caller is a principal with everything derived from its ARN.
type caller struct {
	Principal
	role string // of a session: name of its role, without path
}

func newCaller(p Principal) caller {
	c := caller{Principal: p}
	service, account, rest := splitARN(p.ARN)
	if c.Account == "" {
		c.Account = account
	}
	kind, name, _ := strings.Cut(rest, "/")
	typ := Unknown
	switch {
	case p.ARN == "" && p.Account == "":
		typ = Anonymous
	case service == "iam" && rest == "root":
		typ = Root
	case service == "iam" && kind == "user":
		typ = User
	case service == "iam" && kind == "role":
		typ = Role
		c.ServiceLinked = c.ServiceLinked || strings.HasPrefix(name, "aws-service-role/")
	case service == "sts" && kind == "assumed-role":
		typ = Session
		c.role, _, _ = strings.Cut(name, "/")
	case service == "sts" && kind == "federated-user":
		typ = Federated
	case service == "" && strings.HasSuffix(p.ARN, ".amazonaws.com"):
		typ = Service
	}
	if c.Type == Unknown {
		c.Type = typ
	}
	return c
}

// splitARN returns the parts of an ARN that tell who someone is, or nothing.
func splitARN(arn string) (service, account, rest string) {
	after, ok := strings.CutPrefix(arn, "arn:")
	if !ok {
		return "", "", ""
	}
	_, after, _ = strings.Cut(after, ":")
	service, after, _ = strings.Cut(after, ":")
	_, after, _ = strings.Cut(after, ":")
	account, rest, _ = strings.Cut(after, ":")
	return service, account, rest
}

// WithDerived returns the request with the condition keys that AWS itself sets
// from the principal and the resource, where the context does not have them.
// Nothing else in this package looks there: a context counts as given.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (r Request) WithDerived() Request {
	c := newCaller(r.Principal)
	all := Context{}
	for k, v := range r.Context {
		all[strings.ToLower(k)] = v
	}
	set := func(key, value string) {
		if _, given := all[key]; !given && value != "" {
			all[key] = []string{value}
		}
	}
	_, account, rest := splitARN(c.ARN)
	set("aws:principalaccount", c.Account)
	set("aws:principaltype", principalTypes(c.Type))
	set("aws:principalisawsservice", map[bool]string{true: "true", false: "false"}[c.Type == Service])
	switch c.Type {
	case Service:
		set("aws:principalservicename", c.ARN)
	case User:
		set("aws:principalarn", c.ARN)
		set("aws:username", rest[strings.LastIndexByte(rest, '/')+1:])
		set("aws:userid", c.ID)
	case Session:
		// The ARN of a session in this key is that of its role.
		partition, _, _ := strings.Cut(strings.TrimPrefix(c.ARN, "arn:"), ":")
		set("aws:principalarn", "arn:"+partition+":iam::"+account+":role/"+c.role)
		set("aws:userid", c.ID)
	case Anonymous:
		set("aws:userid", "anonymous")
	case Unknown, Root, Role, Federated, Provider:
		set("aws:principalarn", c.ARN)
		set("aws:userid", c.ID)
	}
	_, owner, _ := splitARN(r.Resource)
	set("aws:resourceaccount", owner)
	r.Context = all
	return r
}

// principalTypes gives the value of aws:PrincipalType.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
func principalTypes(t PrincipalType) string {
	switch t {
	case Anonymous:
		return "Anonymous"
	case Root:
		return "Account"
	case User:
		return "User"
	case Role, Session:
		return "AssumedRole"
	case Federated:
		return "FederatedUser"
	case Unknown, Provider, Service:
	}
	return ""
}

// Outcome is the answer to a request.
type Outcome uint8

// The decisions. The zero value denies.
const (
	ImplicitDeny Outcome = iota // nothing allows it
	Allowed
	ExplicitDeny // a Deny statement forbids it
)

// String names the decision.
func (d Outcome) String() string {
	switch d {
	case Allowed:
		return "allowed"
	case ExplicitDeny:
		return "explicit deny"
	case ImplicitDeny:
		return "implicit deny"
	}
	return "unknown decision"
}
