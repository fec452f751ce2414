package control

import (
	"net/netip"

	"dera.example/dera/netset"
)

// Settings are what an organisation declares once for all its controls. The
// zero value is safe: no network is trusted, and AWS's default quota holds.
type Settings struct {
	// Allow are the organisation's own public networks: traffic from them is not
	// external.
	Allow []netip.Prefix
	// Lapsing are more of them, for a time; see At.
	Lapsing []Lapsing
	// KeepInternal says which private access a plan keeps when it closes a rule for
	// the internet.
	KeepInternal Internal
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
	// RequireTLS asks that buckets deny requests without TLS.
	RequireTLS bool
	// UnusedDays is for how many days nothing must have been used; 0 means 90. See Window.
	UnusedDays int
	// Keep are permissions that stay although nobody used them; see At.
	Keep []Keep
	// AutoAWSManaged: a policy of AWS of which something was not used may be replaced
	// or detached automatically.
	AutoAWSManaged bool
	// Emergency are the principals whose use is reported.
	Emergency Emergency
	// NarrowResources: permissions on more resources than were used are found too, for a
	// person.
	NarrowResources bool
	// RequireReported: what nobody used goes to a person where AWS itself could not be asked.
	RequireReported bool
	// GraduationDays is for how many days what nobody used is denied before it goes out of a
	// policy; 0 is not at all.
	GraduationDays int
	// FlowLogs: VPC flow logs are configured, so that a guardrail knows past connections.
	FlowLogs bool
	// Threats are those that may be answered automatically; none are all for a person.
	Threats []ThreatRule
}

// Quota returns the rule quota that holds.
func (s Settings) Quota() int {
	if s.RuleQuota > 0 {
		return s.RuleQuota
	}
	return 60
}

// Window returns for how many days nothing must have been used.
func (s Settings) Window() int {
	if s.UnusedDays > 0 {
		return s.UnusedDays
	}
	return 90
}

// Internal says which private networks keep the access that they have by a rule
// for the internet: 0.0.0.0/0 holds 10.0.0.0/8 too. The zero value is KeepPrivate.
type Internal struct {
	Choice string
	// Networks are those of KeepNetworks. Public ones belong on Allow too: access
	// from there would stay a finding, so without that the plan is refused
	// (keep-internal).
	Networks []netip.Prefix
}

// What Internal.Choice says. KeepPrivate keeps the private ranges, the VPC's own
// and what its route tables reach privately; KeepVPC the latter two; KeepNone
// nothing; KeepNetworks just Networks.
const (
	KeepPrivate  = "private"
	KeepVPC      = "vpc"
	KeepNone     = "none"
	KeepNetworks = "networks"
)

// String is the choice as the configuration has it.
func (i Internal) String() string {
	if i.Choice == "" {
		return KeepPrivate
	}
	return i.Choice
}

// keep are the addresses of a network with that house which keep their access.
func (i Internal) keep(house netset.Addrs) netset.Addrs {
	switch i.String() {
	case KeepPrivate:
		return house.Union(netset.Private())
	case KeepVPC:
		return house
	case KeepNetworks:
		return netset.AddrsOf(i.Networks...)
	}
	return netset.Addrs{}
}

// KeepAddrs are the addresses that a plan must not cut off in a network with that
// house: Allow and what KeepInternal says.
func (s Settings) KeepAddrs(house netset.Addrs) netset.Addrs {
	return netset.AddrsOf(s.Allow...).Union(s.KeepInternal.keep(house))
}
