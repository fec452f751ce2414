package cloud

import (
	"context"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// TryWrites finds out whether the actions would be allowed, and changes nothing:
// those that have a dry run are tried by it on any one resource of their type, and
// of the others IAM simulates the policies of the role. What neither tells is not
// tested. caller is the engine's own ARN.
func (c *Client) TryWrites(ctx context.Context, account, region, caller string, actions []string) []Permission {
	region = c.regionFor(region)
	var out []Permission
	var simulate []string
	for _, a := range actions {
		w := c.dry(a)
		if w == nil {
			simulate = append(simulate, a)
			continue
		}
		out = append(out, c.tryWrite(ctx, w, account, region, a))
	}
	return append(out, c.simulate(ctx, account, region, caller, simulate)...)
}

// dry returns the wire that has a dry run of the action, or nil.
func (c *Client) dry(action string) *Wire {
	for i, w := range c.cfg.Wires {
		for _, o := range w.Operations {
			if o.Name == action && o.DryRun {
				return &c.cfg.Wires[i]
			}
		}
	}
	return nil
}

// tryWrite has a dry run of an action.
func (c *Client) tryWrite(ctx context.Context, w *Wire, account, region, action string) Permission {
	ctx, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	r := c.reading(dera.Scope{Partition: dera.PartitionOf(region).ID, Account: account, Region: region, Type: w.Type}, false)
	var list []dera.Change
	if w.Sample != nil && w.Try != nil {
		id, err := w.Sample(ctx, r)
		if err != nil || id == "" {
			return Permission{action, NotTested, "nothing could be found to try it on"}
		}
		r.Scope.IDs = []string{id}
		if list, err = w.Try(id); err != nil {
			return Permission{action, NotTested, err.Error()}
		}
	}
	for _, change := range list {
		if change.Operation != action {
			continue
		}
		found, err := w.Find(ctx, r)
		if err != nil || len(found.Items) == 0 {
			return Permission{action, NotTested, "nothing could be found to try it on"}
		}
		p := dera.Plan{
			Partition: r.Scope.Partition, Account: account, Region: region, Type: w.Type, Resource: found.Items[0].ARN, Changes: []dera.Change{change},
		}
		return judgePermission(action, account, region, c.DryRun(ctx, p, resource.Of(change)))
	}
	return Permission{action, NotTested, "it is allowed on some resources only, which no dry run can show"}
}

func untested(actions []string, why string) []Permission {
	var out []Permission
	for _, a := range actions {
		out = append(out, Permission{a, NotTested, why})
	}
	return out
}
