package evaluate

import (
	"context"
	"errors"

	"dera.example/dera"
	"dera.example/dera/iam/scope"
)

// RarelyUsed sends to review what takes permissions away that are for incidents,
// maintenance and recovery, or that reach the data of a database (requirement E5): no
// window is long enough to call them unused.
type RarelyUsed struct {
	// Actions are more of them, as globs.
	Actions []string
}

// Validate returns what is wrong, each with its field.
func (g RarelyUsed) Validate() error {
	return errors.Join(actionGlobs("permissions.rarely_used", g.Actions)...)
}

// Name implements Guardrail.
func (RarelyUsed) Name() string { return "rarely-used" }

// Check implements Guardrail.
func (g RarelyUsed) Check(_ context.Context, c Case) (dera.Reason, error) {
	if _, none := c.losing(); none != "" {
		return pass("%s", none), nil
	}
	if c.Stops {
		return pass("what its principal may do is not looked at: " + awsTells), nil
	}
	var rare []string
	for _, action := range c.Finding.Permissions {
		why := scope.Rare(action)
		if why == "" && len(meeting([]string{action}, g.Actions)) > 0 {
			why = "permissions.rarely_used names it"
		}
		if why != "" {
			rare = append(rare, action+" ("+why+")")
		}
	}
	if len(rare) > 0 {
		return review("it takes away what is needed though it is rarely used: %s", someOf(rare)), nil
	}
	return pass("none of %s is for incidents, recovery or databases", count(len(c.Finding.Permissions), "permission")), nil
}
