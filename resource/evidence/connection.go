package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"dera.example/dera"
	"dera.example/dera/netset"
	"dera.example/dera/resource"
)

// Connection is connections to one port, as far as they are known.
type Connection struct {
	From     netip.Prefix // the zero value for a source that stands for no addresses
	Protocol string       // tcp, udp, icmp or a number
	Port     uint16       // 0 of a protocol without ports, which is all of it
}

// Packets are those that begin the connections. From an unknown source they come from
// everywhere.
func (c Connection) Packets() (netset.Set, error) {
	var ports *int32 // all, of a protocol without ports, and all types of ICMP
	if c.Port != 0 {
		port := int32(c.Port)
		ports = &port
	}
	traffic, err := netset.ParseTraffic(c.Protocol, ports, ports)
	if err != nil {
		return netset.Set{}, err
	}
	from := netset.Everywhere()
	if c.From.IsValid() {
		from = netset.AddrsOf(c.From)
	}
	return netset.Product(traffic, from), nil
}

// Public reports whether an address is not private: one that public accessibility decides.
func Public(a netip.Addr) bool { return !netset.Private().Contains(a) }

// ConnectionLoss is what a plan takes from connections.
type ConnectionLoss uint8

// The losses.
const (
	ConnectionUnknown ConnectionLoss = iota
	ConnectionKept                   // nothing is taken from them
	ConnectionLost                   // all of them were allowed before and none is after
)

// ConnectionsLost decides exactly what writes took from connections. blob is the network
// evidence of their plan, which says what else the resource allows; without it only writes
// that touch no such packet keep them. why says what is not known.
func ConnectionsLost(c Connection, writes []resource.Taken, blob []byte) (loss ConnectionLoss, why string) {
	packets, err := c.Packets()
	if err != nil {
		return ConnectionUnknown, err.Error()
	}
	var gone, symbolic netset.Set
	for _, w := range writes {
		gone, symbolic = gone.Union(w.Gone), symbolic.Union(w.Symbolic)
	}
	if packets.Intersect(gone.Union(symbolic)).IsEmpty() {
		return ConnectionKept, ""
	}
	n, err := network(blob)
	if err != nil {
		return ConnectionUnknown, err.Error()
	}
	switch lost := n.Old.Subtract(n.New).Intersect(packets); {
	case !packets.Intersect(symbolic).IsEmpty():
		return ConnectionUnknown, "a rule went whose source is a security group or a prefix list: whose addresses those were is not in the record"
	case !c.From.IsValid():
		return ConnectionUnknown, "which addresses the source has is not in the record: name its address with --from"
	case lost.IsEmpty():
		return ConnectionKept, ""
	case !lost.Equal(packets):
		return ConnectionUnknown, "only some of these connections were allowed before"
	case len(n.NewOthers) > 0:
		return ConnectionUnknown, "rules whose source is a security group or a prefix list may still allow it: " + strings.Join(n.NewOthers, "; ")
	}
	return ConnectionLost, ""
}

func network(blob []byte) (n Network, err error) {
	if len(blob) == 0 {
		return n, errors.New("what else the resource allowed is not in the record")
	}
	if err := Check(blob, NetworkEvidence()); err != nil {
		return n, fmt.Errorf("the evidence does not hold: %w", err)
	}
	var ev dera.Evidence
	if err := json.Unmarshal(blob, &ev); err != nil {
		return n, fmt.Errorf("read the evidence: %w", err)
	}
	return n, json.Unmarshal(ev.Body, &n)
}
