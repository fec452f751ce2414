package document

import (
	"strings"

	"dera.example/dera/iam/policy"
)

// Principal is one principal that a statement names, or everybody.
type Principal struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// Everyone reports whether it is anybody at all.
func (p Principal) Everyone() bool { return p.Kind == policy.PrincipalAWS && p.Value == "*" }

// Account is the account of an AWS principal, or empty.
func (p Principal) Account() string {
	if p.Kind != policy.PrincipalAWS {
		return ""
	}
	if account, ok := policy.RootAccount(p.Value); ok {
		return account
	}
	if parts := strings.SplitN(p.Value, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// root reports whether it is an account as such: access that the account's own
// policies give on.
func (p Principal) root() bool {
	_, ok := policy.RootAccount(p.Value)
	return ok && p.Kind == policy.PrincipalAWS
}

// PrincipalsOf are the principals that a statement is about. What is about all but
// some is about everybody.
func PrincipalsOf(st *policy.Statement) []Principal {
	if st.Principals == nil && st.NotPrincipals == nil {
		return nil
	}
	if st.Principals == nil || st.Principals.Any {
		return []Principal{{policy.PrincipalAWS, "*"}}
	}
	var out []Principal
	for _, g := range st.Principals.Groups {
		for _, v := range g.Values {
			out = append(out, Principal{g.Kind, v})
		}
	}
	return out
}

// withPrincipals is the statement about these principals alone, in the order that
// they have in it.
func withPrincipals(st policy.Statement, list []Principal) policy.Statement {
	ps := &policy.Principals{}
	for _, p := range list {
		if n := len(ps.Groups); n == 0 || ps.Groups[n-1].Kind != p.Kind {
			ps.Groups = append(ps.Groups, policy.PrincipalGroup{Kind: p.Kind})
		}
		g := &ps.Groups[len(ps.Groups)-1]
		g.Values = append(g.Values, p.Value)
	}
	if len(list) == 1 && list[0].Everyone() {
		ps = &policy.Principals{Any: true}
	}
	st.Principals = ps
	return st
}
