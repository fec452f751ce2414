package dera

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Resource is one cloud resource as it was read at ReadAt. Config is the typed,
// normalised configuration of its type (package resource); nobody changes it
// after the read.
type Resource struct {
	ARN       ARN
	Partition string
	Account   string
	Region    string
	Type      string // CloudFormation type name, for example AWS::EC2::SecurityGroup
	ID        string // what the service's API calls it, for example sg-0123
	Name      string
	Tags      map[string]string
	Config    any
	ReadAt    time.Time
	// Full is false for a cheap look (a page of a sweep) that leaves out what
	// only a plan needs; a plan is never made from it.
	Full bool
	// Unread says why part of the configuration is not known: a call failed that
	// may succeed later, or two reads contradict each other. Such a resource
	// resolves nothing, nothing of it is fixed, and it is looked at again.
	Unread string
}

// Key identifies the resource over partitions, accounts and regions: ARNs of
// some services carry neither account nor region.
func (r Resource) Key() string { return ResourceKey(r.Partition, r.Account, r.Region, r.ARN) }

// ResourceKey is the key under which leases, findings and jobs of a resource
// are kept.
func ResourceKey(partition, account, region string, arn ARN) string {
	return partition + "/" + account + "/" + region + "/" + string(arn)
}

// Account is one AWS account that dera covers. Tags, OU and Name come
// from the configuration (or from AWS Organizations later), never from the
// resources themselves.
type Account struct {
	ID        string            `json:"id" yaml:"id"`
	Partition string            `json:"partition,omitempty" yaml:"partition,omitempty"`
	Name      string            `json:"name,omitempty" yaml:"name,omitempty"`
	OU        string            `json:"ou,omitempty" yaml:"ou,omitempty"`
	Tags      map[string]string `json:"tags,omitempty" yaml:"tags,omitempty"`
	Owner     string            `json:"owner,omitempty" yaml:"owner,omitempty"` // of what no tag says otherwise
}

// ValidAccountID reports whether id has the twelve digits of an account ID.
func ValidAccountID(id string) error {
	if len(id) != 12 {
		return fmt.Errorf("account ID %q has %d characters, must be 12 digits", id, len(id))
	}
	for _, c := range id {
		if c < '0' || c > '9' {
			return fmt.Errorf("account ID %q holds %q, must be 12 digits (quote it in YAML: a leading zero is lost otherwise)", id, c)
		}
	}
	return nil
}

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

// Name returns the resource without what kind it is: sg-0123 of security-group/sg-0123,
// team/app of repository/team/app. In the ARNs of principals it stands last, behind a path
// or a role (IAM user guide, "IAM identifiers").
func (a ARN) Name() string {
	r := a.Resource()
	if s := a.Service(); s == "iam" || s == "sts" {
		return r[strings.LastIndexAny(r, "/:")+1:]
	}
	return r[strings.IndexAny(r, "/:")+1:]
}

// Piece returns the ARN by which dera names a piece of the resource that AWS gives no
// ARN, such as an access key of a user.
func (a ARN) Piece(id string) ARN { return a + ARN("#"+id) }

// Whole returns the ARN of the resource that a piece is of, on which AWS allows what is
// done to the piece; any other ARN as it is. No name of a resource has a #.
func (a ARN) Whole() ARN {
	if i := strings.LastIndexAny(string(a), "/#"); i >= 0 && a[i] == '#' {
		return a[:i]
	}
	return a
}

func (a ARN) part(n int) string {
	parts := strings.SplitN(string(a), ":", 6)
	if len(parts) != 6 {
		return ""
	}
	return parts[n]
}

// MatchARN reports whether an ARN is matched by a glob part by part: a wildcard does not
// reach over a colon into another part, so a resource's name cannot pretend to be of
// another account. A * alone matches all.
func MatchARN(pattern string, arn ARN) bool {
	if pattern == "*" {
		return true
	}
	want, got := strings.SplitN(pattern, ":", 6), strings.SplitN(string(arn), ":", 6)
	if len(want) != 6 || len(got) != 6 {
		return false
	}
	for i := range want {
		if !MatchGlob(want[i], got[i]) {
			return false
		}
	}
	return true
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

// Scope says where to look: some resources of one type by ID, or, without IDs,
// one page of all resources of that type in an account and region.
type Scope struct {
	Partition string   `json:"partition"`
	Account   string   `json:"account"`
	Region    string   `json:"region"`
	Type      string   `json:"type"`
	IDs       []string `json:"ids,omitempty"`
	Page      string   `json:"page,omitempty"` // continuation token of a sweep
}

// Sweep reports whether the scope is a page of everything of its type.
func (s Scope) Sweep() bool { return len(s.IDs) == 0 }

// Key identifies the scope; two events with the same key coalesce into one look.
func (s Scope) Key() string {
	ids := slices.Clone(s.IDs)
	slices.Sort(ids)
	return strings.Join([]string{s.Partition, s.Account, s.Region, s.Type, strings.Join(ids, ","), s.Page}, "/")
}
