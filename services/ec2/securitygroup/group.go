package securitygroup

import (
	"fmt"
	"net/netip"
	"strings"
)

// Group is an EC2 security group. Rules are additive and allow-only; each
// Rule has one source, as AWS numbers them.
type Group struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	VPC         string            `json:"vpc,omitempty"`
	Owner       string            `json:"owner"`
	Tags        map[string]string `json:"tags,omitempty"`
	Ingress     []Rule            `json:"ingress"`
	Egress      []Rule            `json:"egress"`
	// Interfaces are the network interfaces that the group is attached to. They
	// are read only for a full look.
	Interfaces []Interface `json:"interfaces,omitempty"`
	// Network is what is known of its VPC; nil where it was not read.
	Network *VPC `json:"network,omitempty"`
}

// Default reports whether this is the default group of its VPC: AWS reserves
// the name (EC2 user guide, "Default security groups for your VPCs").
func (g *Group) Default() bool { return g.Name == "default" }

// Interface is a network interface in short.
type Interface struct {
	ID          string   `json:"id"`
	Addresses   []string `json:"addresses,omitempty"` // private ones
	PublicIP    string   `json:"public_ip,omitempty"`
	Description string   `json:"description,omitempty"`
	Instance    string   `json:"instance,omitempty"`
	// Name and Tags are those of what it belongs to: of the instance, and else of
	// the interface.
	Name string            `json:"name,omitempty"`
	Tags map[string]string `json:"tags,omitempty"`
	// Requester is who manages it where that is not the account's owner, for example
	// amazon-elb (EC2 user guide, "Requester-managed network interfaces").
	Requester string `json:"requester,omitempty"`
}

// Rule is one security-group rule: a protocol, a port interval and one source
// (of ingress) or destination (of egress).
type Rule struct {
	// ID is the security-group-rule ID; empty after a cheap look.
	ID string `json:"id,omitempty"`
	// Protocol is tcp, udp, icmp, icmpv6, -1 for all, or another number in
	// decimal: one spelling a protocol, see Protocol.
	Protocol string `json:"protocol"`
	// From and To are ports for tcp and udp, ICMP type and code for icmp and
	// icmpv6 (-1 = all), and -1 where AWS has none.
	From        int32             `json:"from"`
	To          int32             `json:"to"`
	CIDR        netip.Prefix      `json:"cidr,omitzero"`
	PrefixList  *PrefixList       `json:"prefix_list,omitempty"`
	Group       *GroupRef         `json:"group,omitempty"`
	Description string            `json:"description,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// PrefixList is a managed prefix list as a rule refers to it. Known is false
// where its entries could not be read: what it allows is then unknown.
type PrefixList struct {
	ID         string         `json:"id"`
	Entries    []netip.Prefix `json:"entries,omitempty"`
	MaxEntries int            `json:"max_entries,omitempty"`
	Known      bool           `json:"known"`
}

// GroupRef is another security group as a rule refers to it.
type GroupRef struct {
	ID    string `json:"id"`
	Owner string `json:"owner,omitempty"`
}

// Protocol returns the one spelling of an IP protocol as AWS accepts it: names
// and numbers of TCP, UDP, ICMP and ICMPv6 become the name, "all" becomes -1.
func Protocol(s string) string {
	switch s = strings.ToLower(strings.TrimSpace(s)); s {
	case "6":
		return "tcp"
	case "17":
		return "udp"
	case "1":
		return "icmp"
	case "58":
		return "icmpv6"
	case "all":
		return "-1"
	}
	return s
}

// Ported reports whether From and To are ports.
func (r Rule) Ported() bool { return r.Protocol == "tcp" || r.Protocol == "udp" }

// All reports whether the rule lets every protocol through.
func (r Rule) All() bool { return r.Protocol == "-1" }

// Source is the rule's source as text: a CIDR, a prefix-list ID or a group ID.
func (r Rule) Source() string {
	switch {
	case r.PrefixList != nil:
		return r.PrefixList.ID
	case r.Group != nil && r.Group.Owner != "":
		return r.Group.Owner + "/" + r.Group.ID
	case r.Group != nil:
		return r.Group.ID
	}
	return r.CIDR.String()
}

// Traffic is the rule's protocol and ports as text: tcp 22, tcp 0-65535, icmp
// type 8, all traffic.
func (r Rule) Traffic() string {
	switch {
	case r.All():
		return "all traffic"
	case r.Ported() && r.From == r.To:
		return fmt.Sprintf("%s %d", r.Protocol, r.From)
	case r.Ported():
		return fmt.Sprintf("%s %d-%d", r.Protocol, r.From, r.To)
	case (r.Protocol == "icmp" || r.Protocol == "icmpv6") && r.From >= 0 && r.To >= 0:
		return fmt.Sprintf("%s type %d code %d", r.Protocol, r.From, r.To)
	case (r.Protocol == "icmp" || r.Protocol == "icmpv6") && r.From >= 0:
		return fmt.Sprintf("%s type %d", r.Protocol, r.From)
	case r.Protocol == "icmp" || r.Protocol == "icmpv6":
		return r.Protocol
	}
	return "protocol " + r.Protocol
}

// Line is the rule as one line without its description, for diffs and records.
func (r Rule) Line() string { return r.Traffic() + " from " + r.Source() }

// SamePermission reports whether AWS would call the two rules duplicates: the
// same protocol, ports and source, whatever their ID, description and tags.
func (r Rule) SamePermission(o Rule) bool {
	if r.Protocol != o.Protocol || r.From != o.From || r.To != o.To {
		return false
	}
	switch {
	case r.PrefixList != nil || o.PrefixList != nil:
		return r.PrefixList != nil && o.PrefixList != nil && r.PrefixList.ID == o.PrefixList.ID
	case r.Group != nil || o.Group != nil:
		return r.Group != nil && o.Group != nil && *r.Group == *o.Group
	}
	return r.CIDR == o.CIDR
}
