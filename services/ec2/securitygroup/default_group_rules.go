package securitygroup

import (
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// DefaultGroupRules finds default security groups that allow anything.
func DefaultGroupRules() control.Control {
	return control.Define(control.Spec[*Group]{
		Meta: control.Meta{
			ID:       "ec2-securitygroup-default-group-rules",
			Title:    "Default security group of a VPC has rules",
			Type:     Name,
			Severity: dera.Medium,
			Why: "Whatever is launched without a group gets the default one. A default group without rules makes that mistake " +
				"harmless.",
			Fix: "All inbound rules of the default group are revoked, each by its ID, after a person approved. Outbound rules are " +
				"reported and stay: dera does not change what goes out.",
			Complexity: "high",
			Cases: []control.Case{
				{When: "the default group has an inbound rule", Disposition: dera.Review, Because: "members may rely on it"},
				{When: "the default group has an outbound rule", Disposition: dera.Alert, Because: "dera does not change what goes out"},
			},
			Refs: []control.Ref{
				{Standard: "CIS AWS Foundations 5.0.0", ID: "5.5", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
				{Standard: "Security Hub", ID: "EC2.2", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-2"},
				{Standard: "AWS Config", ID: "VPC_DEFAULT_SECURITY_GROUP_CLOSED", URL: "https://docs.aws.amazon.com/config/latest/developerguide/vpc-default-security-group-closed.html"},
			},
			Reads:    groupReads(),
			Writes:   groupWrites(),
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(g *Group, _ control.Settings) control.Result {
			if !g.Default() {
				return control.Result{Outcome: control.NotApplicable}
			}
			var failures []control.Failure
			if len(g.Ingress) > 0 {
				failures = append(failures, control.Failure{
					Key: "inbound", Start: dera.Review, Severity: dera.Medium,
					Title: "Default security group has inbound rules",
					Why:   fmt.Sprintf("The default group of %s has %s.", g.VPC, ruleList(g.Ingress)),
				})
			}
			if len(g.Egress) > 0 {
				failures = append(failures, control.Failure{
					Key: "outbound", Start: dera.Alert, Severity: dera.Low,
					Title: "Default security group has outbound rules",
					Why:   fmt.Sprintf("The default group of %s has %s.", g.VPC, strings.ReplaceAll(ruleList(g.Egress), " from ", " to ")),
				})
			}
			if len(failures) == 0 {
				return control.Result{Outcome: control.Pass}
			}
			return control.Result{Outcome: control.Fail, Failures: failures}
		},
		Plan: func(g *Group, failures []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			if hasKey(failures, "outbound") {
				return nil, &control.Refusal{Code: "outbound", Why: "dera does not change what goes out"}
			}
			var changes []dera.Change
			for _, r := range InOrder(g.Ingress) {
				c, err := g.Revoke(r)
				if err != nil {
					return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
				}
				changes = append(changes, c)
			}
			return changes, nil
		},
		Prove: func(g *Group, _ []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			return ProveEmptied(g, changes, "CIS AWS Foundations 5.5")
		},
	})
}
