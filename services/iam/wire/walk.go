package wire

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
)

// Most is the largest page of a listing.
const Most = 1000

// Account is what a walk over an account found.
type Account struct {
	// Entities are in the order of the walk, and Policies are the managed ones, AWS's
	// that are attached too.
	Entities []*Entity
	Policies []types.ManagedPolicyDetail
	// Twice are the entities and policies that it had twice, by their ARN: they changed
	// meanwhile.
	Twice map[string]bool

	named map[own.Kind]map[string]*Entity
	known map[string]bool // policies by ARN
}

// Details is the input of a walk for entities of some kinds, and for managed policies.
func Details(size int32, kinds ...own.Kind) *iam.GetAccountAuthorizationDetailsInput {
	in := &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(size), Filter: []types.EntityType{types.EntityTypeLocalManagedPolicy, types.EntityTypeAWSManagedPolicy}}
	for _, k := range kinds {
		in.Filter = append(in.Filter, map[own.Kind]types.EntityType{
			own.RoleKind: types.EntityTypeRole, own.UserKind: types.EntityTypeUser, own.GroupKind: types.EntityTypeGroup,
		}[k])
	}
	return in
}

// Walk reads an account, once a read: its entities of some kinds, with their policies,
// and the managed policies. Entities and policies share its pages, so that it has to end
// before one is whole. A walk that ends early, as with a page token that expired, is
// none.
func Walk(ctx context.Context, r *cloud.Reading, kinds ...own.Kind) (*Account, error) {
	return cloud.Once(r, fmt.Sprint("walk ", kinds), func() (*Account, error) {
		a := &Account{Twice: map[string]bool{}, named: map[own.Kind]map[string]*Entity{own.RoleKind: {}, own.UserKind: {}, own.GroupKind: {}}, known: map[string]bool{}}
		in := Details(Most, kinds...)
		err := cloud.Walk(func(token *string) (*string, error) {
			in.Marker = token
			page, err := IAM(r).GetAccountAuthorizationDetails(ctx, in)
			if err == nil {
				err = a.page(page)
			}
			if err != nil {
				return nil, r.Fail(own.Walk, err)
			}
			if !page.IsTruncated {
				return nil, nil
			}
			return page.Marker, nil
		})
		if err != nil {
			return nil, err
		}
		a.members()
		know(r, a)
		return a, nil
	})
}

func (a *Account) page(page *iam.GetAccountAuthorizationDetailsOutput) error {
	if page.IsTruncated && aws.ToString(page.Marker) == "" {
		return fmt.Errorf("%w: there is more, and no token for it", cloud.ErrIncomplete)
	}
	for _, p := range page.Policies {
		if arn := aws.ToString(p.Arn); a.known[arn] {
			a.Twice[arn] = true
		} else {
			a.known[arn], a.Policies = true, append(a.Policies, p)
		}
	}
	for _, d := range page.RoleDetailList {
		e := head{d.RoleName, d.Path, d.Arn, d.RoleId, d.PermissionsBoundary, d.Tags}.entity(own.RoleKind)
		e.Created, e.LastUsed = Time(d.CreateDate), d.RoleLastUsed
		e.Trust, e.Distrust = Document(d.AssumeRolePolicyDocument)
		e.Profiles = ProfileNames(d.InstanceProfileList)
		a.add(e.policies(d.RolePolicyList, d.AttachedManagedPolicies))
	}
	for _, d := range page.UserDetailList {
		e := head{d.UserName, d.Path, d.Arn, d.UserId, d.PermissionsBoundary, d.Tags}.entity(own.UserKind)
		e.Created, e.Groups = Time(d.CreateDate), slices.Sorted(slices.Values(d.GroupList))
		a.add(e.policies(d.UserPolicyList, d.AttachedManagedPolicies))
	}
	for _, d := range page.GroupDetailList {
		e := head{d.GroupName, d.Path, d.Arn, d.GroupId, nil, nil}.entity(own.GroupKind)
		e.Created = Time(d.CreateDate)
		a.add(e.policies(d.GroupPolicyList, d.AttachedManagedPolicies))
	}
	return nil
}

// ProfileNames are the names of instance profiles, sorted; nil where there is no list.
func ProfileNames(list []types.InstanceProfile) []string {
	if list == nil {
		return nil
	}
	out := []string{}
	for _, p := range list {
		out = append(out, aws.ToString(p.InstanceProfileName))
	}
	slices.Sort(out)
	return out
}

func (a *Account) add(e *Entity) {
	if a.named[e.Kind][e.Name] != nil {
		a.Twice[string(e.ARN)] = true
		return
	}
	a.named[e.Kind][e.Name] = e
	a.Entities = append(a.Entities, e)
}

// members gives the groups their members: the walk tells them of the users.
func (a *Account) members() {
	for _, e := range a.Entities {
		for _, g := range e.Groups {
			if group := a.named[own.GroupKind][g]; group != nil {
				group.Members = append(group.Members, e.Name)
			}
		}
	}
	for _, g := range a.named[own.GroupKind] {
		slices.Sort(g.Members)
	}
}
