// Package ec2 holds the controls on EC2 resources.
package securitygroup

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// AdminPortsOpen finds security groups that allow SSH or RDP from the
// internet.
func AdminPortsOpen() control.Control {
	return control.Define(control.Spec[*Group]{
		Meta: control.Meta{
			ID:       "ec2-securitygroup-admin-ports-open",
			Title:    "Security group allows SSH or RDP from the internet",
			Type:     Name,
			Severity: dera.Critical,
			Why: "Ports 22 and 3389 that anyone can reach are scanned within minutes and are the most common way in: " +
				"stolen keys, weak passwords and unpatched daemons all end here.",
			Fix: "Only the offending range is removed: a rule for just that port is revoked by its rule ID; of a wider rule " +
				"the remainder is authorized first, with its description and tags, and then the rule is revoked. Private access stays.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "more than 2^24 public IPv4 addresses, or IPv6 wider than a /32, reach TCP 22 or 3389, in one rule or over several", Disposition: dera.Auto, Because: "there is no safe use of it"},
				{When: "the rule allows all traffic (-1), or its source is a prefix list", Disposition: dera.Review, Because: "it cannot be split safely"},
				{When: "the group is the default group of its VPC", Disposition: dera.Review, Because: "everything launched without a group uses it"},
				{When: "what the VPC reaches privately could not be read", Disposition: dera.Review, Because: "private access could be lost"},
				{When: "fewer public addresses (a /8 or less), outside the allowlist and the VPC, reach the port", Disposition: dera.Review, Because: "it may be intended"},
			},
			Refs: []control.Ref{
				{Standard: "CIS AWS Foundations 5.0.0", ID: "5.3 and 5.4", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
				{Standard: "Security Hub", ID: "EC2.13, EC2.14, EC2.53, EC2.54", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"},
				{Standard: "AWS Config", ID: "INCOMING_SSH_DISABLED, RESTRICTED_INCOMING_TRAFFIC", URL: "https://docs.aws.amazon.com/config/latest/developerguide/restricted-ssh.html"},
				{Standard: "NIST SP 800-53 Rev. 5", ID: "AC-4, SC-7", URL: "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final"},
				{Standard: "PCI DSS 4.0.1", ID: "1.3.1, 1.4.2", URL: "https://www.pcisecuritystandards.org/"},
			},
			Reads:    groupReads(),
			Writes:   groupWrites(),
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(g *Group, s control.Settings) control.Result { return checkPorts(g, s, adminPorts(), nil) },
		Plan: func(g *Group, failures []control.Failure, s control.Settings) ([]dera.Change, *control.Refusal) {
			removals, err := portRemovals(g, failures, s, adminPorts())
			if err != nil {
				return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
			}
			return PlanRemovals(g, removals, s)
		},
		Prove: func(g *Group, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
			removals, err := portRemovals(g, failures, s, adminPorts())
			if err != nil {
				return dera.Evidence{}, err
			}
			return ProveRemovals(g, removals, changes, s)
		},
	})
}

// adminPorts returns the ports of remote administration with their names.
func adminPorts() []service { return []service{{22, "SSH"}, {3389, "RDP"}} }
