package cloud

import (
	"context"

	"dera.example/dera"
	"dera.example/dera/resource/role"
)

// TryCustom asks IAM whether the role's policies allow a custom fix and its undo to be
// started, each on its own document or function, and its role to be passed. It starts
// nothing.
func (c *Client) TryCustom(ctx context.Context, account, region, caller string, in dera.CustomInput) (out []Permission) {
	at := role.Where{Partition: dera.PartitionOf(region).ID, Account: account, Region: c.regionFor(region)}
	for _, one := range []*dera.CustomInput{&in, in.Undo} {
		if one == nil {
			continue
		}
		for _, st := range (role.Policy{}).RunCustom(*one, at).Statement {
			out = append(out, c.simulate(ctx, account, region, caller, st.Action, st.Resource[:1]...)...)
		}
	}
	return out
}
