package cloud

import (
	"context"
	"slices"

	"dera.example/dera"
)

// Regional finds what an account has once in each region, under the region's own name or ID.
type Regional struct {
	Name   string // for people
	ID     string // the same in every region; empty for the region's name
	ARN    func(partition, account, region, id string) dera.ARN
	Config func(region string) any
}

// Find is Wire.Find. It makes no call.
func (x Regional) Find(_ context.Context, r *Reading) (found Found, _ error) {
	region, own := r.Scope.Region, x.id(r)
	for _, id := range r.Scope.IDs {
		if id != own {
			found.Missing = append(found.Missing, id)
		}
	}
	if r.Scope.Sweep() || slices.Contains(r.Scope.IDs, own) {
		found.Items = []*Item{NewItem(r, own, x.Name, x.ARN(PartitionOf(r.Scope), r.Scope.Account, region, region), x.Config(region))}
	}
	return found, nil
}

// Sample is Wire.Sample.
func (x Regional) Sample(_ context.Context, r *Reading) (string, error) { return x.id(r), nil }

func (x Regional) id(r *Reading) string {
	if x.ID != "" {
		return x.ID
	}
	return r.Scope.Region
}
