// Package netset is exact algebra over network traffic: address family ×
// protocol × port × address, for IPv4 and IPv6.
//
// A firewall rule is a box in that space and a security group, a whole network
// interface or the region that a rule must not open is a [Set] of such boxes.
// Sets are closed under union, intersection and subtraction, have one
// representation each, and a failed [Subset] names a [Point] that shows why.
// Nothing is estimated: whether a port is "open to the internet" is decided by
// the number of distinct public addresses that reach it ([Exposure]) and never
// by looking for the text "0.0.0.0/0", so that two /1 rules, four /2 rules, an
// unmasked 208.236.235.254/0 and 2000::/3 are all seen for what they are.
//
// # Representation
//
// Protocol and port together are one 24-bit key, protocol<<16 | port. For each
// family a set is a function from keys to address sets, stored as the sorted
// list of maximal key intervals ("slabs") on which the function is constant and
// not empty; an address set is the sorted list of its maximal address ranges.
// Both lists are unique, hence equal sets have equal representations. A rule of
// protocol -1 is one slab over all keys.
//
// # Ports
//
// TCP, UDP, DCCP, SCTP and UDP-Lite have ports. For ICMP and ICMPv6 the second
// dimension is type<<8 | code, so that an ICMP rule which AWS writes with
// FromPort 22 (type 22) never meets TCP port 22. Every other protocol has no
// such dimension: a rule over it spans 0-65535.
//
// # Families
//
// The family of a point is the family of its [net/netip.Addr]. The algebra does
// not unmap: ::ffff:10.0.0.1 as a netip.Addr is an IPv6 address, which no rule
// over IPv4 matches. The parser [Prefix] does unmap, since text in that form
// means the IPv4 address (RFC 4291 section 2.5.5.2).
//
// The package uses the standard library and go4.org/netipx; it may import no
// other package.
package netset
