package awssim

import (
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
)

// isPublicPolicy reports whether AWS takes a policy for public: it does unless every statement that allows anything
// grants access only to fixed values of certain keys. This is the rule as AWS words it, read from the text, and shares
// nothing with what proves policies elsewhere. The list is that of the edition of 2025: other keys that tell who calls,
// such as aws:PrincipalAccount, do not make a policy private.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
func isPublicPolicy(document *policy.Document) bool {
	return slices.ContainsFunc(document.Statements, isPublicStatement)
}

func isPublicStatement(s policy.Statement) bool {
	if s.Effect != policy.Allow {
		return false
	}
	return s.NotPrincipals != nil || s.Principals.Everyone() && !slices.ContainsFunc(s.Conditions, isFixed)
}

// isFixed reports whether a condition holds access down to fixed values.
func isFixed(c policy.Condition) bool {
	operator, ok := policy.ParseOperator(c.Operator)
	if !ok || len(c.Values) == 0 || operator.Negated() || strings.Contains(c.Operator, "IfExists") || strings.HasPrefix(c.Operator, "ForAllValues") {
		return false
	}
	test := c.Operator[strings.LastIndex(c.Operator, ":")+1:]
	fixed := func(string) bool { return false }
	switch key := strings.ToLower(c.Key); key {
	case "aws:sourceip":
		if test == "IpAddress" {
			fixed = isNarrow
		}
	case "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount", "aws:userid", "aws:principalorgid",
		"s3:dataaccesspointaccount", "s3:dataaccesspointarn":
		if isText(test) {
			fixed = func(v string) bool { return isFixedValue(key, v) }
		}
	}
	return !slices.ContainsFunc(c.Values, func(v string) bool { return !fixed(v) })
}

// isText reports whether the operator compares texts or ARNs for equality.
func isText(test string) bool {
	switch test {
	case "StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike":
		return true
	}
	return false
}

// isFixedValue reports whether a value is without wildcards and variables; of the ARN of an access point the name may
// be open, as long as the account is fixed.
func isFixedValue(key, value string) bool {
	if key == "s3:dataaccesspointarn" {
		if parts := strings.SplitN(value, ":", 6); len(parts) == 6 {
			return parts[4] != "" && !strings.ContainsAny(parts[4], "*?$")
		}
	}
	if key == "aws:userid" && strings.HasSuffix(value, ":*") {
		return false
	}
	return value != "" && !strings.ContainsAny(value, "*?") && !strings.Contains(value, "${")
}

// isNarrow reports whether a range of addresses is not broader than /8 (IPv4), as every private one, or /32 (IPv6).
func isNarrow(text string) bool {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		address, err := netip.ParseAddr(text)
		return err == nil && address.IsValid()
	}
	if prefix.Addr().Is4() {
		return prefix.Bits() >= 8
	}
	return prefix.Bits() >= 32
}
