package securitygroup

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/netset"
)

// VPC is what a plan on a security group must know of the network around it. It
// is read only for a full look; nil and Unread mean that nothing is known.
type VPC struct {
	// CIDRs are its own ranges, IPv4 and IPv6, public ones too.
	CIDRs []netip.Prefix `json:"cidrs,omitempty"`
	// Routed are the ranges that its route tables send to a peering connection, a
	// transit, virtual private or local gateway, or a core network.
	Routed []netip.Prefix `json:"routed,omitempty"`
	// Unread says why CIDRs and Routed are not known.
	Unread string `json:"unread,omitempty"`
	// InterfacesUnread says that nobody read what the group is attached to.
	InterfacesUnread bool `json:"interfaces_unread,omitempty"`
	// Internet6 says that a route table sends IPv6 to an internet gateway.
	Internet6 bool `json:"internet6,omitempty"`
	// Entrances are its internet-facing load balancers, accelerators and gateways
	// through which traffic of the internet can come to any interface of the VPC.
	Entrances []string `json:"entrances,omitempty"`
	// Own are public addresses of the configured accounts: Elastic IPs, those of NAT
	// gateways among them.
	Own []OwnAddress `json:"own,omitempty"`
	// OwnUnread says which accounts' addresses could not be read.
	OwnUnread string `json:"own_unread,omitempty"`
}

// OwnAddress is a public address of a configured account, and what it is.
type OwnAddress struct {
	Address netip.Addr `json:"address"`
	Name    string     `json:"name"`
}

// House are the addresses that belong to the VPC or that it reaches privately: its
// own ranges, and those that its route tables send to another network. A default
// route is no range of a network. wide says that the routed ranges together are as
// wide as the internet, so that nobody can say where the house ends.
func (v *VPC) House() (house netset.Addrs, wide bool) {
	if v == nil {
		return netset.Addrs{}, false
	}
	var routed []netip.Prefix
	for _, p := range v.Routed {
		if p.Bits() > 0 {
			routed = append(routed, p)
		}
	}
	if netset.Outside(netset.AddrsOf(routed...), netset.Addrs{}).Internet() {
		return netset.AddrsOf(v.CIDRs...), true
	}
	return netset.AddrsOf(append(routed, v.CIDRs...)...), false
}

// House are the addresses of the group's own network; see VPC.
func (g *Group) House() netset.Addrs {
	house, _ := g.Network.House()
	return house
}

// NetworkUnread says why it is not known what the group's network reaches
// privately, or "".
func (g *Group) NetworkUnread() string {
	switch {
	case g.Network == nil:
		return "the network of its VPC was not read"
	case g.Network.Unread != "":
		return g.Network.Unread
	}
	if _, wide := g.Network.House(); wide {
		return "the route tables of its VPC send public ranges as wide as the internet to private networks"
	}
	six := func(p netip.Prefix) bool { return p.IsValid() && p.Addr().Is6() }
	// Networks that peer by IPv6 use global addresses: behind a default route nobody can
	// tell them from the internet.
	if slices.ContainsFunc(g.Network.Routed, func(p netip.Prefix) bool { return six(p) && p.Bits() == 0 }) &&
		slices.ContainsFunc(g.Ingress, func(r Rule) bool { return six(r.CIDR) }) {
		return "a route table of its VPC sends all of IPv6 to a private network, whose addresses cannot be distinguished from the internet's"
	}
	return ""
}

// Facing is how the internet comes to what a group is attached to.
type Facing uint8

// The ways, from what is not known on. FacingUnknown counts as FacingInternet.
const (
	FacingUnknown  Facing = iota
	FacingInternet        // an interface has a public address, or something internet-facing is in front
	FacingPrivate         // attached, and nothing public can come in
	FacingNothing         // attached to nothing
)

// Facing says how the internet comes to what the group is attached to. A load
// balancer or accelerator anywhere in the VPC counts as one in front: which
// targets it has is not read.
func (g *Group) Facing() Facing {
	v := g.Network
	if v == nil || v.Unread != "" || v.InterfacesUnread {
		return FacingUnknown
	}
	if len(g.Interfaces) == 0 {
		return FacingNothing
	}
	if len(v.Entrances) > 0 {
		return FacingInternet
	}
	for _, p := range v.Routed {
		if netset.Outside(netset.AddrsOf(p), netset.Addrs{}).Internet() {
			return FacingInternet // the internet may come in by another network's gateway
		}
	}
	for _, i := range g.Interfaces {
		if i.PublicIP != "" {
			return FacingInternet
		}
		for _, text := range i.Addresses {
			if a, err := netip.ParseAddr(text); v.Internet6 && (err != nil || a.Is6()) {
				return FacingInternet
			}
		}
	}
	return FacingPrivate
}

// ownThatLose names the public addresses of the configured accounts from which the
// plan takes access away: calls from there go by the internet.
func ownThatLose(g *Group, p dera.Plan) []string {
	if g.Network == nil {
		return nil
	}
	after, err := Type().ApplyPlan(g, p)
	if err != nil {
		return nil
	}
	old, err := Reach(g.Ingress)
	if err != nil {
		return nil
	}
	next, err := Reach(after.(*Group).Ingress)
	if err != nil {
		return nil
	}
	lost := old.Subtract(next)
	var names []string
	for _, o := range g.Network.Own {
		from := netset.AddrsOf(netip.PrefixFrom(o.Address, o.Address.BitLen()))
		if !lost.Intersect(netset.Product(netset.EveryTraffic(), from)).IsEmpty() {
			names = append(names, fmt.Sprintf("%s (%s)", o.Address, o.Name))
		}
	}
	slices.Sort(names)
	var out []string
	if n := len(names); n > 10 {
		names = append(names[:10:10], fmt.Sprintf("%d more", n-10))
	}
	if len(names) > 0 {
		out = append(out, "Public addresses of your own accounts in this region lose this access: "+strings.Join(names, ", ")+
			". What must stay belongs on network.allow.")
	}
	if g.Network.OwnUnread != "" {
		out = append(out, "Whether public addresses of your own accounts in this region lose access is not known: "+g.Network.OwnUnread+".")
	}
	return out
}
