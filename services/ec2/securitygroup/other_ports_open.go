package securitygroup

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// OtherPortsOpen finds security groups that allow public addresses to reach anything
// but SSH, RDP, HTTP, HTTPS, and databases by rules of their own.
func OtherPortsOpen() control.Control {
	return control.Define(control.Spec[*Group]{
		Meta: control.Meta{
			ID:       "ec2-securitygroup-other-ports-open",
			Title:    "Security group allows other ports or protocols from public addresses",
			Type:     Name,
			Severity: dera.Critical,
			Why: "Agents, management ports and forgotten test servers are found by scanners within hours; whether a port is " +
				"meant to be public only its owner knows.",
			Fix: "After a person approved: the offending range is removed, a wider rule is split, ports 80 and 443 and the ports of the " +
				"other controls stay as they are.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "the internet reaches a TCP or UDP port other than TCP 22, 3389, 80 and 443 and, by rules for few ports, those of databases", Disposition: dera.Review, Because: "its intent needs context"},
				{When: "the internet reaches ICMP or another protocol; messages that path MTU discovery needs (ICMP type 3 code 4, ICMPv6 type 2) are no finding", Disposition: dera.Review, Because: "its intent needs context"},
				{When: "a rule allows all traffic from the internet (-1)", Disposition: dera.Review, Because: "it cannot be split safely; critical"},
				{When: "fewer public addresses, outside the allowlist, reach such a port", Disposition: dera.Review, Because: "it may be intended"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "EC2.18, EC2.19", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"},
				{Standard: "AWS Config", ID: "VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS, RESTRICTED_INCOMING_TRAFFIC", URL: "https://docs.aws.amazon.com/config/latest/developerguide/vpc-sg-open-only-to-authorized-ports.html"},
				{Standard: "NIST SP 800-53 Rev. 5", ID: "AC-4, SC-7", URL: "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final"},
				{Standard: "PCI DSS 4.0.1", ID: "1.3.1", URL: "https://www.pcisecuritystandards.org/"},
			},
			Reads:    groupReads(),
			Writes:   groupWrites(),
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: checkOtherPorts,
		Plan: func(g *Group, failures []control.Failure, s control.Settings) ([]dera.Change, *control.Refusal) {
			removals, err := otherRemovals(g, failures, s)
			if err != nil {
				return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
			}
			return PlanRemovals(g, removals, s)
		},
		Prove: func(g *Group, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
			removals, err := otherRemovals(g, failures, s)
			if err != nil {
				return dera.Evidence{}, err
			}
			return ProveRemovals(g, removals, changes, s)
		},
	})
}

// checkOtherPorts is silent about single protocols and ports where a rule lets
// all traffic in: that rule is the one finding.
func checkOtherPorts(g *Group, s control.Settings) control.Result {
	openings, err := otherOpenings(g, s)
	if err != nil {
		return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
	}
	var failures []control.Failure
	for _, o := range openings {
		failures = append(failures, o.failure(g))
	}
	return judged(g, failures, func(Rule) bool { return true })
}

func otherRemovals(g *Group, failures []control.Failure, s control.Settings) ([]Removal, error) {
	openings, err := otherOpenings(g, s)
	if err != nil {
		return nil, err
	}
	var out []Removal
	for _, o := range openings {
		if hasKey(failures, o.key) {
			out = append(out, o.removals...)
		}
	}
	return out, nil
}
