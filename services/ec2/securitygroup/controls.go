package securitygroup

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/netset"
)

// groupReads are the IAM actions with which a security group is read whole.
func groupReads() []string {
	return []string{
		"ec2:DescribeAddresses",
		"ec2:DescribeInstances",
		"ec2:DescribeNetworkInterfaces",
		"ec2:DescribeRouteTables",
		"ec2:DescribeSecurityGroupRules",
		"ec2:DescribeSecurityGroups",
		"ec2:DescribeVpcs",
		"ec2:DescribeManagedPrefixLists",
		"ec2:GetManagedPrefixListEntries",
	}
}

// groupWrites are the IAM actions of every plan and undo on inbound rules.
// CreateTags lets a rule that is authorized again carry its tags.
func groupWrites() []string {
	return []string{AuthorizeIngress, RevokeIngress, "ec2:CreateTags"}
}

// unsplittable says why rules of the group cannot be cut automatically, or "".
func unsplittable(g *Group, rules []Rule) string {
	if g.Default() {
		return "The default group of a VPC is used by everything that is launched without a group, so a person decides."
	}
	for _, r := range InOrder(rules) {
		if r.All() {
			return "A rule for all traffic cannot be split safely, so a person decides."
		}
		if r.PrefixList != nil {
			return "A prefix list can be shared by other groups, so a person decides."
		}
	}
	if why := g.NetworkUnread(); why != "" {
		return "dera does not know which private access the rule allows, so a person decides: " + why + "."
	}
	return ""
}

// inside are the addresses that are not external for the group: the allowlist and
// its own network.
func inside(g *Group, s control.Settings) netset.Addrs {
	return netset.AddrsOf(s.Allow...).Union(g.House())
}

// severity is one step lower where nothing public can come in, or the group is
// attached to nothing.
func severity(g *Group, s dera.Severity) dera.Severity {
	if f := g.Facing(); f == FacingPrivate || f == FacingNothing {
		return max(s-1, dera.Low)
	}
	return s
}

// facing says in words why the severity is lower, or "".
func facing(g *Group) string {
	switch g.Facing() {
	case FacingPrivate:
		return " Nothing that the group is attached to can be reached from the internet now."
	case FacingNothing:
		return " The group is attached to nothing now."
	default:
		return ""
	}
}

// judged makes the result of failures; rules with an unreadable source that
// could matter make it unknown.
func judged(g *Group, failures []control.Failure, matters func(Rule) bool) control.Result {
	res := control.Result{Outcome: control.Pass, Failures: failures}
	if len(failures) > 0 {
		res.Outcome = control.Fail
	}
	var unread []string
	for _, r := range Unknown(g.Ingress) {
		if matters(r) {
			unread = append(unread, r.Line())
		}
	}
	slices.Sort(unread)
	if len(unread) > 0 {
		res.Outcome = control.UnknownResult
		res.Why = "the entries of the prefix list could not be read: " + strings.Join(unread, "; ")
	}
	return res
}

// lets reports whether the rule lets some port of lo to hi of the protocol in.
func lets(r Rule, p netset.Protocol, lo, hi uint16) bool {
	t, err := r.Packets()
	if err != nil {
		return true // what cannot be understood matters
	}
	return p >= t.Protocols.Lo && p <= t.Protocols.Hi && lo <= t.Ports.Hi && hi >= t.Ports.Lo
}

func hasKey(failures []control.Failure, key string) bool {
	return slices.ContainsFunc(failures, func(f control.Failure) bool { return f.Key == key })
}

// sourcesOf are the CIDRs of the rules; of a prefix list those of its entries,
// and its ID where these could not be read.
func sourcesOf(rules []Rule) []string {
	var out []string
	for _, r := range rules {
		prefixes, known := r.Addresses()
		for _, p := range prefixes {
			out = append(out, p.String())
		}
		if !known && r.PrefixList != nil {
			out = append(out, r.PrefixList.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// allowedBy says what the rules allow, and from where: Rule “tcp 22 from
// 0.0.0.0/0” allows SSH from the entire IPv4 internet.
func allowedBy(rules []Rule, what string, from netset.Measure) string {
	names, n := ruleNames(rules)
	if n == 1 {
		return "Rule " + names + " allows " + what + " from " + control.Audience(from)
	}
	return "Rules " + names + " together allow " + what + " from " + control.Audience(from)
}

// ruleList names up to three rules.
func ruleList(rules []Rule) string {
	names, n := ruleNames(rules)
	if n == 1 {
		return "the rule " + names
	}
	return "the rules " + names
}

// ruleNames lists up to three rules, and how many there are.
func ruleNames(rules []Rule) (names string, n int) {
	var lines []string
	for _, r := range rules {
		lines = append(lines, "“"+r.Line()+"”")
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	n = len(lines)
	if n > 3 {
		lines = append(lines[:3:3], fmt.Sprintf("%d more", n-3))
	}
	return strings.Join(lines, ", "), n
}

// Controls are the controls on security groups.
func Controls() []control.Control {
	return []control.Control{AdminPortsOpen(), DatabaseOpen(), OtherPortsOpen(), WebPortsOpen(), DefaultGroupRules()}
}
