package eval

import (
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// grant says how closely a statement names the caller. In the caller's own
// account that decides which other policies must allow the request too.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single.html
type grant uint8

const (
	noGrant      grant = iota
	grantAccount       // the account: it may pass the permission on by identity policies
	grantRole          // the role: boundary and session policy still limit its sessions
	grantDirect        // the user or session itself, or everybody
)

// principals is a compiled Principal or NotPrincipal element.
type principals struct {
	everyone bool
	accounts []string // the account as a whole
	arns     []string // users, roles, sessions
	ids      []string // AWS shows these for deleted users and roles
	others   []other
}

// other is a principal that is not of kind AWS.
type other struct{ kind, value string }

func newPrincipals(ps *policy.Principals) *principals {
	if ps == nil {
		return nil
	}
	c := &principals{everyone: ps.Everyone()}
	for _, g := range ps.Groups {
		for _, v := range g.Values {
			account, isAccount := policy.RootAccount(v)
			switch {
			case g.Kind != policy.PrincipalAWS:
				c.others = append(c.others, other{g.Kind, v})
			case isAccount:
				c.accounts = append(c.accounts, account)
			case strings.HasPrefix(v, "arn:"):
				c.arns = append(c.arns, v)
			default:
				c.ids = append(c.ids, v)
			}
		}
	}
	return c
}

// match returns how closely the list names the caller. There are no wildcards
// but a whole "*": "You cannot use a wildcard to match part of a principal name
// or ARN."
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (ps *principals) match(c *caller) grant {
	if ps.everyone || ps.matchOthers(c) {
		return grantDirect
	}
	best := noGrant
	if ps.hasAccount(c) {
		best = grantAccount
	}
	for _, arn := range ps.arns {
		best = max(best, matchARN(arn, c))
	}
	for _, id := range ps.ids {
		best = max(best, matchID(id, c))
	}
	return best
}

func (ps *principals) hasAccount(c *caller) bool {
	return c.Account != "" && slices.Contains(ps.accounts, c.Account)
}

func matchARN(arn string, c *caller) grant {
	switch {
	case c.ARN == "":
		return noGrant
	case arn == c.ARN && c.Type == Role:
		return grantRole
	case arn == c.ARN:
		return grantDirect
	case c.Type == Session && isRole(arn, c):
		return grantRole
	default:
		return noGrant
	}
}

// isRole reports whether an ARN is that of the role of a session. The ARN of a
// session lacks the path of the role; names are unique in an account.
func isRole(arn string, c *caller) bool {
	service, account, rest := splitARN(arn)
	return service == "iam" && account == c.Account && strings.HasPrefix(rest, "role/") &&
		rest[strings.LastIndexByte(rest, '/')+1:] == c.role && samePartition(arn, c.ARN)
}

func samePartition(a, b string) bool {
	p, _, _ := strings.Cut(strings.TrimPrefix(a, "arn:"), ":")
	q, _, _ := strings.Cut(strings.TrimPrefix(b, "arn:"), ":")
	return p == q
}

// matchID compares unique IDs. The ID of a session is that of its role and the
// session's name.
func matchID(id string, c *caller) grant {
	own, _, _ := strings.Cut(c.ID, ":")
	switch {
	case c.ID == "" || id != own && id != c.ID:
		return noGrant
	case id == own && (c.Type == Role || c.Type == Session):
		return grantRole
	default:
		return grantDirect
	}
}

func (ps *principals) matchOthers(c *caller) bool {
	for _, o := range ps.others {
		switch o.kind {
		case policy.PrincipalService:
			if c.Type == Service && (o.value == "*" || o.value == c.ARN) {
				return true
			}
		case policy.PrincipalFederated:
			if c.Type == Provider && (o.value == "*" || o.value == c.ARN) {
				return true
			}
		default:
			if c.Canonical != "" && o.value == c.Canonical {
				return true
			}
		}
	}
	return false
}

// spares reports whether a NotPrincipal element of a Deny statement leaves the
// caller alone. AWS asks that for each of the caller's identities: "you must
// also specify the account ARN of the not-denied principal", and for a session
// the role and the session.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
func (ps *principals) spares(c *caller) bool {
	if ps.everyone || ps.matchOthers(c) {
		return true
	}
	if c.Account != "" && !ps.hasAccount(c) {
		return false
	}
	named := slices.Contains(ps.arns, c.ARN) || c.ID != "" && slices.Contains(ps.ids, c.ID)
	switch {
	case c.Type == Root:
		return true
	case c.Type == Session:
		return named && slices.ContainsFunc(ps.arns, func(arn string) bool { return isRole(arn, c) })
	default:
		return named
	}
}
