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
	return actor != "" && slices.ContainsFunc(patterns, func(p string) bool { return isPrincipal(p, dera.ARN(actor)) })
}

// isPrincipal is IsPrincipal of one pattern. A role's own ARN tells its path, so that a
// pattern of many names below a path, role/app/*, is about the roles below that path and
// no others. Of one name the path does not count: names are unique in an account. The
// session of a role does not tell the path: in doubt it is below it.
func isPrincipal(pattern string, actor dera.ARN) bool {
	if dera.MatchARN(pattern, actor) {
		return true
	}
	role := roleOf(string(actor))
	if role == "" || actor.Service() == "iam" && manyBelowPath(pattern) {
		return false
	}
	return dera.MatchARN(withoutPath(pattern), dera.ARN(role))
}

// manyBelowPath reports whether a pattern is about roles of more than one name below a
// path.
func manyBelowPath(pattern string) bool {
	_, resource, _ := cutResource(pattern)
	path, name, ok := strings.Cut(strings.TrimPrefix(resource, "role/"), "/")
	return ok && path != "" && strings.ContainsAny(name[strings.LastIndexByte(name, '/')+1:], "*?")
}

// Principal is the principal behind an actor: the role of a role's session (its
// ARN without a path), else the actor itself.
func Principal(actor string) string {
	if role := roleOf(actor); role != "" {
		return role
	}
	return actor
}

// IsRoot reports whether the ARN is an account's root user.
func IsRoot(arn string) bool {
	a := dera.ARN(arn)
	return a.Service() == "iam" && a.Resource() == "root" || strings.EqualFold(arn, "root")
}

// roleOf is the role of a session or of a role's own ARN, without its path.
func roleOf(actor string) string {
	a := dera.ARN(actor)
	kind, rest, _ := strings.Cut(a.Resource(), "/")
	name := rest
	switch {
	case a.Service() == "sts" && kind == "assumed-role":
		name, _, _ = strings.Cut(rest, "/")
	case a.Service() == "iam" && kind == "role":
		name = a.Name()
	default:
		return ""
	}
	return string(dera.NewARN(a.Partition(), "iam", "", a.Account(), "role/"+name))
}

// withoutPath is the pattern of a role without the role's path: records of
// sessions do not tell it, and names are unique in an account.
func withoutPath(pattern string) string {
	head, resource, ok := cutResource(pattern)
	if !ok || !strings.HasPrefix(resource, "role/") {
		return pattern
	}
	return head + "role/" + resource[strings.LastIndexByte(resource, '/')+1:]
}

func cutResource(arn string) (head, resource string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return "", "", false
	}
	return arn[:len(arn)-len(parts[5])], parts[5], true
}
