package app

import (
	"context"

	"dera.example/dera"
)

// customFixes looks in each region whether the documents and functions that are fixes of
// controls are there and can be bound, and whether their starts are allowed.
func (x *examination) customFixes(ctx context.Context, account string, regions []string) {
	for _, c := range x.Controls {
		for _, region := range regions {
			r := dera.Resource{Partition: dera.PartitionOf(region).ID, Account: account, Region: region}
			in, ok := c.Custom(r)
			if !ok {
				continue
			}
			about := account + " " + region + " " + c.ID
			bound, err := x.Cloud.BindCustom(ctx, r, in, true)
			if err != nil {
				h := Broken
				if !x.Enforces {
					h = ToDo // nothing is started yet
				}
				x.says("custom fixes", about, h, plainCause(err), "correct custom_fixes in the configuration, or what it names; dera role --config prints the permissions")
				continue
			}
			says := "it runs " + bound.String()
			if bound.Undo != nil {
				says += ", undone by " + bound.Undo.String()
			} else {
				says += ", without an undo: dera rolls nothing back"
			}
			x.says("custom fixes", about, Healthy, says, "")
			x.tried("writes", account+" "+region, x.Cloud.TryCustom(ctx, account, region, x.who.ARN, bound), "dera role --kind remediator --config prints what is needed; attach it to the writing role")
		}
	}
}
