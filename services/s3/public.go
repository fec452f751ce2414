package s3

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/netset"
	"dera.example/dera/resource/document"
)

// Deemed is what S3's block of public policies takes a policy for.
type Deemed uint8

// A doubtful policy counts as public where a block could cut someone off or refuse
// a write, and as private where a finding would pass for it.
const (
	DeemedPrivate Deemed = iota
	DeemedDoubtful
	DeemedPublic
)

// Public is S3's own definition of a public policy, which is not ours
// (PublicStatements): S3 reads each allowing statement alone, counts no denial,
// looks at no action or resource, and knows a fixed list of condition keys. why
// names the statements that make it public, or that may.
//
// Source: S3 user guide, "Blocking public access to your Amazon S3 storage", "The
// meaning of public", in the editions of 2023 (awsdocs/amazon-s3-userguide) and
// 2025, read 2026-11-28. Where they differ (the KMS key ID, identity providers) or
// say nothing (aws:PrincipalAccount and other keys that tell who calls), it is
// doubtful.
func Public(doc *policy.Document) (Deemed, []string) { return s3Public(doc, false) }

// PublicAccessPoint is Public for the policy of an access point: a set of
// access points is nothing fixed there. One that only a VPC reaches is never
// public.
func PublicAccessPoint(doc *policy.Document) (Deemed, []string) { return s3Public(doc, true) }

func s3Public(doc *policy.Document, accessPoint bool) (worst Deemed, why []string) {
	if doc == nil {
		return DeemedPrivate, nil
	}
	for i := range doc.Statements {
		d, reason := s3Statement(&doc.Statements[i], accessPoint)
		if d != DeemedPrivate {
			why = append(why, fmt.Sprintf("statement %d: %s", i+1, reason))
		}
		worst = max(worst, d)
	}
	return worst, why
}

func s3Statement(st *policy.Statement, accessPoint bool) (Deemed, string) {
	if st.Effect != policy.Allow {
		return DeemedPrivate, ""
	}
	best, reason := s3Principals(st)
	for _, c := range st.Conditions {
		if best == DeemedPrivate {
			break
		}
		switch d, about := s3Condition(c, accessPoint); {
		case d < best:
			best, reason = d, about
		case d == best && about != "":
			reason = about
		}
	}
	return best, reason
}

func s3Principals(st *policy.Statement) (Deemed, string) {
	if st.Principals == nil || st.Principals.Everyone() {
		return DeemedPublic, "anybody"
	}
	d, reason := DeemedPrivate, ""
	for _, g := range st.Principals.Groups {
		for _, v := range g.Values {
			switch {
			case strings.ContainsAny(v, "*?") || strings.Contains(v, "${"):
				return DeemedPublic, "anybody"
			case g.Kind == policy.PrincipalFederated:
				d, reason = DeemedDoubtful, "an identity provider, which one edition of S3's list calls public"
			}
		}
	}
	return d, reason
}

// s3Condition says to what a condition holds a statement for anybody.
func s3Condition(c policy.Condition, accessPoint bool) (Deemed, string) {
	op, ok := policy.ParseOperator(c.Operator)
	if !ok || len(c.Values) == 0 || op.Negated() {
		return DeemedPublic, ""
	}
	if op.IfExists || op.Set == policy.ForAllValues { // the page says nothing of these
		plain := c
		plain.Operator = op.Test
		if d, about := s3Condition(plain, accessPoint); d == DeemedPublic {
			return d, about
		}
		return DeemedDoubtful, c.Key + " by " + c.Operator + ", of which S3's page says nothing"
	}
	key := strings.ToLower(c.Key)
	if strings.HasSuffix(op.Test, "IpAddress") && key == "aws:sourceip" {
		return s3Networks(c.Values)
	}
	if !strings.HasPrefix(op.Test, "String") && !strings.HasPrefix(op.Test, "Arn") {
		return DeemedPublic, ""
	}
	worst := DeemedPrivate
	for _, v := range c.Values {
		worst = max(worst, s3Value(key, v, accessPoint))
	}
	switch {
	case worst == DeemedPublic && !document.Identifies(key):
		return DeemedPublic, ""
	case worst == DeemedPublic:
		return worst, c.Key + " with a value that is not fixed"
	case worst == DeemedDoubtful && !document.OnS3List(key):
		return worst, c.Key + " is not on S3's list of keys that make a policy private"
	case worst == DeemedDoubtful:
		return worst, c.Key + " is on S3's list in one edition only, or not with such a value"
	}
	return worst, ""
}

func s3Value(key, v string, accessPoint bool) Deemed {
	open := v == "" || strings.ContainsAny(v, "*?") || strings.Contains(v, "${")
	switch {
	case key == "s3:dataaccesspointarn":
		parts := strings.SplitN(v, ":", 6)
		named := len(parts) == 6 && parts[4] != "" && !strings.ContainsAny(strings.Join(parts[:5], ":"), "*?$")
		if !named || accessPoint || strings.Contains(v, "${") {
			return DeemedPublic
		}
		return DeemedPrivate
	case open || !document.Identifies(key):
		return DeemedPublic
	case !document.OnS3List(key), key == document.KMSKeyID, key == "aws:userid" && strings.Contains(v, ":"):
		return DeemedDoubtful
	}
	return DeemedPrivate
}

// s3Networks: nothing broader than /8 and /32. The page says nothing of networks
// that are broader together.
func s3Networks(values []string) (Deemed, string) {
	broad := func(p netip.Prefix) bool {
		return p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 32
	}
	var all []netip.Prefix
	for _, v := range values {
		p, err := netip.ParsePrefix(v)
		if a, errAddr := netip.ParseAddr(v); err != nil && errAddr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || broad(p) {
			return DeemedPublic, "aws:SourceIp with " + strconv.Quote(v) + ", which is broader than /8 (IPv6: /32)"
		}
		all = append(all, p.Masked())
	}
	if slices.ContainsFunc(netset.AddrsOf(all...).Prefixes(), broad) {
		return DeemedDoubtful, "aws:SourceIp with networks that are broader than /8 (IPv6: /32) together"
	}
	return DeemedPrivate, ""
}

// CutByBlock names whom RestrictPublicBuckets would exclude from a bucket whose
// policy S3 takes for public: everybody of another account, whichever statement
// allows them. Left are services of AWS and the bucket's own account.
//
// Source: the same page, "How Amazon S3 evaluates a bucket policy that contains
// both public and non-public access grants".
func CutByBlock(doc *policy.Document, owner string) []string {
	if doc == nil {
		return nil
	}
	var out []string
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow {
			continue
		}
		var who []string
		for _, p := range document.PrincipalsOf(st) {
			switch {
			case p.Kind == policy.PrincipalService, p.Account() == owner, p.Everyone() && ofAccount(st, owner):
			case p.Everyone() && len(identities(st)) > 0:
				who = append(who, "whoever meets "+strings.Join(identities(st), " and "))
			case p.Everyone():
				who = append(who, "anybody")
			default:
				who = append(who, p.Value)
			}
		}
		if len(who) > 0 {
			out = append(out, fmt.Sprintf("%s (statement %d)", strings.Join(who, ", "), i+1))
		}
	}
	return out
}

// ofAccount reports whether a statement demands that callers are of the account.
func ofAccount(st *policy.Statement, account string) bool {
	return slices.ContainsFunc(st.Conditions, func(c policy.Condition) bool {
		return strings.EqualFold(c.Key, "aws:PrincipalAccount") && (c.Operator == "StringEquals" || c.Operator == "StringLike") && slices.Equal(c.Values, []string{account})
	})
}

// identities are the conditions of a statement that tell who or where a caller is.
func identities(st *policy.Statement) []string {
	var out []string
	for _, c := range st.Conditions {
		if key := strings.ToLower(c.Key); document.Identifies(key) && document.NotSecret(key) {
			out = append(out, c.Operator+" "+c.Key+" "+strings.Join(c.Values, ", "))
		}
	}
	return out
}

// Target is where the policy of a bucket stands: the bucket and its objects; without a
// bucket, any.
func Target(bucket dera.ARN) document.Target {
	on := document.Target{Actions: []string{"s3:*"}}
	if bucket != "" {
		on.Resources = []string{string(bucket), string(bucket) + "/*"}
	}
	return on
}
