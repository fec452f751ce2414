package wire

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
)

// CallEntities is the call that tells who has a managed policy.
const CallEntities = "iam:ListEntitiesForPolicy"

// few is how many identities are read one by one; more are read by a walk.
const few = 3

// Named is a role, user or group by name.
type Named struct {
	Kind own.Kind
	Name string
}

// Entities are who has a managed policy, and whose permissions boundary it is.
type Entities struct{ Attached, Boundary []Named }

// EntitiesOf asks who has a policy, once a read.
func EntitiesOf(ctx context.Context, r *cloud.Reading, arn string) (Entities, error) {
	return cloud.Once(r, "entities of "+arn, func() (has Entities, err error) {
		if has.Attached, err = usedAs(ctx, r, arn, types.PolicyUsageTypePermissionsPolicy); err != nil {
			return Entities{}, err
		}
		has.Boundary, err = usedAs(ctx, r, arn, types.PolicyUsageTypePermissionsBoundary)
		return has, err
	})
}

func usedAs(ctx context.Context, r *cloud.Reading, arn string, as types.PolicyUsageType) (out []Named, err error) {
	in := &iam.ListEntitiesForPolicyInput{PolicyArn: aws.String(arn), PolicyUsageFilter: as, MaxItems: aws.Int32(Most)}
	err = cloud.List(r, cloud.Listing[*iam.ListEntitiesForPolicyOutput, Named]{
		Call: CallEntities, Of: "entities",
		Page: func(token *string) (*iam.ListEntitiesForPolicyOutput, error) {
			in.Marker = token
			return IAM(r).ListEntitiesForPolicy(ctx, in)
		},
		On: func(p *iam.ListEntitiesForPolicyOutput) ([]Named, *string) {
			if p.PolicyRoles == nil || p.PolicyUsers == nil || p.PolicyGroups == nil {
				return nil, nil
			}
			list := []Named{}
			for _, x := range p.PolicyRoles {
				list = append(list, Named{own.RoleKind, aws.ToString(x.RoleName)})
			}
			for _, x := range p.PolicyUsers {
				list = append(list, Named{own.UserKind, aws.ToString(x.UserName)})
			}
			for _, x := range p.PolicyGroups {
				list = append(list, Named{own.GroupKind, aws.ToString(x.GroupName)})
			}
			return list, p.Marker
		},
	}, func(e Named) error {
		out = append(out, e)
		return nil
	})
	return out, err
}

// EntitiesByPolicy are who has each policy of a walk, by the policy's ARN.
func (a *Account) EntitiesByPolicy() map[string]Entities {
	out := map[string]Entities{}
	for _, e := range a.Entities {
		who := Named{e.Kind, e.Name}
		for _, p := range e.Attached {
			has := out[p.ARN]
			has.Attached = append(has.Attached, who)
			out[p.ARN] = has
		}
		if e.Boundary != nil {
			has := out[e.Boundary.ARN]
			has.Boundary = append(has.Boundary, who)
			out[e.Boundary.ARN] = has
		}
	}
	return out
}

// BookFor is where entities are read from: a few are read alone, more by one walk.
func BookFor(ctx context.Context, r *cloud.Reading, has Entities) (Book, error) {
	b := Book{Reading: r}
	distinct := map[Named]bool{}
	for _, e := range slices.Concat(has.Attached, has.Boundary) {
		distinct[e] = true
	}
	for e := range distinct {
		if e.Kind != own.GroupKind || len(distinct) > few {
			continue
		}
		group, err := b.Head(ctx, e.Kind, e.Name)
		if err != nil {
			return b, err
		}
		for _, m := range group.Members {
			distinct[Named{own.UserKind, m}] = true
		}
	}
	if len(distinct) <= few {
		return b, nil
	}
	var err error
	b.Walked, err = Walk(ctx, r, own.RoleKind, own.UserKind, own.GroupKind)
	return b, err
}

// Expand finds the users that have a policy by their groups, and the ARNs of those whose
// permissions boundary it is. Who has it directly has it by no group; a group without
// members has it itself.
func (b Book) Expand(ctx context.Context, arn string, has Entities) (out []Holding, boundaryOf []string, err error) {
	seen := map[Named]bool{}
	add := func(e Named, via string) {
		if !seen[e] {
			seen[e], out = true, append(out, Holding{e, via})
		}
	}
	for _, e := range has.Attached {
		if e.Kind != own.GroupKind {
			add(e, "")
		}
	}
	for _, e := range has.Attached {
		if e.Kind != own.GroupKind {
			continue
		}
		group, err := b.Head(ctx, e.Kind, e.Name)
		if err != nil {
			return nil, nil, err
		}
		for _, m := range group.Members {
			add(Named{own.UserKind, m}, e.Name)
		}
		if len(group.Members) == 0 {
			add(e, "")
		}
	}
	for _, e := range has.Boundary {
		head, err := b.Head(ctx, e.Kind, e.Name)
		if err != nil {
			return nil, nil, err
		}
		if head.Boundary != nil && head.Boundary.ARN == arn {
			boundaryOf = append(boundaryOf, string(head.ARN))
		}
	}
	return out, boundaryOf, nil
}
