package wire

import (
	"slices"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/control/regional"
)

// Regional is the wire of a setting of EC2's that an account has once in each region, without
// its writes.
func Regional(k regional.Kind, readers ...cloud.Reader) cloud.Wire {
	t := k.Type()
	x := cloud.Regional{Name: k.Label, ARN: t.ARN, Config: func(region string) any { return &regional.Setting{Region: region} }}
	w := cloud.Wire{
		Type: t.Name, Parts: t.Parts, Operations: t.Operations, Find: x.Find, Sample: x.Sample, Readers: readers, Answers: Answers(), Regions: Regions,
	}
	if k.DryRun {
		w.Try = func(region string) ([]dera.Change, error) { return k.Try(region) }
	}
	return w
}

// SetState takes the state and who manages it from an answer. One without a state, or with a
// manager that nobody knows, is no answer.
func SetState(x *cloud.Item, state, manager string) error {
	if state == "" {
		return cloud.Foreign("it says no state")
	}
	if !slices.Contains([]string{"", regional.Account, "declarative-policy"}, manager) {
		return cloud.Foreign("who manages it is %.40q", manager)
	}
	c := x.Config.(*regional.Setting)
	c.State, c.ManagedBy = state, manager
	return nil
}
