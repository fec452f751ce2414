package user

import (
	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services/iam"
)

// Administrator finds users that may do everything, by their groups too, or all of a service
// of AWS.
func Administrator() control.Control {
	return control.Define(control.Spec[*User]{
		Meta: iam.AdministratorMeta(Name, "user", "User is an administrator, or may do everything with a service", iam.ReadsOf(Parts())),
		Check: func(u *User, _ control.Settings) control.Result {
			if !u.Read(PartUser, PartInline, PartAttached, PartDocuments, PartGroups) {
				return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the policies of the user"}
			}
			return u.granting().Administrator()
		},
		Plan: func(*User, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) {
			return nil, iam.AdministratorByHand()
		},
	})
}

// granting are the policies that the user has itself and by its groups.
func (u *User) granting() iam.Granting {
	g := u.Granting(iam.UserKind)
	by := map[string]string{}
	for _, group := range u.Groups {
		of := iam.Identity{Inline: group.Inline, Attached: group.Attached}
		for _, t := range of.Granting(iam.GroupKind).Whole {
			t.Name += " of the group " + group.Name
			by[t.Name] = group.Name
			g.Whole = append(g.Whole, t)
		}
	}
	g.Group = func(name string) string { return by[name] }
	return g
}
