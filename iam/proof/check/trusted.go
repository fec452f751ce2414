package check

import (
	"encoding/binary"
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// trusted reports whether all of the principals are no external principals.
func (c *closer) trusted(ps *policy.Principals) bool {
	for _, g := range ps.Groups {
		for _, v := range g.Values {
			if !c.principal(g.Kind, v) {
				return false
			}
		}
	}
	return true
}

func (c *closer) principal(kind, v string) bool {
	named := !c.trust.Zoned || slices.Contains(c.trust.Principals, v)
	switch kind {
	case policy.PrincipalService:
		return true // services are another finding
	case policy.PrincipalCanonical:
		return named
	case policy.PrincipalFederated:
		fields := strings.SplitN(v, ":", 6)
		if len(fields) < 6 || !number(fields[4]) {
			return false
		}
		for _, issuer := range []string{"token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io"} {
			if strings.HasSuffix(fields[5], "/"+issuer) {
				return false
			}
		}
		return !c.trust.Zoned || slices.Contains(c.trust.Accounts, fields[4])
	}
	if account, ok := policy.RootAccount(v); ok {
		return !c.trust.Zoned || slices.Contains(c.trust.Accounts, account)
	}
	if fields := strings.SplitN(v, ":", 6); len(fields) == 6 {
		if fields[4] == "cloudfront" { // an origin access identity stands in no account's place
			return named && strings.HasPrefix(fields[5], "user/CloudFront Origin Access Identity ")
		}
		return number(fields[4]) && (named || slices.Contains(c.trust.Accounts, fields[4]))
	}
	return named && !strings.ContainsAny(v, "*?:")
}

func number(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// excludes reports whether no external principal fulfils a condition: it never holds, or
// wants a value that none has. What holds for an absent key excludes nobody.
func (c *closer) excludes(d *policy.Condition, variables bool) bool {
	op, ok := policy.ParseOperator(d.Operator)
	switch {
	case !ok:
		return true
	case op.IfExists, op.Negated(), op.Set == policy.ForAllValues, op.Test == "Null", len(d.Values) == 0:
		return false
	}
	return c.foreign(op, d, variables)
}

// hits reports whether every external principal fulfils the condition of a denial.
func (c *closer) hits(d *policy.Condition, variables bool) bool {
	op, ok := policy.ParseOperator(d.Operator)
	key := strings.ToLower(d.Key)
	has := func(v string) bool {
		return slices.ContainsFunc(d.Values, func(w string) bool { return strings.EqualFold(v, w) })
	}
	switch {
	case !ok || op.Set == policy.ForAnyValue:
		return false
	case op.Test == "Bool" && op.IfExists:
		return boolean(key) && has("false") && (has("true") || key == "aws:principalisawsservice")
	case !op.Negated() || len(d.Values) == 0:
		return false
	}
	op.Test = strings.Replace(op.Test, "Not", "", 1)
	return (op.Test == "IpAddress" || kinds(key) != nothing) && c.foreign(op, d, variables)
}

// foreign reports whether no external principal has any of the values of a condition.
func (c *closer) foreign(op policy.Operator, d *policy.Condition, variables bool) bool {
	key := strings.ToLower(d.Key)
	return !slices.ContainsFunc(d.Values, func(v string) bool {
		switch {
		case op.Test == "Bool":
			yes, no := strings.EqualFold(v, "true"), strings.EqualFold(v, "false")
			return (yes || no) && (no || key != "aws:principalisawsservice")
		case op.Test == "IpAddress":
			return key != "aws:sourceip" || !c.narrow(v)
		case strings.HasPrefix(op.Test, "Date"), strings.HasPrefix(op.Test, "Numeric"):
			return !past(key, op.Test, v)
		}
		return !c.text(key, op.Test, v, variables)
	})
}

// began is a moment before which no request is judged: 2026-11-01.
const began = 1_793_491_200

// past reports whether a condition on the time ended before today.
func past(key, test, v string) bool {
	switch {
	case strings.Contains(test, "Greater"):
		return false
	case strings.HasPrefix(test, "Numeric"):
		n, ok := new(big.Rat).SetString(v)
		return ok && key == "aws:epochtime" && n.Cmp(new(big.Rat).SetInt64(began)) < 0
	}
	at, ok := policy.ParseDate(v)
	return ok && at.Sec < began && len(v) != 4 && // "2030" is a year, or a second of 1970
		slices.Contains([]string{"aws:currenttime", "aws:epochtime", "aws:tokenissuetime"}, key)
}

func boolean(key string) bool {
	return slices.Contains([]string{"aws:securetransport", "aws:multifactorauthpresent", "aws:viaawsservice", "aws:principalisawsservice"}, key)
}

// span is a stretch of addresses, by their bytes.
type span struct{ from, to netip.Addr }

// networks returns the stretches of source addresses that the policies name;
// those that touch are one, so that the internet in pieces is the internet.
func networks(docs []*policy.Document) []span {
	var all []span
	for _, doc := range docs {
		for i := range doc.Statements {
			for _, d := range doc.Statements[i].Conditions {
				if op, _ := policy.ParseOperator(d.Operator); !strings.HasSuffix(op.Test, "IpAddress") || !strings.EqualFold(d.Key, "aws:SourceIp") {
					continue
				}
				for _, v := range d.Values {
					if p, ok := network(v); ok && !wide(span{p.Addr(), last(p)}) {
						all = append(all, span{p.Addr(), last(p)})
					}
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b span) int { return a.from.Compare(b.from) })
	var out []span
	for _, s := range all {
		if n := len(out); n > 0 && s.from.Is4() == out[n-1].from.Is4() && (!out[n-1].to.Next().IsValid() || s.from.Compare(out[n-1].to.Next()) <= 0) {
			if s.to.Compare(out[n-1].to) > 0 {
				out[n-1].to = s.to
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// last returns the last address of a network.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// wide reports whether a stretch is more than one organisation can own: a /8 of
// IPv4, a /32 of IPv6.
func wide(s span) bool {
	a, b := s.from.As16(), s.to.As16()
	if s.from.Is4() {
		return binary.BigEndian.Uint32(b[12:])-binary.BigEndian.Uint32(a[12:]) >= 1<<24
	}
	return binary.BigEndian.Uint64(b[:8])-binary.BigEndian.Uint64(a[:8]) >= 1<<32
}

// narrow reports whether no external principal comes from a network.
func (c *closer) narrow(v string) bool {
	p, ok := network(v)
	if !ok {
		return false
	}
	for _, private := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"} {
		if networkWithin(v, private) {
			return true
		}
	}
	return slices.ContainsFunc(c.wide, func(s span) bool {
		return s.from.Is4() == p.Addr().Is4() && s.from.Compare(p.Addr()) <= 0 && last(p).Compare(s.to) <= 0 && !wide(s)
	})
}
