package wire

import (
	"context"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
)

// Explained reads which use of principals of a type an incident explains; of is where a
// configuration has it.
func Explained(typ string, of func(config any) **resource.Explained) cloud.Reader {
	return cloud.Ported(resource.PortIncidents, []string{own.PartExplained}, func(ctx context.Context, r *cloud.Reading, from resource.Incidents, items []*cloud.Item) error {
		known, err := from.Attached(ctx, dera.Scope{Partition: cloud.PartitionOf(r.Scope), Account: r.Scope.Account, Region: dera.GlobalRegion, Type: typ})
		if err != nil {
			return err
		}
		for _, x := range items {
			e := known[x.ARN]
			e.Principal = x.ARN
			*of(x.Config) = &e
		}
		return nil
	})
}
