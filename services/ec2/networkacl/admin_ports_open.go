package networkacl

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// AdminPortsOpen finds network ACLs that allow the internet to reach SSH or RDP.
func AdminPortsOpen() control.Control {
	return control.Define(control.Spec[*ACL]{
		Meta: control.Meta{
			ID: "ec2-networkacl-admin-ports-open", Title: "Network ACL allows SSH or RDP from the internet", Type: Name, Severity: dera.Medium,
			Why:        "A network ACL that allows the internet leaves it to security groups alone that nobody reaches SSH and RDP: one wrong rule is enough.",
			Fix:        "After a person approved: an entry for just the port is removed, once entries for private networks and the allowlist stand in its place. Wider entries are for a person: answers to outgoing connections may come by them.",
			Complexity: "high",
			Cases: []control.Case{
				{When: "an entry for just TCP 22 or 3389 allows the internet, and no entry before it denies that", Disposition: dera.Review, Because: "who administers from outside by it is cut off at once"},
				{When: "an entry for more ports does", Disposition: dera.Review, Because: "no plan is made: a network ACL keeps no connections, and answers need the high ports"},
				{When: "an entry for all traffic does, as in each default network ACL", Disposition: dera.Alert, Because: "AWS makes it so in every VPC, and security groups decide there"},
			},
			Refs: []control.Ref{
				{Standard: "CIS AWS Foundations 7.0.0", ID: "6.2", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
				{Standard: "Security Hub", ID: "EC2.21", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"},
				{Standard: "AWS Config", ID: "NACL_NO_UNRESTRICTED_SSH_RDP", URL: "https://docs.aws.amazon.com/config/latest/developerguide/nacl-no-unrestricted-ssh-rdp.html"},
			},
			Reads: Type().Reads(), Writes: []string{Create, Delete},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Check: check,
		Plan:  plan,
		Prove: prove,
	})
}
