package subnet

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// AutoPublicAddress finds subnets in which every new instance gets a public address.
func AutoPublicAddress() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Subnet]{
		Path: MapPublic,
		Meta: control.Meta{
			ID: "ec2-subnet-auto-public-address", Title: "Subnet gives new instances a public IPv4 address", Severity: dera.Medium,
			Why:        "What is launched in it is on the internet without anybody having asked for it: one rule of a security group is all that stands before it.",
			Fix:        "New instances get no public address unless their launch asks for one.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "its route table leads to no internet gateway, and to nothing that may stand before one", Disposition: dera.Auto, Because: "a public address is of no use there"},
				{When: "its route table leads to an internet gateway, an appliance or a firewall, or could not be read", Disposition: dera.Review, Because: "the next node of a cluster or of a group would have no way to the internet. Whether anything was launched there lately AWS does not tell of what was terminated since"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "EC2.15", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"},
				{Standard: "AWS Config", ID: "SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED", URL: "https://docs.aws.amazon.com/config/latest/developerguide/subnet-auto-assign-public-ip-disabled.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Start: func(s *Subnet, _ control.Settings) (dera.Disposition, string) {
			switch {
			case s.Routes == nil:
				return dera.Review, "Where its route table leads is not known."
			case len(s.Routes.Public) > 0:
				return dera.Review, "A public address may be of use there: its route table has " + strings.Join(s.Routes.Public, ", ") + "."
			}
			return dera.Auto, "Its route table leads to no internet gateway, so that a public address is of no use there."
		},
	})
}
