package check

import (
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// byPrincipal are the statement for each of the principals that it names, or nothing
// where it does not name several.
func (s *statement) byPrincipal() []*statement {
	if s.Principals == nil || s.Principals.Everyone() || s.NotPrincipals != nil {
		return nil
	}
	var out []*statement
	for _, g := range s.Principals.Groups {
		for _, v := range g.Values {
			one := *s.Statement
			one.Principals = &policy.Principals{Groups: []policy.PrincipalGroup{{Kind: g.Kind, Values: []string{v}}}}
			out = append(out, newStatement(&one, s.variables))
		}
	}
	return out
}

// within reports whether a principal is one of those of a group. To deny an account is
// to deny everybody in it; to allow one is not to allow each of its principals, since
// the account's own policies must allow it too.
//
// Source: IAM user guide, "AWS JSON policy elements: Principal", "AWS account
// principals".
func within(kind, value string, g policy.PrincipalGroup, effect policy.Effect) bool {
	if g.Kind != kind {
		return false
	}
	if slices.Contains(g.Values, value) {
		return true
	}
	account := accountOf(kind, value)
	return effect == policy.Deny && account != "" && slices.ContainsFunc(g.Values, func(w string) bool {
		root, ok := policy.RootAccount(w)
		return ok && root == account
	})
}

// accountOf is the account of an AWS principal that is named by number or ARN, or "".
func accountOf(kind, value string) string {
	if kind != policy.PrincipalAWS {
		return ""
	}
	if account, ok := policy.RootAccount(value); ok {
		return account
	}
	parts := strings.SplitN(value, ":", 6)
	if len(parts) != 6 || len(parts[4]) != 12 || strings.Trim(parts[4], "0123456789") != "" {
		return ""
	}
	return parts[4]
}

// differ reports whether no caller is one of the principals of both: those of
// different accounts, services of AWS with no name in common, different identity providers, or of
// different kinds among these.
func differ(a, b *policy.Principals) bool {
	if a == nil || b == nil || a.Everyone() || b.Everyone() {
		return false
	}
	for _, g := range a.Groups {
		for _, v := range g.Values {
			for _, h := range b.Groups {
				for _, w := range h.Values {
					if !apartPrincipals(g.Kind, v, h.Kind, w) {
						return false
					}
				}
			}
		}
	}
	return true
}

func apartPrincipals(kind, value, other, name string) bool {
	known := func(kind, value string) bool {
		return kind == policy.PrincipalService || kind == policy.PrincipalFederated || accountOf(kind, value) != ""
	}
	switch {
	case strings.ContainsAny(value+name, "*?$"), !known(kind, value), !known(other, name):
		return false
	case kind != other:
		return true
	case kind == policy.PrincipalAWS:
		return accountOf(kind, value) != accountOf(other, name)
	}
	if kind == policy.PrincipalService {
		return apartServices(value, name)
	}
	return !strings.EqualFold(value, name)
}

// apartServices reports whether no caller is both services. One service has several
// names: with a region, or with the ending of a partition (logs.amazonaws.com,
// logs.us-east-1.amazonaws.com, ec2.amazonaws.com.cn).
//
// Source: IAM user guide, "AWS service principals", "aws:PrincipalServiceNamesList".
func apartServices(a, b string) bool {
	labels := func(s string) []string {
		s = strings.TrimSuffix(strings.ToLower(s), ".cn")
		return strings.Split(strings.TrimSuffix(s, ".amazonaws.com"), ".")
	}
	of := labels(b)
	return !slices.ContainsFunc(labels(a), func(l string) bool { return slices.Contains(of, l) })
}
