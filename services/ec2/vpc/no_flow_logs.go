package vpc

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// NoFlowLogs finds VPCs in use whose traffic no flow log records.
func NoFlowLogs() control.Control {
	return control.OnFact(Type(), control.FactSpec[VPC]{
		Key: "flow-logs",
		Applies: func(v *VPC, _ control.Settings) string {
			if v.Interfaces != nil && !*v.Interfaces {
				return "nothing is attached to the VPC"
			}
			return ""
		},
		Meta: control.Meta{
			ID: "ec2-vpc-no-flow-logs", Title: "VPC has no flow logs", Severity: dera.Medium, Watches: true,
			Why:        "Without flow logs nobody can say who connected to what, and dera cannot tell whether an open port is in use.",
			Fix:        "A person makes a flow log of the VPC to a bucket or a log group, or puts its role or bucket policy in order.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "the VPC is in use, and no flow log of the whole VPC that delivers records rejected traffic", Disposition: dera.Alert, Because: "flow logs cost by volume, and need a bucket with a policy, or a role"},
			},
			Refs: []control.Ref{
				{Standard: "CIS AWS Foundations 5.0.0", ID: "3.7", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
				{Standard: "CIS AWS Foundations 7.0.0", ID: "4.7", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
				{Standard: "Security Hub", ID: "EC2.6", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"},
				{Standard: "AWS Config", ID: "VPC_FLOW_LOGS_ENABLED", URL: "https://docs.aws.amazon.com/config/latest/developerguide/vpc-flow-logs-enabled.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(v *VPC, _ control.Settings) (string, bool) {
			why := "No flow log records the traffic of the VPC."
			for _, f := range v.Flows {
				switch {
				case !f.Active:
				case f.Failed != "":
					why = "The flow log " + f.ID + " does not deliver: " + f.Failed + "."
				case f.Traffic == "ACCEPT":
					why = "The flow log " + f.ID + " leaves out rejected traffic."
				default:
					return "", true
				}
			}
			if v.Flows == nil || v.Interfaces == nil {
				return "", false
			}
			return why, true
		},
	})
}
