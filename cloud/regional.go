package cloud

import (
	"context"

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
func (x Regional) Find(_ context.Context, r *Reading) (Found, error) {
	region := r.Scope.Region
	return Only(r, x.id(r), x.Name, x.ARN(PartitionOf(r.Scope), r.Scope.Account, region, region), x.Config(region)), nil
}

// Sample is Wire.Sample.
func (x Regional) Sample(_ context.Context, r *Reading) (string, error) { return x.id(r), nil }

func (x Regional) id(r *Reading) string {
	if x.ID != "" {
		return x.ID
	}
	return r.Scope.Region
}
