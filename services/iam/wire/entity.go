package wire

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
)

// Entity is a role, user or group as IAM tells it, by a walk or alone.
type Entity struct {
	own.Identity
	Kind own.Kind
	ARN  dera.ARN
	// Trust is the trust policy of a role, or Distrust why it cannot be read.
	Trust    string
	Distrust error
	LastUsed *types.RoleLastUsed
	// Profiles are the names of the instance profiles that have a role; nil where nobody says,
	// as the read of one does not.
	Profiles []string
	// PasswordUsed is when a user signed in last, as far as IAM tells; a walk does not.
	PasswordUsed time.Time
	// MaxSession is the longest session of a role; a walk does not say it.
	MaxSession int32
	// Groups are the names of a user's groups, and Members those of a group's users.
	// Alone they are read by GroupsOf and Get.
	Groups  []string
	Members []string
	// Garbled is why the inline policies that a walk told cannot be read.
	Garbled error
}

// head is what every answer about an identity tells.
type head struct {
	name, path, arn, id *string
	boundary            *types.AttachedPermissionsBoundary
	tags                []types.Tag
}

func (h head) entity(k own.Kind) *Entity {
	e := &Entity{Kind: k, ARN: dera.ARN(aws.ToString(h.arn)), Identity: own.Identity{
		Name: aws.ToString(h.name), Path: aws.ToString(h.path), ID: aws.ToString(h.id), Tags: Tags(h.tags),
	}}
	if h.boundary != nil {
		e.Boundary = &own.Attached{ARN: aws.ToString(h.boundary.PermissionsBoundaryArn)}
	}
	return e
}

// policies takes the policies that a walk tells of an identity.
func (e *Entity) policies(inline []types.PolicyDetail, attached []types.AttachedPolicy) *Entity {
	for _, p := range inline {
		text, err := Document(p.PolicyDocument)
		if err != nil {
			e.Garbled = err
			continue
		}
		e.Inline = append(e.Inline, own.Inline{Name: aws.ToString(p.PolicyName), Document: text})
	}
	for _, p := range attached {
		e.Attached = append(e.Attached, own.Attached{ARN: aws.ToString(p.PolicyArn)})
	}
	e.Sort()
	return e
}

// Get asks for an identity, once a read; not for its policies.
func Get(ctx context.Context, r *cloud.Reading, k own.Kind, name string) (*Entity, error) {
	return cloud.Once(r, string(k)+" "+name, func() (e *Entity, err error) {
		switch k {
		case own.RoleKind:
			e, err = getRole(ctx, r, name)
		case own.UserKind:
			e, err = getUser(ctx, r, name)
		case own.GroupKind:
			return getGroup(ctx, r, name) // its errors have their call
		}
		if err != nil {
			return nil, r.Fail(k.Call("Get", ""), err)
		}
		return e, nil
	})
}

func getRole(ctx context.Context, r *cloud.Reading, name string) (*Entity, error) {
	out, err := IAM(r).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
	if err != nil {
		return nil, err
	}
	d := out.Role
	if d == nil || aws.ToString(d.RoleName) != name {
		return nil, cloud.Foreign("it is not about the role %.70q", name)
	}
	e := head{d.RoleName, d.Path, d.Arn, d.RoleId, d.PermissionsBoundary, d.Tags}.entity(own.RoleKind)
	e.Created, e.LastUsed, e.MaxSession = Time(d.CreateDate), d.RoleLastUsed, aws.ToInt32(d.MaxSessionDuration)
	e.Trust, e.Distrust = Document(d.AssumeRolePolicyDocument)
	return e, nil
}

func getUser(ctx context.Context, r *cloud.Reading, name string) (*Entity, error) {
	out, err := IAM(r).GetUser(ctx, &iam.GetUserInput{UserName: aws.String(name)})
	if err != nil {
		return nil, err
	}
	d := out.User
	if d == nil || aws.ToString(d.UserName) != name {
		return nil, cloud.Foreign("it is not about the user %.70q", name)
	}
	e := head{d.UserName, d.Path, d.Arn, d.UserId, d.PermissionsBoundary, d.Tags}.entity(own.UserKind)
	e.Created, e.PasswordUsed = Time(d.CreateDate), Time(d.PasswordLastUsed)
	return e, nil
}

func getGroup(ctx context.Context, r *cloud.Reading, name string) (*Entity, error) {
	var e *Entity
	err := cloud.List(r, cloud.Listing[*iam.GetGroupOutput, types.User]{
		Call: own.GroupKind.Call("Get", ""), Of: "users",
		Page: func(token *string) (*iam.GetGroupOutput, error) {
			out, err := IAM(r).GetGroup(ctx, &iam.GetGroupInput{GroupName: aws.String(name), Marker: token})
			if err == nil && (out.Group == nil || aws.ToString(out.Group.GroupName) != name) {
				err = cloud.Foreign("it is not about the group %.140q", name)
			}
			if err == nil && e == nil {
				g := out.Group
				e = head{g.GroupName, g.Path, g.Arn, g.GroupId, nil, nil}.entity(own.GroupKind)
				e.Created = Time(g.CreateDate)
			}
			return out, err
		},
		On: func(p *iam.GetGroupOutput) ([]types.User, *string) { return p.Users, p.Marker },
	}, func(u types.User) error {
		e.Members = append(e.Members, aws.ToString(u.UserName))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// GroupsOf reads of which groups a user is a member.
func GroupsOf(ctx context.Context, r *cloud.Reading, user string) (out []string, err error) {
	err = cloud.List(r, cloud.Listing[*iam.ListGroupsForUserOutput, types.Group]{
		Call: "iam:ListGroupsForUser", Of: "groups",
		Page: func(token *string) (*iam.ListGroupsForUserOutput, error) {
			return IAM(r).ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: aws.String(user), Marker: token})
		},
		On: func(p *iam.ListGroupsForUserOutput) ([]types.Group, *string) { return p.Groups, p.Marker },
	}, func(g types.Group) error {
		out = append(out, aws.ToString(g.GroupName))
		return nil
	})
	return out, err
}

// whole asks for an identity with its policies and, of a user, its groups, once a read.
func whole(ctx context.Context, r *cloud.Reading, k own.Kind, name string) (*Entity, error) {
	return cloud.Once(r, "whole "+string(k)+" "+name, func() (*Entity, error) {
		e, err := Get(ctx, r, k, name)
		if err != nil {
			return nil, err
		}
		copied := *e
		e = &copied
		if e.Distrust != nil {
			return nil, r.Fail(k.Call("Get", ""), e.Distrust)
		}
		if e.Inline, err = inline(ctx, r, k, name); err != nil {
			return nil, err
		}
		if e.Attached, err = attached(ctx, r, k, name); err != nil {
			return nil, err
		}
		if k == own.UserKind {
			if e.Groups, err = GroupsOf(ctx, r, name); err != nil {
				return nil, err
			}
		}
		e.Sort()
		return e, nil
	})
}

// Copy is the identity for a configuration, which may write to it.
func (e *Entity) Copy() own.Identity {
	id := e.Identity
	id.Inline, id.Attached = slices.Clone(id.Inline), slices.Clone(id.Attached)
	if id.Boundary != nil {
		boundary := *id.Boundary
		id.Boundary = &boundary
	}
	return id
}
