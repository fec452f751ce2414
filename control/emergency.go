package control

import (
	"strings"

	"dera.example/dera"
)

// Emergency are principals that are there for emergencies: their use is reported,
// whatever they did.
type Emergency struct {
	// Principals are ARN globs of users and roles, and Roles globs on names of roles, in
	// every account: the break-glass list.
	Principals []string
	Roles      []string
	// Excluded are globs on names of roles that service control policies exclude.
	Excluded []string
}

// Empty reports whether nothing is listed.
func (e Emergency) Empty() bool { return len(e.Principals)+len(e.Roles)+len(e.Excluded) == 0 }

// Lists says by which entry a user or role is listed, or nothing.
func (e Emergency) Lists(arn dera.ARN) (how string) {
	for _, p := range e.Principals {
		if dera.MatchPrincipal(p, arn) {
			return "break_glass.principals has " + p
		}
	}
	if !strings.HasPrefix(arn.Resource(), "role/") {
		return ""
	}
	for _, p := range e.Roles {
		if dera.MatchGlob(p, arn.Name()) {
			return "break_glass.roles has " + p
		}
	}
	for _, p := range e.Excluded {
		if dera.MatchGlob(p, arn.Name()) {
			return "break_glass.scp_excluded has " + p
		}
	}
	return ""
}
