package control

import (
	"net/netip"

	"dera/resource"
)

// Settings are what an organisation declares once for all its controls. The
// zero value is safe: no network is trusted, and AWS's default quota holds.
type Settings struct {
	// Allow are the organisation's own public networks: traffic from them is not
	// external.
	Allow []netip.Prefix
	// Lapsing are more of them, for a time; see At.
	Lapsing []Lapsing
	// KeepInternal are networks whose access is authorized again, narrowly, when
	// a rule from the whole world is revoked. Off by default. Public ones belong
	// on Allow too: access from there would stay a finding, so without that the
	// plan is refused (keep-internal).
	KeepInternal []netip.Prefix
	// RuleQuota is the number of inbound rules that a security group may have in
	// each address family; 0 means 60, AWS's default (VPC quotas).
	RuleQuota int
	// Organization is the ID of the organisation that the accounts belong to, or
	// empty; Accounts are those that the configuration lists.
	Organization string
	Accounts     []string
	// Trusted are the accounts, by ID or canonical user ID, and the organisations
	// that a policy may name.
	Trusted []string
}

// House is whose access a fix of the bucket's policy must not take away.
func (s Settings) House(b *resource.Bucket) resource.House {
	return resource.House{Account: b.Owner, Organization: s.Organization}
}

// Quota returns the rule quota that holds.
func (s Settings) Quota() int {
	if s.RuleQuota > 0 {
		return s.RuleQuota
	}
	return 60
}

// Keep returns the networks that a plan must not cut off: Allow and
// KeepInternal.
func (s Settings) Keep() []netip.Prefix {
	return append(append([]netip.Prefix(nil), s.Allow...), s.KeepInternal...)
}
