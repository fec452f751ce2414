package wire

import (
	"context"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
)

// Accesses reads what was asked to be given back to principals of a type; of is where a
// configuration has it.
func Accesses(typ string, of func(config any) *own.Identity) cloud.Reader {
	return cloud.Ported(resource.PortAccess, []string{own.PartAccess}, func(ctx context.Context, r *cloud.Reading, from resource.Accesses, items []*cloud.Item) error {
		known, err := from.Asked(ctx, dera.Scope{Partition: cloud.PartitionOf(r.Scope), Account: r.Scope.Account, Region: dera.GlobalRegion, Type: typ})
		if err != nil {
			return err
		}
		for _, x := range items {
			of(x.Config).Access = known[x.ID]
		}
		return nil
	})
}
