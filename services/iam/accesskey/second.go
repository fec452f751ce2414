package accesskey

import (
	"fmt"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// Second finds users with two active access keys, at the one that was made last.
func Second() control.Control {
	return control.OnSetting(Type(), control.SettingSpec[Key]{
		Path: "status", Applies: (*Key).alone,
		Meta: control.Meta{
			ID:         "iam-accesskey-second",
			Title:      "User has a second active access key",
			Severity:   dera.Medium,
			Why:        "A second key is for the days in which the first one is replaced. One that stays is forgotten, and an attacker who has the permission makes one for another user, whose own key works as before.",
			Fix:        "The key that was made last is made inactive, not deleted: it can be made active again with the secret that its owner has. Where the first one is being replaced, it is the first one that goes.",
			Complexity: "low",
			Stops:      true,
			Cases: []control.Case{
				{When: "a user has another active key, and this one was made last", Disposition: dera.Review, Because: "its owner may be replacing the first one; who made it a person knows"},
			},
			Refs:     []control.Ref{iam.CIS("1.12"), {Standard: "MITRE ATT&CK", ID: "T1098.001", URL: "https://attack.mitre.org/techniques/T1098/001/"}, iam.NIST("AC-2, AC-2(1), IA-5(1)")},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Start: func(k *Key, _ control.Settings) (dera.Disposition, string) {
			return dera.Review, fmt.Sprintf("The user has an older active key too. This one was made %d days ago.", k.Age)
		},
	})
}

// alone says why a key is not the second one of its user; "" for an inactive one too, which is
// as it should be.
func (k *Key) alone() string {
	if k.Status == "" || k.Status == Inactive || k.Status == Active && k.Newest {
		return ""
	}
	return "the user has no older active key"
}
