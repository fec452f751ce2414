package reason

import (
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera/iam/lang"
	"dera.example/dera/iam/policy"
)

// external describes a symbolic caller whom nobody trusts. For each key by
// which AWS tells who or where a caller is, the external principal has none of the
// trusted values: in a question about public access those that the policy
// itself names without a wildcard in the part that matters, in a question
// about a zone of trust those of the zone.
type external struct {
	zone *Zone // nil asks about public access
	docs Policies
	// The actions and resources that are asked about; none stands for all.
	actions, on []string
	// owner is the account of the resource, where known.
	owner string
	// strict trusts values too of which it is not certain that no external principal has
	// them.
	strict bool
}

// assume returns what is known about the external principal, as literals.
func (s external) assume(c *compiler) []lit {
	trusted := map[int][]*lang.Glob{}
	var networks []lang.Span // each list without its wide stretches
	addressed := false
	for _, doc := range s.docs {
		c.variables = doc.Variables()
		for i := range doc.Statements {
			if doc.Statements[i].Effect == policy.NoEffect {
				continue
			}
			for j := range doc.Statements[i].Conditions {
				cond := &doc.Statements[i].Conditions[j]
				d := c.t.dim(cond.Key)
				trusted[d] = append(trusted[d], s.named(c, d, cond)...)
				if op, _ := policy.ParseOperator(cond.Operator); strings.HasSuffix(op.Test, "IpAddress") && c.t.dims[d].key == "aws:sourceip" {
					addressed = true
					var list []lang.Span
					for _, v := range cond.Values {
						spans, _ := addressSpan(v)
						list = append(list, spans...)
					}
					networks = append(networks, narrow(lang.NewRanges(list...)).Spans()...)
				}
			}
		}
	}
	out := s.principals(c)
	if len(s.on) > 0 {
		out = append(out, c.among(s.on))
	}
	for d := firstKeyDim; d < len(c.t.dims); d++ {
		out = append(out, s.possible(c, d)...)
		switch key := c.t.dims[d].key; {
		case key == "aws:sourceip":
			trusted := narrow(lang.NewRanges(networks...)).Union(private())
			if addressed {
				out = append(out, c.t.someRange(d, addresses, trusted).not())
			}
		case key == "aws:principalisawsservice":
			out = append(out, c.boolean(d, []string{"true"})[0].lit.not())
		case key == "aws:principalservicename", key == "aws:principalservicenameslist":
			out = append(out, c.t.present(d).not())
		case len(trusted[d]) > 0:
			out = append(out, c.t.some(d, lang.Union(trusted[d]...)).not())
		}
	}
	return out
}

// sharedIssuers issue web identities to anybody who signs up: to trust one of
// them without a condition on the subject is to trust everybody.
func sharedIssuers() []string {
	return []string{"token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io"}
}

// principals returns the callers that an external principal can be: nobody known, a
// principal of an account that is not trusted, or a web identity that anybody
// can get.
func (s external) principals(c *compiler) []lit {
	var globs []*lang.Glob
	for _, service := range []string{"iam", "sts"} {
		var b lang.Builder
		b.Lit(anonymous + "arn:")
		b.ManyInSegment()
		b.Lit(":" + service + "::")
		for range 12 {
			b.OneInSegment()
		}
		b.Lit(":")
		b.Many()
		globs = append(globs, b.Glob())
	}
	globs = append(globs, lang.Exact(anonymous))
	if s.zone == nil {
		for _, host := range []string{"cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com"} {
			globs = append(globs, lang.Exact(policy.PrincipalFederated+":"+host))
		}
		for _, issuer := range sharedIssuers() {
			var b lang.Builder
			b.Lit(policy.PrincipalFederated + ":arn:")
			b.ManyInSegment()
			b.Lit(":iam::")
			b.ManyInSegment()
			b.Lit(":oidc-provider/" + issuer)
			globs = append(globs, b.Glob())
		}
	} else {
		// Whose unique and canonical IDs these are, nobody can tell.
		globs = append(globs, prefixGlob(policy.PrincipalFederated+":"), prefixGlob(policy.PrincipalCanonical+":"), prefixGlob(anonymous+"A"))
	}
	var out []*lang.Glob
	for _, a := range s.accounts() {
		out = append(out, ofAccount("iam", a), ofAccount("sts", a), providerOf(a))
	}
	if s.zone != nil {
		for _, p := range s.zone.Principals {
			out = append(out, awsPrincipal(p)...)
			out = append(out, lang.Exact(policy.PrincipalCanonical+":"+p))
		}
	}
	return []lit{c.t.own(principalDim, lang.Union(globs...)), c.t.own(principalDim, lang.Union(out...)).not()}
}

// providerOf returns the identity providers of an account in any partition.
func providerOf(account string) *lang.Glob {
	var b lang.Builder
	b.Lit(policy.PrincipalFederated + ":arn:")
	b.ManyInSegment()
	b.Lit(":iam::" + account + ":")
	b.Many()
	return b.Glob()
}

// accounts returns the trusted accounts: for public access those that the
// policy names as principals.
func (s external) accounts() []string {
	if s.zone != nil {
		return s.zone.Accounts
	}
	var out []string
	for _, doc := range s.docs {
		for i := range doc.Statements {
			for _, ps := range []*policy.Principals{doc.Statements[i].Principals, doc.Statements[i].NotPrincipals} {
				if ps == nil {
					continue
				}
				for _, v := range awsValues(ps) {
					account, ok := policy.RootAccount(v)
					if parts := strings.SplitN(v, ":", 6); !ok && len(parts) == 6 {
						account = parts[4]
					}
					if account != "" && account != "*" && !slices.Contains(out, account) {
						out = append(out, account)
					}
				}
			}
		}
	}
	return out
}

// narrow drops from a set of addresses the stretches that are wider than what
// one organisation can own: more than a /8 of IPv4 or a /32 of IPv6. Ranges
// that touch count as one, so that the whole internet in pieces stays wide.
//
// Source of the widths: S3 User Guide, "The meaning of public".
func narrow(r lang.Ranges) lang.Ranges {
	var out []lang.Span
	for _, s := range r.Spans() {
		wide := s.To.Hi-s.From.Hi >= 1<<32
		if s.From.Family == lang.IPv4 {
			wide = s.To.Lo-s.From.Lo >= 1<<24
		}
		if !wide {
			out = append(out, s)
		}
	}
	return lang.NewRanges(out...)
}

// private returns the addresses from which no external principal comes.
func private() lang.Ranges {
	var out []lang.Span
	for _, p := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"} {
		out = append(out, lang.PrefixSpan(netip.MustParsePrefix(p)))
	}
	return lang.NewRanges(out...)
}
