package ec2

import (
	"fmt"
	"slices"

	"dera"
	"dera/control"
	"dera/netset"
	"dera/resource"
)

// opening is one thing that public addresses reach: all traffic, a protocol, or
// an interval of ports of TCP or UDP.
type opening struct {
	key      string
	what     string
	protocol netset.Protocol
	ports    []netset.Ports // several where ports of other controls lie between
	internet bool
	all      bool
	measure  netset.Measure
	blamed   []resource.Rule
}

// otherOpenings lists what the group lets public addresses reach, leaving out
// the ports of the controls on SSH, RDP, HTTP and HTTPS. Keys are stable when
// such a port is cut out of a range: an interval ends only at a port that is
// closed, not at one that is another control's.
func otherOpenings(g *resource.SecurityGroup, s control.Settings) ([]opening, error) {
	allow := netset.AddrsOf(s.Allow...)
	// 253 is reserved for experiments (RFC 3692): only a rule for all traffic, or
	// one for that very number, lets it in.
	all, err := resource.Expose(g.Ingress, 253, 0, allow)
	if err != nil {
		return nil, err
	}
	var out []opening
	if all.Measure.Internet() && slices.ContainsFunc(all.Internet, resource.Rule.All) {
		return []opening{{
			key: "all", what: "All traffic", all: true, internet: true, measure: all.Measure, blamed: all.Internet,
			protocol: 253, ports: []netset.Ports{netset.EveryPort()},
		}}, nil
	}
	if slices.ContainsFunc(all.Bounded, resource.Rule.All) {
		out = append(out, opening{
			key: "all" + boundedSuffix, what: "All traffic", all: true, measure: all.BoundedMeasure, blamed: all.Bounded,
			protocol: 253, ports: []netset.Ports{netset.EveryPort()},
		})
		rest := *g
		rest.Ingress = slices.DeleteFunc(slices.Clone(g.Ingress), func(r resource.Rule) bool { return r.All() && slices.ContainsFunc(all.Bounded, r.SamePermission) })
		g = &rest
	}
	reach, err := resource.Reach(g.Ingress)
	if err != nil {
		return nil, err
	}
	for _, p := range []netset.Protocol{netset.TCP, netset.UDP} {
		found, err := portOpenings(g, reach, p, allow)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	for _, e := range netset.ExposedProtocols(reach, allow) {
		for p := int(e.Protocols.Lo); p <= int(e.Protocols.Hi); p++ {
			o, err := protocolOpening(g, netset.Protocol(p), allow)
			if err != nil {
				return nil, err
			}
			out = append(out, o...)
		}
	}
	return out, nil
}

// portOpenings finds the openings of TCP or UDP, those of the internet apart
// from those of bounded public ranges.
func portOpenings(g *resource.SecurityGroup, reach netset.Set, p netset.Protocol, allow netset.Addrs) ([]opening, error) {
	var out []opening
	for _, internet := range []bool{true, false} {
		for _, ports := range bridged(p, netset.Exposures(reach, p, allow), internet) {
			o := opening{protocol: p, ports: ports, internet: internet}
			whole := netset.Ports{Lo: ports[0].Lo, Hi: ports[len(ports)-1].Hi}
			o.key = p.String() + "/" + control.PortText(whole)
			o.what = fmt.Sprintf("%s %s", upper(p), control.PortText(whole))
			for _, part := range ports {
				if err := o.blame(g, part, allow); err != nil {
					return nil, err
				}
			}
			if !internet {
				o.key += boundedSuffix
			}
			out = append(out, o)
		}
	}
	return out, nil
}

// blame adds the rules that open some port of the interval; within one exposed
// interval the rules may differ from port to port, so each rule's own ends are
// looked at.
func (o *opening) blame(g *resource.SecurityGroup, part netset.Ports, allow netset.Addrs) error {
	at := []uint16{part.Lo}
	for _, r := range g.Ingress {
		if t, err := r.Packets(); err == nil && t.Ports.Lo > part.Lo && t.Ports.Lo <= part.Hi {
			at = append(at, t.Ports.Lo)
		}
	}
	for _, port := range at {
		e, err := resource.Expose(g.Ingress, o.protocol, port, allow)
		if err != nil {
			return err
		}
		rules, m := e.Internet, e.Measure
		if !o.internet {
			rules, m = e.Bounded, e.BoundedMeasure
		}
		if m.IPv4 >= o.measure.IPv4 && m.IPv6.Compare(o.measure.IPv6) >= 0 || !o.measure.External() {
			o.measure = m
		}
		for _, r := range rules {
			if !slices.ContainsFunc(o.blamed, func(b resource.Rule) bool { return b.ID == r.ID && b.SamePermission(r) }) {
				o.blamed = append(o.blamed, r)
			}
		}
	}
	return nil
}

// bridged joins the exposed intervals of one reach over the ports that belong
// to other controls, and returns each as its parts without those ports.
func bridged(p netset.Protocol, exposed []netset.PortExposure, internet bool) [][]netset.Ports {
	taken := func(port int) bool {
		return p == netset.TCP && (port == 22 || port == 80 || port == 443 || port == 3389)
	}
	var out [][]netset.Ports
	end := -2 // last port of the interval that is being joined
	for _, e := range exposed {
		if e.Measure.Internet() != internet {
			continue
		}
		for _, part := range without(e.Ports, taken) {
			gap := int(part.Lo) - 1
			for gap > end && taken(gap) {
				gap--
			}
			if len(out) > 0 && gap == end {
				out[len(out)-1] = append(out[len(out)-1], part)
			} else {
				out = append(out, []netset.Ports{part})
			}
			end = int(part.Hi)
		}
	}
	return out
}

func without(ports netset.Ports, taken func(int) bool) []netset.Ports {
	var out []netset.Ports
	lo := int(ports.Lo)
	for _, t := range []int{22, 80, 443, 3389} {
		if !taken(t) || t < lo || t > int(ports.Hi) {
			continue
		}
		if lo < t {
			out = append(out, netset.Ports{Lo: uint16(lo), Hi: uint16(t - 1)})
		}
		lo = t + 1
	}
	if lo <= int(ports.Hi) {
		out = append(out, netset.Ports{Lo: uint16(lo), Hi: ports.Hi})
	}
	return out
}

// protocolOpening judges a protocol without ports, ICMP with its types as one.
func protocolOpening(g *resource.SecurityGroup, p netset.Protocol, allow netset.Addrs) ([]opening, error) {
	var internet, bounded opening
	for i, o := range []*opening{&internet, &bounded} {
		*o = opening{protocol: p, ports: []netset.Ports{netset.EveryPort()}, internet: i == 0, what: upper(p), key: protocolKey(p)}
	}
	bounded.key += boundedSuffix
	for _, o := range []*opening{&internet, &bounded} {
		if err := o.blame(g, netset.EveryPort(), allow); err != nil {
			return nil, err
		}
	}
	var out []opening
	for _, o := range []opening{internet, bounded} {
		if len(o.blamed) > 0 && o.measure.External() {
			out = append(out, o)
		}
	}
	return out, nil
}

func protocolKey(p netset.Protocol) string {
	if p == netset.ICMP || p == netset.ICMPv6 {
		return p.String()
	}
	return fmt.Sprintf("protocol/%d", p)
}

func upper(p netset.Protocol) string {
	switch p {
	case netset.TCP:
		return "TCP"
	case netset.UDP:
		return "UDP"
	case netset.ICMP:
		return "ICMP"
	case netset.ICMPv6:
		return "ICMPv6"
	}
	return fmt.Sprintf("IP protocol %d", p)
}

func (o opening) failure() control.Failure {
	f := control.Failure{Key: o.key, Start: dera.Review, Severity: dera.High}
	switch {
	case o.all && o.internet:
		f.Severity = dera.Critical
		f.Title = "All traffic is open to the internet"
	case !o.internet:
		f.Severity = dera.Medium
		f.Title = o.what + " is open to unknown public networks"
	case o.protocol == netset.ICMP || o.protocol == netset.ICMPv6:
		f.Severity = dera.Low
		f.Title = o.what + " is open to the internet"
	default:
		f.Title = o.what + " is open to the internet"
	}
	f.Why = fmt.Sprintf("%s can reach %s through %s.", control.Audience(o.measure), o.what, ruleList(o.blamed))
	return f
}

func (o opening) removals() []control.Removal {
	var out []control.Removal
	for _, p := range o.ports {
		out = append(out, control.Removal{Protocol: o.protocol, Ports: p, Blamed: o.blamed})
	}
	return out
}
