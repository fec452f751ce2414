package dera

import "strings"

// MatchPrincipal reports whether a user, a role or a session is matched by an ARN glob. A
// role's own ARN tells its path, so that a pattern of many names below a path, role/app/*, is
// about the roles below that path and no others. Of one name the path does not count: names
// are unique in an account. The session of a role does not tell the path: in doubt it is
// below it.
func MatchPrincipal(pattern string, actor ARN) bool {
	if MatchARN(pattern, actor) {
		return true
	}
	role := RoleOf(string(actor))
	if role == "" || actor.Service() == "iam" && manyBelowPath(pattern) {
		return false
	}
	return MatchARN(withoutPath(pattern), ARN(role))
}

// manyBelowPath reports whether a pattern is about roles of more than one name below a
// path.
func manyBelowPath(pattern string) bool {
	_, resource, _ := cutResource(pattern)
	path, name, ok := strings.Cut(strings.TrimPrefix(resource, "role/"), "/")
	return ok && path != "" && strings.ContainsAny(name[strings.LastIndexByte(name, '/')+1:], "*?")
}

// RoleOf is the role of a session or of a role's own ARN, without its path, or
// nothing.
func RoleOf(actor string) string {
	a := ARN(actor)
	kind, name, _ := strings.Cut(a.Resource(), "/")
	if kind == "assumed-role" && a.Service() == "sts" {
		name, _, _ = strings.Cut(name, "/")
	} else if name = a.Name(); kind != "role" || a.Service() != "iam" {
		return ""
	}
	return string(NewARN(a.Partition(), "iam", "", a.Account(), "role/"+name))
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
