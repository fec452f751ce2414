package awssim

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Rule is one security group rule: exactly one of CIDR, PrefixList and Group names the other side.
type Rule struct {
	ID          string            // assigned by the simulation
	Egress      bool              // outbound rather than inbound
	Protocol    string            // "tcp", "udp", "icmp", "icmpv6", "-1" for all, or a protocol number
	FromPort    int               // first port, or the ICMP type; -1 means all where ports have no meaning
	ToPort      int               // last port, or the ICMP code
	CIDR        string            // canonical IPv4 or IPv6 range
	PrefixList  string            // prefix list ID
	Group       string            // security group ID
	GroupOwner  string            // account of Group; default: the account of the rule
	Description string            //
	Tags        map[string]string //
}

// ruleKey is what AWS compares to find a duplicate or a rule to revoke: everything but identity, description and tags.
type ruleKey struct {
	egress            bool
	protocol          string
	from, to          int
	cidr, list, group string
}

func (r *Rule) key() ruleKey {
	return ruleKey{r.Egress, r.Protocol, r.FromPort, r.ToPort, r.CIDR, r.PrefixList, r.Group}
}

func (r *Rule) isIPv6() bool {
	return strings.Contains(r.CIDR, ":")
}

// hasPorts reports whether DescribeSecurityGroups shows ports for the protocol.
func hasPorts(protocol string) bool {
	switch protocol {
	case "tcp", "udp", "icmp", "icmpv6":
		return true
	}
	return false
}

func (r *Rule) clone() *Rule {
	copied := *r
	copied.Tags = maps.Clone(r.Tags)
	return &copied
}

// group is one security group. It is immutable once it is in a table: rules too.
type group struct {
	id, name, description, vpc, account string
	tags                                tags
	rules                               []*Rule
}

// edit returns a copy whose list of rules may be changed; a rule itself is replaced by a changed clone.
func (g *group) edit() *group {
	copied := *g
	copied.rules = slices.Clone(g.rules)
	return &copied
}

func (g *group) find(key ruleKey) int {
	return slices.IndexFunc(g.rules, func(r *Rule) bool { return r.key() == key })
}

func (g *group) findID(id string) int {
	return slices.IndexFunc(g.rules, func(r *Rule) bool { return r.ID == id })
}

// canonicalProtocol maps the names and numbers that AWS takes for one protocol to the one that it shows.
func canonicalProtocol(text string) (string, error) {
	switch p := strings.ToLower(text); p {
	case "tcp", "6":
		return "tcp", nil
	case "udp", "17":
		return "udp", nil
	case "icmp", "1":
		return "icmp", nil
	case "icmpv6", "58":
		return "icmpv6", nil
	case "-1", "all":
		return "-1", nil
	default:
		if n, err := strconv.Atoi(p); err != nil || n < 0 || n > 255 {
			return "", invalid("Invalid value '%s' for IP protocol. Unknown protocol.", text)
		}
		return p, nil
	}
}

// canonicalCIDR drops host bits: "if you specify 100.68.0.18/18, AWS canonicalizes the CIDR block to 100.68.0.0/18".
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
func canonicalCIDR(text string, ipv6 bool) (string, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil || prefix.Addr().Is6() != ipv6 || prefix.Addr().Is4In6() {
		return "", invalid("CIDR block %s is malformed", text)
	}
	return prefix.Masked().String(), nil
}

// checkPorts validates a range as EC2 does and returns it as EC2 stores it: "if you specify -1 or a protocol number other
// than tcp, udp, icmp or icmpv6, traffic on all ports is allowed, regardless of any port range you specify".
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
func checkPorts(protocol string, p *parameters) (from, to int, err error) {
	from, hasFrom, err := p.number("FromPort")
	if err != nil {
		return 0, 0, err
	}
	to, hasTo, err := p.number("ToPort")
	if err != nil {
		return 0, 0, err
	}
	switch protocol {
	case "tcp", "udp":
		if !hasFrom || !hasTo {
			return 0, 0, invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
		}
		for _, port := range []int{from, to} {
			if port < 0 || port > 65535 {
				return 0, 0, invalid("TCP/UDP port (%d) out of range", port)
			}
		}
		if from > to {
			return 0, 0, invalid("Invalid TCP port range (%d:%d)", from, to)
		}
		return from, to, nil
	case "icmp", "icmpv6":
		if !hasFrom || !hasTo {
			if protocol == "icmpv6" { // all types when omitted, as the API reference states
				return -1, -1, nil
			}
			return 0, 0, invalid("Invalid value 'Must specify both type and code with ICMP.' for portRange.")
		}
		if from < -1 || from > 255 || to < -1 || to > 255 {
			return 0, 0, invalid("ICMP type (%d) or code (%d) out of range", from, to)
		}
		return from, to, nil
	default:
		return -1, -1, nil
	}
}
