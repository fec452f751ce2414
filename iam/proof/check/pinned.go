package check

import (
	"slices"
	"strings"
)

// keyKind says what part of a key's value tells callers apart.
type keyKind uint8

const (
	nothing keyKind = iota
	whole
	ofARN
	beforeSlash
	identity
	webToken
)

// kinds knows the keys by which AWS tells who or where a caller is.
//
// Source: S3 User Guide, "The meaning of public"; IAM User Guide, "AWS global
// condition context keys".
func kinds(key string) keyKind {
	table := map[keyKind][]string{
		whole: {"aws:principalorgid", "aws:principalaccount", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid",
			"aws:vpceaccount", "aws:vpceorgid", "kms:calleraccount", "s3:dataaccesspointaccount", "aws:sourcevpc", "aws:sourcevpce"},
		ofARN:       {"aws:principalarn", "aws:sourcearn", "aws:sourcevpcarn", "s3:dataaccesspointarn", "lambda:sourcefunctionarn"},
		beforeSlash: {"aws:principalorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths"},
		identity:    {"aws:userid"},
	}
	for kind, keys := range table {
		if slices.Contains(keys, key) {
			return kind
		}
	}
	if strings.HasSuffix(key, ":sub") || strings.HasSuffix(key, ":aud") {
		return webToken
	}
	return nothing
}

// text reports whether no external principal has a value of a String or Arn operator.
func (c *closer) text(key, test, v string, variables bool) bool {
	kind := kinds(key)
	arn := isARN(test)
	if strings.Contains(v, "${") && !variables {
		return kind != nothing && kind != webToken // AWS sets none to such a text
	}
	if variables && kind != identity && kind != webToken && kind != nothing && ownerVariable(v) {
		return true
	}
	if variables && arn {
		v = strings.ReplaceAll(v, "${aws:ResourceAccount}", "\x00")
	}
	if variables && strings.Contains(v, "${") {
		return false
	}
	wild := strings.IndexAny(v, "*?")
	exact := wild < 0 || strings.HasPrefix(test, "StringEquals")
	head := v
	if !exact {
		head = v[:wild]
	}
	switch {
	case boolean(key):
		return exact && !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false")
	case key == "aws:resourceaccount" || key == "s3:resourceaccount":
		owners := c.trust.Accounts
		if c.trust.Owner != "" {
			owners = []string{c.trust.Owner}
		}
		return exact && len(owners) > 0 && !slices.Contains(owners, v)
	}
	trusts := func(list []string, name string) bool {
		return name != "" && (!c.trust.Zoned || slices.Contains(list, name))
	}
	switch kind {
	case whole:
		place := key == "aws:sourcevpc" || key == "aws:sourcevpce"
		return exact && (place || trusts(append(slices.Clone(c.trust.Accounts), c.trust.Organizations...), v))
	case beforeSlash:
		org, _, ok := strings.Cut(head, "/")
		return ok && trusts(c.trust.Organizations, org)
	case identity:
		id, _, session := strings.Cut(head, ":")
		return (exact || session) && !strings.EqualFold(v, "anonymous") &&
			trusts(append(slices.Clone(c.trust.Accounts), c.trust.Principals...), id)
	case webToken:
		if strings.HasSuffix(key, ":aud") {
			return exact && v != "sts.amazonaws.com"
		}
		return exact || strings.Contains(head, "/")
	case ofARN:
		return c.pinsARN(v, head, exact, arn)
	case nothing:
	}
	return false
}

func ownerVariable(v string) bool {
	switch strings.ToLower(v) {
	case "${aws:resourceaccount}", "${aws:resourceorgid}", "${aws:resourceorgpaths}":
		return true
	}
	return false
}

// pinsARN reports whether the account of a pattern is fixed and trusted. Under an
// Arn operator it stands in the fifth part; under a String operator only what
// stands before the first wildcard is in its place.
func (c *closer) pinsARN(v, head string, exact, byPart bool) bool {
	if exact && !strings.HasPrefix(v, "arn:") {
		return true // AWS sets the key to ARNs only
	}
	place := head
	if byPart {
		place = v
	}
	fields := strings.SplitN(place, ":", 6)
	switch {
	case len(fields) < 6 || strings.ContainsAny(fields[4], "*?"):
		return false
	case fields[4] == "\x00":
		return true
	case fields[4] == "":
		return exact && !c.trust.Zoned
	}
	return !c.trust.Zoned || slices.Contains(c.trust.Accounts, fields[4])
}
