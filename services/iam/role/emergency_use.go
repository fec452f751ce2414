package role

import (
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// EmergencyUse finds use of roles for emergencies that no incident explains.
func EmergencyUse() control.Control {
	return control.Define(control.Spec[*Role]{
		Meta: iam.EmergencyMeta(iam.RoleKind, Parts()),
		Check: func(r *Role, s control.Settings) control.Result {
			return iam.Explaining{
				Who: "Role " + r.Name, Title: "Role for emergencies was used without an incident", Watched: iam.Listed(s, r.Explained), Use: r.Use, Known: r.Explained,
			}.Check()
		},
	})
}
