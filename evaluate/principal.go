package evaluate

import (
	"slices"
	"strings"

	"dera.example/dera"
)

// IsPrincipal reports whether an actor, as an event names it, is one of the
// principals: ARN globs. A session of a role is the role: the ARN of a role
// matches arn:…:assumed-role/NAME/SESSION, whatever the path of the role.
func IsPrincipal(patterns []string, actor string) bool {
	return actor != "" && slices.ContainsFunc(patterns, func(p string) bool { return dera.MatchPrincipal(p, dera.ARN(actor)) })
}

// Principal is the principal behind an actor: the role of a role's session (its
// ARN without a path), else the actor itself.
func Principal(actor string) string {
	if role := dera.RoleOf(actor); role != "" {
		return role
	}
	return actor
}

// IsPerson reports whether an ARN can be that of a person: a user, a role, or a session of
// one. Two people with one role count as one where two are asked for.
func IsPerson(arn string) bool {
	a := dera.ARN(arn)
	kind, name, _ := strings.Cut(a.Resource(), "/")
	return name != "" && (a.Service() == "iam" && (kind == "user" || kind == "role") || a.Service() == "sts" && kind == "assumed-role")
}

// IsRoot reports whether the ARN is an account's root user.
func IsRoot(arn string) bool {
	a := dera.ARN(arn)
	return a.Service() == "iam" && a.Resource() == "root" || strings.EqualFold(arn, "root")
}
