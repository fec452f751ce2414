package wire

import (
	"context"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/instance"
)

// threats reads what GuardDuty reports about instances.
func threats() cloud.Reader {
	return cloud.Ported(resource.PortThreats, []string{instance.PartThreats}, func(ctx context.Context, r *cloud.Reading, from resource.Threatening, items []*cloud.Item) error {
		at := r.Scope
		at.Partition, at.Page = cloud.PartitionOf(r.Scope), ""
		known, err := from.Threats(ctx, at, resource.ThreatInstance)
		if err != nil {
			return err
		}
		for _, x := range items {
			c := x.Config.(*instance.Instance)
			c.Threats = known.About(instance.Answered(), c.Is)
		}
		return nil
	})
}
