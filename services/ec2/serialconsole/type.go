// Package serialconsole is access to the serial console of EC2 instances in a region of an
// account: its state, events and controls.
package serialconsole

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/regional"
	"dera.example/dera/resource"
)

// Name is the type name. CloudFormation has no such type; this one is in the form of those
// that it has.
const Name = "AWS::EC2::SerialConsoleAccess"

// The writes, by their IAM actions.
const (
	Enable  = "ec2:EnableSerialConsoleAccess"
	Disable = "ec2:DisableSerialConsoleAccess"
)

// The states.
const (
	Enabled  = "enabled"
	Disabled = "disabled"
)

// Kind is access to the console.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-access-to-serial-console.html
func Kind() regional.Kind {
	return regional.Kind{
		Name: Name, Service: "ec2", Slug: "serial-console-access", Label: "serial console", Says: "access to the serial console of instances",
		Reads: []string{"ec2:GetSerialConsoleAccessStatus"},
		Set:   Disable, Unset: Enable, DryRun: true, Order: []string{Enabled, Disabled}, Terraform: "aws_ec2_serial_console_access.enabled",
		Source: "ec2.amazonaws.com", Calls: []string{"EnableSerialConsoleAccess", "DisableSerialConsoleAccess"},
		Denies: []resource.Bounds{{Actions: []string{"ec2-instance-connect:SendSerialConsoleSSHPublicKey"}, Error: true, Why: "the serial console is switched off in the region"}},
		Note:   "Sessions that are open are not ended. Whoever repairs an instance that has no network does so by this console.",
	}
}

// Type is access to the console: one resource for each account and region.
func Type() resource.Type { return Kind().Type() }

// Controls are the controls on access to the console.
func Controls() []control.Control { return []control.Control{On()} }

// On finds regions in which the serial console can be used.
func On() control.Control {
	return Kind().Control(control.Meta{
		ID: "ec2-serialconsole-on", Title: "Serial console of instances can be used", Severity: dera.Medium,
		Why:        "The console reaches an instance past its network, its security groups and its agents; attackers use it to move from a stolen role to a shell.",
		Fix:        "Access to the serial console is switched off for the region.",
		Complexity: "low",
		Cases: []control.Case{
			{When: "it is on", Disposition: dera.Review, Because: "it can be the only way to repair an instance, and the write is tested against AWS's model only"},
			{When: "a declarative policy of the organisation sets it", Disposition: dera.Review, Because: "the account cannot change it; no plan is made"},
		},
		Refs:  []control.Ref{{Standard: "Amazon EC2", ID: "EC2 Serial Console", URL: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-access-to-serial-console.html"}},
		Owner: "dera maintainers", ReviewBy: "2027-11-01",
	}, regional.Always(dera.Review, "Who repairs instances by it, only people know."))
}
