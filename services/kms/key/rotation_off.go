package key

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// RotationOff finds keys of the customer that could rotate and do not.
func RotationOff() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Key]{
		Path:    "rotation",
		Applies: (*Key).Fixed,
		Meta: control.Meta{
			ID:         "kms-key-rotation-off",
			Title:      "KMS key rotation is disabled",
			Severity:   dera.Medium,
			Why:        "Material that is never replaced protects ever more data, and whoever gets hold of it reads all of that.",
			Fix:        "Automatic rotation of the key is switched on, with the period of one year that KMS sets. KMS charges for the first two rotations.",
			Complexity: "low",
			Cases: []control.Case{{
				When:        "the customer's own key, enabled, symmetric, made by KMS and no replica, does not rotate",
				Disposition: dera.Auto, Because: "its ID, policy and grants stay as they are, and all that it encrypted can be decrypted",
			}},
			Refs: []control.Ref{
				{Standard: "CIS AWS Foundations 5.0.0", ID: "3.6", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"},
				{Standard: "Security Hub", ID: "KMS.4", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html"},
				{Standard: "AWS Config", ID: "CMK_BACKING_KEY_ROTATION_ENABLED", URL: "https://docs.aws.amazon.com/config/latest/developerguide/cmk-backing-key-rotation-enabled.html"},
			},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
	})
}
