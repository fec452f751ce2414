package wire

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
	iamwire "dera.example/dera/services/iam/wire"
)

const callEntities = "iam:ListEntitiesForPolicy"

// few is how many holders of a policy are read one by one; more are read by a walk.
const few = 3

// entity is a role, user or group by name.
type entity struct {
	kind own.Kind
	name string
}

// entities are who has a policy, and whose permissions boundary it is.
type entities struct{ attached, boundary []entity }

// list asks who has a policy, once a read.
func list(ctx context.Context, r *cloud.Reading, arn string) (entities, error) {
	return cloud.Once(r, "entities of "+arn, func() (has entities, err error) {
		if has.attached, err = usedAs(ctx, r, arn, types.PolicyUsageTypePermissionsPolicy); err != nil {
			return entities{}, err
		}
		has.boundary, err = usedAs(ctx, r, arn, types.PolicyUsageTypePermissionsBoundary)
		return has, err
	})
}

func usedAs(ctx context.Context, r *cloud.Reading, arn string, as types.PolicyUsageType) (out []entity, err error) {
	in := &iam.ListEntitiesForPolicyInput{PolicyArn: aws.String(arn), PolicyUsageFilter: as, MaxItems: aws.Int32(iamwire.Most)}
	err = cloud.List(r, cloud.Listing[*iam.ListEntitiesForPolicyOutput, entity]{
		Call: callEntities, Of: "entities",
		Page: func(token *string) (*iam.ListEntitiesForPolicyOutput, error) {
			in.Marker = token
			return iamwire.IAM(r).ListEntitiesForPolicy(ctx, in)
		},
		On: func(p *iam.ListEntitiesForPolicyOutput) ([]entity, *string) {
			if p.PolicyRoles == nil || p.PolicyUsers == nil || p.PolicyGroups == nil {
				return nil, nil
			}
			list := []entity{}
			for _, x := range p.PolicyRoles {
				list = append(list, entity{own.RoleKind, aws.ToString(x.RoleName)})
			}
			for _, x := range p.PolicyUsers {
				list = append(list, entity{own.UserKind, aws.ToString(x.UserName)})
			}
			for _, x := range p.PolicyGroups {
				list = append(list, entity{own.GroupKind, aws.ToString(x.GroupName)})
			}
			return list, p.Marker
		},
	}, func(e entity) error {
		out = append(out, e)
		return nil
	})
	return out, err
}

// named are those who have the policy as the listing tells them: without their paths, as
// if they had none.
func (has entities) named(r *cloud.Reading) (holders []own.Holder, boundaryOf []string) {
	arn := func(e entity) string {
		return string(e.kind.ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, "/", e.name))
	}
	for _, e := range has.attached {
		holders = append(holders, own.Holder{ARN: arn(e), Kind: e.kind, Name: e.name})
	}
	for _, e := range has.boundary {
		boundaryOf = append(boundaryOf, arn(e))
	}
	return holders, boundaryOf
}

// bookFor is where the holders are read from: a few are read alone, more by one walk for
// all policies of the read.
func bookFor(ctx context.Context, r *cloud.Reading, has entities) (iamwire.Book, error) {
	b := iamwire.Book{Reading: r}
	all := slices.Concat(has.attached, has.boundary)
	distinct := map[entity]bool{}
	for _, e := range all {
		distinct[e] = true
	}
	for e := range distinct {
		if e.kind != own.GroupKind || len(distinct) > few {
			continue
		}
		group, err := b.Head(ctx, e.kind, e.name)
		if err != nil {
			return b, err
		}
		for _, m := range group.Members {
			distinct[entity{own.UserKind, m}] = true
		}
	}
	if len(distinct) <= few {
		return b, nil
	}
	var err error
	b.Walked, err = walk(ctx, r)
	return b, err
}

// hold fills in who has a policy, with what else they may do. Of more than are read it
// says how many they are and no more of each than who it is.
func hold(ctx context.Context, b iamwire.Book, x *cloud.Item, has entities) error {
	c, arn := config(x), string(x.ARN)
	who, boundaryOf, err := expand(ctx, b, arn, has)
	if err != nil {
		return err
	}
	holders, tooMany, err := b.Holders(ctx, who, func(_, has string) bool { return has == arn })
	if err != nil {
		return err
	}
	if tooMany > 0 {
		lose(b.Reading, x, nil)
	}
	c.Holders, c.TooMany, c.BoundaryOf = holders, tooMany, boundaryOf
	c.Sort()
	return nil
}

// expand finds the users that have a policy by their groups, and the ARNs of those whose
// permissions boundary it is. Who has it directly has it by no group; a group without
// members has it itself.
func expand(ctx context.Context, b iamwire.Book, arn string, has entities) (out []iamwire.Holding, boundaryOf []string, err error) {
	seen := map[entity]bool{}
	add := func(e entity, via string) {
		if !seen[e] {
			seen[e], out = true, append(out, iamwire.Holding{Kind: e.kind, Name: e.name, Via: via})
		}
	}
	for _, e := range has.attached {
		if e.kind != own.GroupKind {
			add(e, "")
		}
	}
	for _, e := range has.attached {
		if e.kind != own.GroupKind {
			continue
		}
		group, err := b.Head(ctx, e.kind, e.name)
		if err != nil {
			return nil, nil, err
		}
		for _, m := range group.Members {
			add(entity{own.UserKind, m}, e.name)
		}
		if len(group.Members) == 0 {
			add(e, "")
		}
	}
	for _, e := range has.boundary {
		head, err := b.Head(ctx, e.kind, e.name)
		if err != nil {
			return nil, nil, err
		}
		if head.Boundary != nil && head.Boundary.ARN == arn {
			boundaryOf = append(boundaryOf, string(head.ARN))
		}
	}
	return out, boundaryOf, nil
}
