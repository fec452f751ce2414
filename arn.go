package dera

import (
	"fmt"
	"strings"
)

// ARN is an Amazon Resource Name in its textual form,
// arn:partition:service:region:account:resource. The region and the account
// may be empty, as they are for S3 buckets and IAM roles.
type ARN string

// NewARN puts an ARN together. It does not validate its parts.
func NewARN(partition, service, region, account, resource string) ARN {
	return ARN("arn:" + partition + ":" + service + ":" + region + ":" + account + ":" + resource)
}

// ParseARN returns s as an ARN, or an error that says what is missing.
func ParseARN(s string) (ARN, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[1] == "" || parts[2] == "" || parts[5] == "" {
		return "", fmt.Errorf("parse ARN %q: want arn:partition:service:region:account:resource", s)
	}
	return ARN(s), nil
}

// Partition returns aws, aws-cn, aws-us-gov …, or "" for a malformed ARN.
func (a ARN) Partition() string { return a.part(1) }

// Service returns the service namespace, for example ec2.
func (a ARN) Service() string { return a.part(2) }

// Region returns the region, or "" where the ARN has none.
func (a ARN) Region() string { return a.part(3) }

// Account returns the account ID, or "" where the ARN has none.
func (a ARN) Account() string { return a.part(4) }

// Resource returns what stands behind the fifth colon, for example
// security-group/sg-0123456789abcdef0.
func (a ARN) Resource() string { return a.part(5) }

// Name returns the last part of the resource: sg-0123 of security-group/sg-0123.
func (a ARN) Name() string {
	r := a.Resource()
	return r[strings.LastIndexAny(r, "/:")+1:]
}

func (a ARN) part(n int) string {
	parts := strings.SplitN(string(a), ":", 6)
	if len(parts) != 6 {
		return ""
	}
	return parts[n]
}

// MatchGlob reports whether s is matched by an AWS-style pattern in which *
// stands for any run of characters and ? for one. It is case-sensitive and
// runs in time linear in len(pattern)·len(s) at worst.
func MatchGlob(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
