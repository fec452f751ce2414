package evaluate

import (
	"context"

	"dera.example/dera"
)

// Watchers leaves to a person what those did who may switch off what watches an account,
// such as its log or GuardDuty (requirement D8): who moves a trail stops the old one. Where
// there are such, so does a change of which nobody is known: its event may still come.
type Watchers struct {
	// Principals are ARN globs of users and roles.
	Principals []string
}

// Validate returns what is wrong, each with its field.
func (g Watchers) Validate() error { return arnGlobs("watchers.principals", g.Principals) }

// Name implements Guardrail.
func (Watchers) Name() string { return "watchers" }

// Check implements Guardrail.
func (g Watchers) Check(_ context.Context, c Case) (dera.Reason, error) {
	switch actor := c.Finding.LastActor; {
	case !c.Watches:
		return pass("it is about nothing that watches the account"), nil
	case len(g.Principals) > 0 && actor == "":
		return review("who changed it last is not known, and somebody may have been allowed to"), nil
	case IsPrincipal(g.Principals, actor):
		return review("%s, which may switch off what watches, changed it last", actor), nil
	}
	return pass("who changed it last is not declared to switch off what watches"), nil
}
