package control

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// ProveAccountBlock makes the evidence for a new block of an account.
func ProveAccountBlock(a *resource.AccountBlock, goals []string, changes []dera.Change) (dera.Evidence, error) {
	config, err := resource.AccountBlockTypeOf().ApplyPlan(a, dera.Plan{Changes: changes})
	if err != nil {
		return dera.Evidence{}, err
	}
	x := Access{Goals: goals, Old: Side{Block: resource.Strictest(a.Block)}, New: Side{Block: resource.Strictest(config.(*resource.AccountBlock).Block)}}
	for _, d := range a.Dependents {
		x.Needs = append(x.Needs, "bucket "+d.Bucket+" in "+d.Region+": "+strings.Join(d.Why, "; "))
	}
	return x.Evidence()
}
