package reason

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/lang"
	"dera.example/dera/iam/policy"
)

// A principal is written as its kind and its name, "AWS:arn:aws:iam::…" or
// "Service:ec2.amazonaws.com", so that callers of all kinds share one
// dimension. A caller without credentials is "AWS:" with no name.
const anonymous = policy.PrincipalAWS + ":"

// callers returns the set of all principals in this form.
func callers() *lang.Set {
	account := func(service string) *lang.Glob {
		var b lang.Builder
		b.Lit(anonymous + "arn:")
		b.ManyInSegment()
		b.Lit(":" + service + "::")
		b.ManyInSegment()
		b.Lit(":")
		b.Many()
		return b.Glob()
	}
	var id lang.Builder
	id.Lit(anonymous + "A")
	id.ManyInSegment()
	return lang.Union(lang.Exact(anonymous), account("iam"), account("sts"), id.Glob(),
		prefixGlob(policy.PrincipalService+":"), prefixGlob(policy.PrincipalFederated+":"),
		prefixGlob(policy.PrincipalCanonical+":"))
}

// principals translates Principal or NotPrincipal.
func (c *compiler) principals(st *policy.Statement) alternatives {
	deny := st.Effect == policy.Deny
	switch {
	case st.Principals != nil && st.Principals.Everyone(), st.Principals == nil && st.NotPrincipals == nil:
		return alternatives{{}}
	case st.Principals != nil:
		if deny && hasIDs(st.Principals) {
			return alternatives{{c.opaquePrincipals("Principal", st.Principals)}}
		}
		return alternatives{{c.t.some(principalDim, principalSet(st.Principals))}}
	case st.NotPrincipals.Everyone():
		return nil
	case !deny:
		return alternatives{{c.t.some(principalDim, principalSet(st.NotPrincipals)) | outsideBit}}
	case hasIDs(st.NotPrincipals):
		return alternatives{{c.opaquePrincipals("NotPrincipal", st.NotPrincipals)}}
	}
	return alternatives{{c.t.some(principalDim, spared(st.NotPrincipals)) | outsideBit}}
}

// opaquePrincipals stands for a list with unique IDs in a Deny: a caller has an
// ARN and an ID at once, so the list may or may not be about a given ARN.
func (c *compiler) opaquePrincipals(element string, ps *policy.Principals) lit {
	return c.t.opaque(principalDim, fmt.Sprintf("%q %q", element, ps.Groups))
}

func hasIDs(ps *policy.Principals) bool {
	for _, v := range awsValues(ps) {
		if _, account := policy.RootAccount(v); !account && !strings.HasPrefix(v, "arn:") {
			return true
		}
	}
	return false
}

// awsValues returns the principals of kind AWS.
func awsValues(ps *policy.Principals) []string {
	var out []string
	for _, g := range ps.Groups {
		if g.Kind == policy.PrincipalAWS {
			out = append(out, g.Values...)
		}
	}
	return out
}

// principalSet returns the callers that a Principal element names.
func principalSet(ps *policy.Principals) *lang.Set {
	globs := otherPrincipals(ps)
	for _, v := range awsValues(ps) {
		globs = append(globs, awsPrincipal(v)...)
	}
	return lang.Union(globs...)
}

// otherPrincipals returns services, identity providers and canonical users.
func otherPrincipals(ps *policy.Principals) []*lang.Glob {
	var globs []*lang.Glob
	for _, g := range ps.Groups {
		for _, v := range g.Values {
			switch {
			case g.Kind == policy.PrincipalAWS:
			case v == "*" && g.Kind != policy.PrincipalCanonical:
				globs = append(globs, prefixGlob(g.Kind+":"))
			default:
				globs = append(globs, lang.Exact(g.Kind+":"+v))
			}
		}
	}
	return globs
}

// awsPrincipal returns the callers that an AWS principal stands for: an account
// is everybody in it, a role is also its sessions, and anything else is itself.
//
// Source: IAM User Guide, "AWS JSON policy elements: Principal".
func awsPrincipal(v string) []*lang.Glob {
	if account, ok := policy.RootAccount(v); ok {
		return []*lang.Glob{ofAccount("iam", account), ofAccount("sts", account)}
	}
	globs := []*lang.Glob{lang.Exact(anonymous + v)}
	parts := strings.SplitN(v, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "iam" {
		return globs
	}
	if path, ok := strings.CutPrefix(parts[5], "role/"); ok {
		role := path[strings.LastIndexByte(path, '/')+1:]
		globs = append(globs, prefixGlob(anonymous+"arn:"+parts[1]+":sts::"+parts[4]+":assumed-role/"+role+"/"))
	}
	return globs
}

// ofAccount returns the principals of an account in any partition.
func ofAccount(service, account string) *lang.Glob {
	var b lang.Builder
	b.Lit(anonymous + "arn:")
	b.ManyInSegment()
	b.Lit(":" + service + "::" + account + ":")
	b.Many()
	return b.Glob()
}

// spared returns the callers that a NotPrincipal in a Deny leaves alone: those
// of whom every identity is listed, the account and, for a session, the role.
//
// Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal".
func spared(ps *policy.Principals) *lang.Set {
	globs := otherPrincipals(ps)
	values := awsValues(ps)
	var accounts []string
	for _, v := range values {
		account, ok := policy.RootAccount(v)
		if !ok || slices.Contains(accounts, account) {
			continue
		}
		accounts = append(accounts, account)
		var b lang.Builder
		b.Lit(anonymous + "arn:")
		b.ManyInSegment()
		b.Lit(":iam::" + account + ":root")
		globs = append(globs, b.Glob())
	}
	for _, v := range values {
		parts := strings.SplitN(v, ":", 6)
		if len(parts) < 6 || !slices.Contains(accounts, parts[4]) {
			continue
		}
		if strings.HasPrefix(parts[5], "assumed-role/") && !slices.ContainsFunc(values, func(role string) bool {
			sessions := awsPrincipal(role)
			return strings.Contains(role, ":role/") && len(sessions) == 2 && sessions[1].Match(anonymous+v)
		}) {
			continue
		}
		globs = append(globs, lang.Exact(anonymous+v))
	}
	return lang.Union(globs...)
}

// principalOf turns a word of the principal dimension into a caller.
func principalOf(word string) (eval.Principal, bool) {
	kind, name, ok := strings.Cut(word, ":")
	switch {
	case !ok:
		return eval.Principal{}, false
	case kind == policy.PrincipalService:
		return eval.Principal{Type: eval.Service, ARN: name}, true
	case kind == policy.PrincipalFederated:
		return eval.Principal{Type: eval.Provider, ARN: name}, true
	case kind == policy.PrincipalCanonical:
		return eval.Principal{Canonical: name}, true
	case name == "":
		return eval.Principal{Type: eval.Anonymous}, true
	case strings.HasPrefix(name, "arn:"):
		return eval.Principal{ARN: name}, true
	}
	return eval.Principal{ID: name}, true
}

func prefixGlob(prefix string) *lang.Glob {
	var b lang.Builder
	b.Lit(prefix)
	b.Many()
	return b.Glob()
}
