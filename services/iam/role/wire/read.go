package wire

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
	iamwire "dera.example/dera/services/iam/wire"
)

// few is how many roles are asked for one by one; more are listed.
const few = 3

// readSessions reads how long sessions may be where the walk found the roles, which does not say it: GetRole did.
func readSessions(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	items = slices.DeleteFunc(slices.Clone(items), func(x *cloud.Item) bool { return config(x).MaxSession > 0 })
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

// readProfiles reads which instance profiles have a role.
func readProfiles(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	in := &iam.ListInstanceProfilesForRoleInput{RoleName: aws.String(x.ID), MaxItems: aws.Int32(iamwire.Most)}
	list := []types.InstanceProfile{}
	err := cloud.List(r, cloud.Listing[*iam.ListInstanceProfilesForRoleOutput, types.InstanceProfile]{
		Call: role.CallProfiles, Of: "instance profiles",
		Page: func(token *string) (*iam.ListInstanceProfilesForRoleOutput, error) {
			in.Marker = token
			return iamwire.IAM(r).ListInstanceProfilesForRole(ctx, in)
		},
		On: func(p *iam.ListInstanceProfilesForRoleOutput) ([]types.InstanceProfile, *string) {
			return p.InstanceProfiles, p.Marker
		},
	}, func(p types.InstanceProfile) error {
		list = append(list, p)
		return nil
	})
	if err == nil {
		config(x).Profiles = append([]string(nil), iamwire.ProfileNames(list)...)
	}
	return err
}

// readClosed asks when dera narrowed the trust policies, as long as it matters.
func readClosed(ctx context.Context, r *cloud.Reading, changes resource.Changes, items []*cloud.Item) error {
	changed, err := changes.Changed(ctx, dera.Scope{Partition: cloud.PartitionOf(r.Scope), Account: r.Scope.Account, Region: dera.GlobalRegion, Type: role.Name}, role.UpdateTrust)
	if err != nil {
		return err
	}
	at := map[string]time.Time{} // by name: events tell no path
	for arn, t := range changed {
		name := arn.Resource()[strings.LastIndexByte(arn.Resource(), '/')+1:]
		if t.After(at[name]) {
			at[name] = t
		}
	}
	for _, x := range items {
		closed, ok := at[x.ID]
		if ok && config(x).MayHaveSessions(closed, r.At) {
			config(x).Closed = closed.UTC()
		}
	}
	return nil
}

// readThreats asks what GuardDuty reports about sessions of the roles.
func readThreats(ctx context.Context, r *cloud.Reading, from resource.Threatening, items []*cloud.Item) error {
	at := r.Scope
	at.Partition, at.Page, at.IDs = cloud.PartitionOf(r.Scope), "", nil
	if !r.Scope.Sweep() {
		for _, x := range items {
			at.IDs = append(at.IDs, x.ID)
		}
	}
	known, err := from.Threats(ctx, at, resource.ThreatUser)
	if err != nil {
		return err
	}
	for _, x := range items {
		c := config(x)
		c.Threats = known.About(role.Answered(), c.Is)
	}
	return nil
}
