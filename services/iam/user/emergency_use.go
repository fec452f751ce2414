package user

import (
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// EmergencyUse finds use of users for emergencies that no incident explains.
func EmergencyUse() control.Control {
	return control.Define(control.Spec[*User]{
		Meta: iam.EmergencyMeta(iam.UserKind, Parts()),
		Check: func(u *User, s control.Settings) control.Result {
			return iam.Explaining{
				Who: "User " + u.Name, Title: "User for emergencies was used without an incident", Watched: iam.Listed(s, u.Explained), Use: u.Use, Known: u.Explained,
			}.Check()
		},
	})
}
