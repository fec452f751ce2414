package ebs

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
)

// managedKey is the alias of the key that AWS makes and manages for EBS. Whoever may
// use EBS in the account may use it.
const managedKey = "alias/aws/ebs"

// DefaultEncryptionOff finds regions in which new EBS volumes are not encrypted
// unless a request asks for it.
func DefaultEncryptionOff() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Encryption]{
		Path: "enabled",
		Meta: control.Meta{
			ID:         "ec2-ebs-default-encryption-off",
			Title:      "EBS default encryption is disabled",
			Severity:   dera.Medium,
			Why:        "A volume that is made without encryption stays so, and so do its snapshots, which can be shared with other accounts or made public.",
			Fix:        "Encryption by default is switched on for the region, with the default key that is set. Existing volumes and snapshots do not change.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "it is off, and the default key is the one that AWS manages", Disposition: dera.Auto, Because: "whoever may make volumes in the account may use this key"},
				{When: "it is off, and the default key is another one or could not be read", Disposition: dera.Review, Because: "a role that launches instances may have no right to use the key"},
			},
			Refs: []control.Ref{
				{Standard: "CIS AWS Foundations 7.0.0", ID: "6.1.1", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
				{Standard: "Security Hub", ID: "EC2.7", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"},
				{Standard: "AWS Config", ID: "EC2_EBS_ENCRYPTION_BY_DEFAULT", URL: "https://docs.aws.amazon.com/config/latest/developerguide/ec2-ebs-encryption-by-default.html"},
			},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Start: func(e *Encryption, _ control.Settings) (dera.Disposition, string) {
			switch {
			case e.Key == "":
				return dera.Review, "The default key could not be read, so a person decides: roles that launch instances may have no right to use it."
			case e.Key != managedKey && !strings.HasSuffix(e.Key, ":"+managedKey):
				return dera.Review, "The default key is " + e.Key + ", so a person decides: roles that launch instances may have no right to use it."
			}
			return dera.Auto, "The default key is the one that AWS manages."
		},
	})
}
