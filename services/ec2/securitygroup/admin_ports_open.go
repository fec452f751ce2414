// Package ec2 holds the controls on EC2 resources.
package securitygroup

import (
	"fmt"
	"slices"
	"strconv"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/netset"
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
		Check: checkAdminPorts,
		Plan: func(g *Group, failures []control.Failure, s control.Settings) ([]dera.Change, *control.Refusal) {
			removals, err := adminRemovals(g, failures, s)
			if err != nil {
				return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
			}
			return PlanRemovals(g, removals, s)
		},
		Prove: func(g *Group, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
			removals, err := adminRemovals(g, failures, s)
			if err != nil {
				return dera.Evidence{}, err
			}
			return ProveRemovals(g, removals, changes, s)
		},
	})
}

// adminPorts returns the ports of remote administration with their names.
func adminPorts() []struct {
	port uint16
	name string
} {
	return []struct {
		port uint16
		name string
	}{{22, "SSH"}, {3389, "RDP"}}
}

func adminKey(port uint16) string { return "tcp/" + strconv.Itoa(int(port)) }

const boundedSuffix = "/bounded"

func checkAdminPorts(g *Group, s control.Settings) control.Result {
	allow := inside(g, s)
	var failures []control.Failure
	for _, a := range adminPorts() {
		e, err := Expose(g.Ingress, netset.TCP, a.port, allow)
		if err != nil {
			return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
		}
		if e.Measure.Internet() {
			f := control.Failure{
				Key: adminKey(a.port), Start: dera.Auto, Severity: severity(g, dera.Critical), Sources: sourcesOf(e.Internet),
				Title: fmt.Sprintf("Security group allows %s from the internet", a.name),
				Why:   allowedBy(e.Internet, a.name, e.Measure) + "." + facing(g),
			}
			if why := unsplittable(g, e.Internet); why != "" {
				f.Start = dera.Review
				f.Why += " " + why
			}
			failures = append(failures, f)
		}
		if e.BoundedMeasure.External() && len(e.Bounded) > 0 {
			failures = append(failures, control.Failure{
				Key: adminKey(a.port) + boundedSuffix, Start: dera.Review, Severity: severity(g, dera.Medium), Sources: sourcesOf(e.Bounded),
				Title: fmt.Sprintf("Security group allows %s from unknown public networks", a.name),
				Why:   allowedBy(e.Bounded, a.name, e.BoundedMeasure) + "; none of them is on an allowlist." + facing(g),
			})
		}
	}
	return judged(g, failures, func(r Rule) bool {
		return slices.ContainsFunc(adminPorts(), func(a struct {
			port uint16
			name string
		}) bool {
			return lets(r, netset.TCP, a.port, a.port)
		})
	})
}

// adminRemovals turns the failures into what the plan takes away.
func adminRemovals(g *Group, failures []control.Failure, s control.Settings) ([]Removal, error) {
	var out []Removal
	for _, a := range adminPorts() {
		e, err := Expose(g.Ingress, netset.TCP, a.port, inside(g, s))
		if err != nil {
			return nil, err
		}
		var rules []Rule
		if hasKey(failures, adminKey(a.port)) {
			rules = append(rules, e.Internet...)
		}
		if hasKey(failures, adminKey(a.port)+boundedSuffix) {
			rules = append(rules, e.Bounded...)
		}
		if len(rules) > 0 {
			out = append(out, Removal{Protocol: netset.TCP, Ports: netset.Ports{Lo: a.port, Hi: a.port}, Blamed: rules})
		}
	}
	return out, nil
}
