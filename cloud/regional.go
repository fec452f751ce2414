package cloud

import (
	"context"
	"slices"

	"dera.example/dera"
)

// Regional finds what an account has once in each region, under the region's own name.
type Regional struct {
	Name   string // for people
	ARN    func(partition, account, region, id string) dera.ARN
	Config func(region string) any
}

// Find is Wire.Find. It makes no call.
func (x Regional) Find(_ context.Context, r *Reading) (found Found, _ error) {
	region := r.Scope.Region
	for _, id := range r.Scope.IDs {
		if id != region {
			found.Missing = append(found.Missing, id)
		}
	}
	if r.Scope.Sweep() || slices.Contains(r.Scope.IDs, region) {
		found.Items = []*Item{NewItem(r, region, x.Name, x.ARN(PartitionOf(r.Scope), r.Scope.Account, region, region), x.Config(region))}
	}
	return found, nil
}

// Sample is Wire.Sample.
func (x Regional) Sample(_ context.Context, r *Reading) (string, error) { return r.Scope.Region, nil }
