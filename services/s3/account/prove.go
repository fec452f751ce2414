package account

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/services/s3"
)

// ProveAccountBlock makes the evidence for a new block of an account.
func ProveAccountBlock(a *AccountBlock, goals []string, changes []dera.Change) (dera.Evidence, error) {
	config, err := Type().ApplyPlan(a, dera.Plan{Changes: changes})
	if err != nil {
		return dera.Evidence{}, err
	}
	x := s3.Access{Goals: goals, Old: s3.Side{Block: s3.Strictest(a.Block)}, New: s3.Side{Block: s3.Strictest(config.(*AccountBlock).Block)}}
	for _, d := range a.Dependents {
		x.Needs = append(x.Needs, "bucket "+d.Bucket+" in "+d.Region+": "+strings.Join(d.Why, "; "))
	}
	return x.Evidence()
}
