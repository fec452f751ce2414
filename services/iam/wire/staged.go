package wire

import (
	"context"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
)

// Staged reads since when something of the policies of resources of a type is denied that is to
// go out of them; of is where a configuration has it, nil where nothing is staged. What dera knows nothing of is due, but
// not automatically: nobody looked for whom it denied something.
func Staged(typ string, of func(config any) **own.Staged) cloud.Reader {
	return cloud.Ported(resource.PortStages, []string{own.PartStaged}, func(ctx context.Context, r *cloud.Reading, from resource.Stages, items []*cloud.Item) error {
		known, err := from.Staged(ctx, dera.Scope{Partition: cloud.PartitionOf(r.Scope), Account: r.Scope.Account, Region: dera.GlobalRegion, Type: typ})
		if err != nil {
			return err
		}
		for _, x := range items {
			to := of(x.Config)
			if to == nil {
				continue
			}
			st := own.Staged{Days: resource.StagesBack, Missed: "nobody looked for what was denied: the database of dera knows of no change that added the statement"}
			if at, ok := known[x.ARN]; ok {
				st = own.Staged{Days: Days(at.At, r.At), Missed: at.Missed, From: at.From}
			}
			*to = &st
		}
		return nil
	})
}
