package reason

import (
	"strings"

	"dera.example/dera/iam/lang"
	"dera.example/dera/iam/policy"
)

// trustKey says which part of the value of a key must be fixed for it to tell
// callers apart.
type trustKey uint8

const (
	noTrust  trustKey = iota
	wholeKey          // all of it: an account, an organisation, a VPC
	arnKey            // the account of an ARN, or all of an ARN without account
	pathKey           // up to the first slash: an organisation path
	idKey             // up to the colon: a role's unique ID and a session name
	tokenKey          // up to the first slash: the subject of a web identity
	placeKey          // all of it; it says where a caller is, not who it is
)

// trustOf classifies condition keys. The list is that of S3's definition of
// public, widened to the keys that AWS has added since.
//
// Source: S3 User Guide, "The meaning of public"; IAM User Guide, "AWS global
// condition context keys".
func trustOf(key string) trustKey {
	switch key {
	case "aws:principalorgid", "aws:principalaccount", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid",
		"aws:vpceaccount", "aws:vpceorgid", "kms:calleraccount", "s3:dataaccesspointaccount":
		return wholeKey
	case "aws:principalarn", "aws:sourcearn", "aws:sourcevpcarn", "s3:dataaccesspointarn", "lambda:sourcefunctionarn":
		return arnKey
	case "aws:principalorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths":
		return pathKey
	case "aws:userid":
		return idKey
	case "aws:sourcevpc", "aws:sourcevpce":
		return placeKey
	}
	if strings.HasSuffix(key, ":sub") || strings.HasSuffix(key, ":aud") {
		return tokenKey
	}
	return noTrust
}

// named returns the trusted values among those that a condition names.
func (s external) named(c *compiler, d int, cond *policy.Condition) []*lang.Glob {
	key := c.t.dims[d].key
	kind := trustOf(key)
	op, ok := policy.ParseOperator(cond.Operator)
	if kind == noTrust || !ok || !strings.HasPrefix(op.Test, "String") && !strings.HasPrefix(op.Test, "Arn") {
		return nil
	}
	arn, fold := strings.HasPrefix(op.Test, "Arn"), strings.HasSuffix(op.Test, "IgnoreCase")
	var out []*lang.Glob
	for _, v := range cond.Values {
		parts := split(v, strings.HasSuffix(op.Test, "Like") || arn, c.variables)
		if len(parts) == 0 {
			continue
		}
		mode := plain
		if arn {
			mode = bySegment
		}
		if _, possible := c.needs(parts); !possible {
			continue
		}
		g := c.glob(parts, fold, mode, 5)
		trusted := false
		switch kind {
		case arnKey:
			trusted = s.trustsARN(c, parts, g, arn)
		case idKey:
			trusted = s.trustsID(parts, fold)
		case noTrust, wholeKey, pathKey, tokenKey, placeKey:
			trusted = s.trusts(key, kind, parts)
		}
		if trusted {
			out = append(out, g)
		}
	}
	return out
}

// ownsResource reports whether the parts are the variable for the account or the
// organisation of the resource.
func ownsResource(parts []part) bool {
	if len(parts) != 1 || parts[0].kind != reference || parts[0].fallback != nil {
		return false
	}
	owner := strings.ToLower(parts[0].text)
	return owner == "aws:resourceaccount" || owner == "aws:resourceorgid" || owner == "aws:resourceorgpaths"
}

// trusts reports whether a value that a policy names is one that no external principal
// can have.
func (s external) trusts(key string, kind trustKey, parts []part) bool {
	if ownsResource(parts) {
		return true
	}
	if parts[0].kind != literal {
		return false
	}
	head, exact := parts[0].text, len(parts) == 1
	switch kind {
	case wholeKey:
		return exact && (s.zone == nil || s.zone.has(head))
	case placeKey:
		return exact
	case pathKey:
		org, _, ok := strings.Cut(head, "/")
		return ok && (s.zone == nil || s.zone.has(org))
	case tokenKey:
		if strings.HasSuffix(key, ":aud") {
			return exact && head != "sts.amazonaws.com"
		}
		return exact || strings.Contains(head, "/")
	case noTrust, arnKey, idKey:
	}
	return false
}

// anonymousID is the aws:userid of a request without credentials.
//
// Source: IAM User Guide, "IAM policy elements: Variables and tags", table of
// principal values.
const anonymousID = "anonymous"

// trustsID reports whether a value of aws:userid, an identity or an identity and
// the name of a session, is one that no external principal can have.
func (s external) trustsID(parts []part, fold bool) bool {
	head, exact := parts[0].text, len(parts) == 1
	id, _, session := strings.Cut(head, ":")
	switch {
	case parts[0].kind != literal, !exact && !session:
		return false
	case exact && (head == anonymousID || fold && strings.EqualFold(head, anonymousID)):
		return false
	}
	return s.zone == nil || s.zone.has(id) || s.zone.names(id) || s.zone.names(head)
}

// trustsARN reports whether a value is an ARN, or a pattern of ARNs, that no
// external principal can have: its account is fixed, or it has none and is fixed as a
// whole. An Arn operator compares part by part, so that the account is what
// stands in the fifth part. Under a String operator a wildcard crosses colons,
// and another account's ARN may have the account's number in its name.
func (s external) trustsARN(c *compiler, parts []part, g *lang.Glob, byPart bool) bool {
	account := fifth(parts)
	if byPart && ownsResource(account) {
		return true
	}
	if len(account) == 0 { // an ARN without account: of a bucket
		return len(parts) == 1 && strings.Count(parts[0].text, ":") >= 5 && s.zone == nil
	}
	if len(account) > 1 || account[0].kind != literal || s.zone != nil && !s.zone.has(account[0].text) {
		return false
	}
	return byPart || s.strict && s.zone == nil || c.apart(g, account[0].text)
}

// fifth returns the account of an ARN, taken apart.
func fifth(parts []part) []part {
	var out []part
	colons := 0
	for _, p := range parts {
		if p.kind != literal {
			if colons == 4 {
				out = append(out, p)
			}
			continue
		}
		for i, text := range strings.Split(p.text, ":") {
			if i > 0 {
				colons++
			}
			if colons == 4 && text != "" {
				out = append(out, part{kind: literal, text: text})
			}
		}
	}
	if colons < 5 { // it breaks off
		return []part{{kind: manyAny}}
	}
	return out
}

// apart reports whether certainly no ARN of another account is in a pattern.
func (c *compiler) apart(g *lang.Glob, account string) bool {
	arn := func(fill func(b *lang.Builder)) *lang.Glob {
		var b lang.Builder
		b.Lit("arn:")
		for range 3 {
			b.ManyInSegment()
			b.Lit(":")
		}
		fill(&b)
		b.Lit(":")
		b.Many()
		return b.Glob()
	}
	others := lang.Union(arn(func(b *lang.Builder) { b.Lit("") }), arn(func(b *lang.Builder) {
		for range 12 {
			b.OneInSegment()
		}
	}))
	own := lang.Union(arn(func(b *lang.Builder) { b.Lit(account) })).Complement()
	return lang.Solve(c.budget, []*lang.Set{lang.Union(g), others, own}).Status == lang.Empty
}

// writtenOn is a moment before which no request is judged any more: this was
// written then.
const writtenOn = 1_793_491_200 // 2026-11-01

// possible returns what AWS's own keys cannot be for any caller: what no policy
// can allow by, because there is no such request.
func (s external) possible(c *compiler, d int) []lit {
	var out []lit
	dim := &c.t.dims[d]
	switch c.typeOf(dim.key) {
	case Boolean:
		out = append(out, c.t.some(d, lang.Union(folded("true"), folded("false")))|allBit)
	case ARN:
		out = append(out, c.t.some(d, arns())|allBit)
	case Date, Epoch:
		if dim.kind == Text { // compared as text only
			break
		}
		since := func(f family, p lang.Point) lit {
			return c.t.someRange(d, f, lang.NewRanges(lang.Span{From: p, To: f.places().Spans()[0].To})) | allBit
		}
		out = append(out, since(dates, lang.DatePoint(writtenOn, 0)))
		if dim.kind == Epoch {
			out = append(out, since(numbers, lang.Point{Family: lang.Number, Hi: 1<<63 + writtenOn}))
		}
	case Text, Number, Address:
	}
	owners := []string{s.owner}
	if s.owner == "" && s.zone != nil {
		owners = s.zone.Accounts
	}
	if (dim.key == "aws:resourceaccount" || dim.key == "s3:resourceaccount") && len(owners) > 0 && owners[0] != "" {
		out = append(out, c.t.some(d, lang.UnionOf(owners[:len(owners):len(owners)]))|allBit)
	}
	if s.dollars(dim.key) {
		var b lang.Builder
		b.Many()
		b.Lit("${")
		b.Many()
		out = append(out, c.t.some(d, lang.Union(b.Glob())).not())
	}
	return out
}

// dollars reports whether a policy of 2008, which has no variables, compares a
// key that AWS sets with the text of one: AWS never sets that.
func (s external) dollars(key string) bool {
	if GlobalArity(key) == ArityUnknown && trustOf(key) == noTrust && key != "s3:resourceaccount" {
		return false
	}
	switch {
	case key == "aws:referer", key == "aws:useragent", key == "aws:tagkeys",
		strings.Contains(key, ":requesttag/"), strings.Contains(key, ":resourcetag/"):
		return false // what someone writes
	}
	for _, doc := range s.docs {
		for i := range doc.Statements {
			for _, cond := range doc.Statements[i].Conditions {
				if !doc.Variables() && strings.EqualFold(cond.Key, key) && strings.Contains(strings.Join(cond.Values, " "), "${") {
					return true
				}
			}
		}
	}
	return false
}
