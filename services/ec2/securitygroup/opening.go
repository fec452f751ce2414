package securitygroup

import (
	"cmp"
	"fmt"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/netset"
)

// opening is one thing that public addresses reach: all traffic, a protocol, or
// an interval of ports of TCP or UDP.
type opening struct {
	key      string
	what     string
	protocol netset.Protocol
	internet bool
	all      bool
	measure  netset.Measure
	blamed   []Rule
	removals []Removal
}

// otherOpenings lists what the group lets public addresses reach, leaving out
// the ports of the controls on SSH, RDP, HTTP, HTTPS and databases: an interval goes on over
// such a port only where it is open too. What the internet reaches and
// what bounded networks reach by other rules stand beside each other, so that
// taking away the one does not bring the other to light.
func otherOpenings(g *Group, s control.Settings) ([]opening, error) {
	allow := inside(g, s)
	// 253 is reserved for experiments (RFC 3692): only a rule for all traffic, or
	// one for that very number, allows it.
	all, err := Expose(g.Ingress, 253, 0, allow)
	if err != nil {
		return nil, err
	}
	whole := func(key string, internet bool, m netset.Measure, rules []Rule) opening {
		return opening{key: key, what: "all traffic", protocol: 253, all: true, internet: internet, measure: m, blamed: rules,
			removals: []Removal{{Protocol: 253, Ports: netset.EveryPort(), Blamed: rules}}}
	}
	if all.Measure.Internet() && slices.ContainsFunc(all.Internet, Rule.All) {
		return []opening{whole("all", true, all.Measure, all.Internet)}, nil
	}
	var out []opening
	if slices.ContainsFunc(all.Bounded, Rule.All) {
		out = append(out, whole("all"+boundedSuffix, false, all.BoundedMeasure, all.Bounded))
	}
	in, err := inboundOf(g, allow)
	if err != nil {
		return nil, err
	}
	in.taken = taken(ownDatabases(g, s))
	for _, p := range in.protocols() {
		for _, internet := range []bool{true, false} {
			out = append(out, in.openings(p, internet)...)
		}
	}
	return out, nil
}

// inbound is a group's rules that allow public addresses, measured once: wide
// ones are the internet each on its own, narrow ones are not.
type inbound struct {
	allow        netset.Addrs
	taken        []netset.Ports // TCP ports of other controls
	wide, narrow []Rule
	reach        netset.Set // of all of them
	narrowReach  netset.Set
	singleReach  netset.Set // of the narrow ones that are not for all traffic
}

func inboundOf(g *Group, allow netset.Addrs) (inbound, error) {
	in := inbound{allow: allow}
	for _, r := range g.Ingress {
		m, err := Measure(r, allow)
		switch {
		case err != nil:
			return in, err
		case pathMTU(r):
		case m.Internet():
			in.wide = append(in.wide, r)
		case m.External():
			in.narrow = append(in.narrow, r)
		}
	}
	single := slices.DeleteFunc(slices.Clone(in.narrow), Rule.All)
	var err error
	if in.reach, err = Reach(slices.Concat(in.wide, in.narrow)); err != nil {
		return in, err
	}
	if in.narrowReach, err = Reach(in.narrow); err != nil {
		return in, err
	}
	in.singleReach, err = Reach(single)
	return in, err
}

// pathMTU reports whether the rule allows just the message that path MTU discovery
// needs: "fragmentation needed" and "packet too big" (EC2 user guide, "Path MTU
// Discovery"; RFC 1191, RFC 8201).
func pathMTU(r Rule) bool {
	return r.Protocol == "icmp" && r.From == 3 && r.To == 4 || r.Protocol == "icmpv6" && r.From == 2
}

// protocols are those that a rule names, TCP and UDP first.
func (in inbound) protocols() []netset.Protocol {
	var out []netset.Protocol
	for _, r := range slices.Concat(in.wide, in.narrow) {
		if t, err := r.Packets(); err == nil && !r.All() && !slices.Contains(out, t.Protocols.Lo) {
			out = append(out, t.Protocols.Lo)
		}
	}
	slices.SortFunc(out, func(a, b netset.Protocol) int {
		return cmp.Or(cmp.Compare(slices.Index(ported(), b), slices.Index(ported(), a)), cmp.Compare(a, b))
	})
	return out
}

// ported are the protocols whose ports are told apart, the last one first.
func ported() []netset.Protocol { return []netset.Protocol{netset.UDP, netset.TCP} }

// spread are the intervals of ports that narrow rules open to the internet
// together.
func (in inbound) spread(p netset.Protocol) []netset.PortExposure {
	return slices.DeleteFunc(netset.Exposures(in.narrowReach, p, in.allow), func(e netset.PortExposure) bool { return !e.Measure.Internet() })
}

// exposed are the intervals of ports that the internet reaches, or those that
// bounded networks reach by rules that are not already blamed for that.
func (in inbound) exposed(p netset.Protocol, internet bool) []netset.PortExposure {
	if internet {
		return slices.DeleteFunc(netset.Exposures(in.reach, p, in.allow), func(e netset.PortExposure) bool { return !e.Measure.Internet() })
	}
	var out []netset.PortExposure
	blamed := in.spread(p)
	if len(blamed) > 0 && !slices.Contains(ported(), p) {
		return nil // such rules go whole, so all of them are blamed for the internet
	}
	for _, e := range netset.Exposures(in.singleReach, p, in.allow) {
		for _, ports := range cutPorts(e.Ports, portsOf(blamed)) {
			out = append(out, netset.PortExposure{Ports: ports, Measure: e.Measure})
		}
	}
	return out
}

// openings finds what is open of one protocol: intervals of TCP and UDP ports;
// another protocol, ICMP with its types too, is one opening.
func (in inbound) openings(p netset.Protocol, internet bool) []opening {
	exposed := in.exposed(p, internet)
	var out []opening
	if !slices.Contains(ported(), p) {
		if len(exposed) > 0 {
			o := in.opening(p, internet, exposed)
			o.what, o.key = upper(p), protocolKey(p)
			out = append(out, o)
		}
	} else {
		for _, parts := range in.apart(p, exposed) {
			o := in.opening(p, internet, parts)
			ports := control.PortText(netset.Ports{Lo: parts[0].Ports.Lo, Hi: parts[len(parts)-1].Ports.Hi})
			o.what, o.key = upper(p)+" "+ports, p.String()+"/"+ports
			out = append(out, o)
		}
	}
	if !internet {
		for i := range out {
			out[i].key += boundedSuffix
		}
	}
	return out
}

// opening blames, for each part, the rules that must go from it.
func (in inbound) opening(p netset.Protocol, internet bool, parts []netset.PortExposure) opening {
	o := opening{protocol: p, internet: internet}
	for _, part := range parts {
		o.measure.IPv4 = max(o.measure.IPv4, part.Measure.IPv4)
		if part.Measure.IPv6.Compare(o.measure.IPv6) > 0 {
			o.measure.IPv6 = part.Measure.IPv6
		}
	}
	spread := portsOf(in.spread(p))
	switch {
	case !internet:
		single := slices.DeleteFunc(slices.Clone(in.narrow), Rule.All)
		o.blame(single, portsOf(parts)...)
	case !slices.Contains(ported(), p) && len(spread) > 0:
		o.blame(slices.Concat(in.wide, in.narrow), netset.EveryPort())
	default:
		for _, part := range parts {
			o.blame(in.wide, cutPorts(part.Ports, spread)...)
			for _, s := range spread {
				if lo, hi := max(s.Lo, part.Ports.Lo), min(s.Hi, part.Ports.Hi); lo <= hi {
					o.blame(slices.Concat(in.wide, in.narrow), netset.Ports{Lo: lo, Hi: hi})
				}
			}
		}
	}
	if !slices.Contains(ported(), p) { // rules without ports go whole
		o.removals = []Removal{{Protocol: p, Ports: netset.EveryPort(), Blamed: o.blamed}}
	}
	return o
}

// blame says that those of the rules that allow any of the ports must go from
// these ports.
func (o *opening) blame(rules []Rule, list ...netset.Ports) {
	for _, ports := range list {
		var blamed []Rule
		for _, r := range rules {
			if !lets(r, o.protocol, ports.Lo, ports.Hi) {
				continue
			}
			blamed = append(blamed, r)
			if !slices.ContainsFunc(o.blamed, func(b Rule) bool { return b.ID == r.ID && b.SamePermission(r) }) {
				o.blamed = append(o.blamed, r)
			}
		}
		o.removals = append(o.removals, Removal{Protocol: o.protocol, Ports: ports, Blamed: blamed})
	}
}

// taken are the TCP ports of other controls, in order.
func taken(databases []service) []netset.Ports {
	out := []netset.Ports{{Lo: 22, Hi: 22}, {Lo: 80, Hi: 80}, {Lo: 443, Hi: 443}, {Lo: 3389, Hi: 3389}}
	for _, d := range databases {
		out = append(out, netset.Ports{Lo: d.port, Hi: d.port})
	}
	return joined(out)
}

// apart returns each exposed interval as its parts without the ports that belong
// to other controls; intervals of nothing else are left out.
func (in inbound) apart(p netset.Protocol, exposed []netset.PortExposure) [][]netset.PortExposure {
	var others []netset.Ports
	if p == netset.TCP {
		others = in.taken
	}
	var out [][]netset.PortExposure
	for _, e := range exposed {
		var parts []netset.PortExposure
		for _, ports := range cutPorts(e.Ports, others) {
			parts = append(parts, netset.PortExposure{Ports: ports, Measure: e.Measure})
		}
		if len(parts) > 0 {
			out = append(out, parts)
		}
	}
	return out
}

// cutPorts is what is left of the interval without the sorted, disjoint others.
func cutPorts(ports netset.Ports, others []netset.Ports) []netset.Ports {
	var out []netset.Ports
	lo := int(ports.Lo)
	for _, o := range others {
		if o.Hi < ports.Lo || o.Lo > ports.Hi {
			continue
		}
		if lo < int(o.Lo) {
			out = append(out, netset.Ports{Lo: uint16(lo), Hi: o.Lo - 1})
		}
		lo = int(o.Hi) + 1
	}
	if lo <= int(ports.Hi) {
		out = append(out, netset.Ports{Lo: uint16(lo), Hi: ports.Hi})
	}
	return out
}

func portsOf(list []netset.PortExposure) []netset.Ports {
	var out []netset.Ports
	for _, e := range list {
		out = append(out, e.Ports)
	}
	return out
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
	default: // AWS has no name for the others
	}
	return fmt.Sprintf("IP protocol %d", p)
}

func (o opening) failure(g *Group) control.Failure {
	f := control.Failure{Key: o.key, Start: dera.Review, Severity: dera.High, Sources: sourcesOf(o.blamed)}
	switch {
	case o.all && o.internet:
		f.Severity = dera.Critical
		f.Title = "Security group allows all traffic from the internet"
	case !o.internet:
		f.Severity = dera.Medium
		f.Title = "Security group allows " + o.what + " from unknown public networks"
	case o.protocol == netset.ICMP || o.protocol == netset.ICMPv6:
		f.Severity = dera.Low
		f.Title = "Security group allows " + o.what + " from the internet"
	default:
		f.Title = "Security group allows " + o.what + " from the internet"
		if slices.ContainsFunc(o.blamed, func(r Rule) bool { return r.PrefixList != nil }) {
			f.Severity = dera.Critical // cannot be split, and other groups may share it
		}
	}
	f.Severity = severity(g, f.Severity)
	f.Why = allowedBy(o.blamed, o.what, o.measure) + "." + facing(g)
	return f
}
