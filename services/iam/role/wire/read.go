package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
	iamwire "dera.example/dera/services/iam/wire"
)

// few is how many roles are asked for one by one; more are listed.
const few = 3

// readSessions reads how long sessions may be, which the walk does not say.
func readSessions(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	if len(items) <= few {
		for _, x := range items {
			if got, err := iamwire.Get(ctx, r, own.RoleKind, x.ID); err != nil {
				x.Lost(role.PartSession, err)
			} else {
				config(x).MaxSession = got.MaxSession
			}
		}
		return nil
	}
	left := map[string]*cloud.Item{}
	for _, x := range items {
		left[x.ID] = x
	}
	in := &iam.ListRolesInput{MaxItems: aws.Int32(iamwire.Most)}
	err := cloud.List(r, cloud.Listing[*iam.ListRolesOutput, types.Role]{
		Call: "iam:ListRoles", Of: "roles",
		Page: func(token *string) (*iam.ListRolesOutput, error) {
			in.Marker = token
			return iamwire.IAM(r).ListRoles(ctx, in)
		},
		On: func(p *iam.ListRolesOutput) ([]types.Role, *string) { return p.Roles, p.Marker },
	}, func(got types.Role) error {
		if x := left[aws.ToString(got.RoleName)]; x != nil {
			config(x).MaxSession = aws.ToInt32(got.MaxSessionDuration)
			delete(left, x.ID)
		}
		return nil
	})
	for _, x := range left {
		if err == nil {
			x.Lost(role.PartSession, cloud.Foreign("it leaves out the role %.70q", x.ID))
		}
	}
	return err
}
