package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	own "dera.example/dera/services/iam"
)

// page is one page of a listing.
type page[T any] struct {
	list []T
	next *string
}

// calls are IAM's calls on the policies of a kind of identity. The name is the
// identity's, as a pointer like all that the SDK takes.
type calls struct {
	list     func(ctx context.Context, name, token *string) (page[string], error)
	get      func(ctx context.Context, name, policy *string) (document *string, err error)
	attached func(ctx context.Context, name, token *string) (page[types.AttachedPolicy], error)
	put      func(ctx context.Context, name, policy, document *string) error
	remove   func(ctx context.Context, name, policy *string) error
	attach   func(ctx context.Context, name, arn *string) error
	detach   func(ctx context.Context, name, arn *string) error
}

func callsOf(k own.Kind, api *iam.Client) calls {
	switch k {
	case own.UserKind:
		return ofUser(api)
	case own.GroupKind:
		return ofGroup(api)
	case own.RoleKind:
	}
	return ofRole(api)
}

func ofRole(api *iam.Client) calls {
	return calls{
		list: func(ctx context.Context, name, token *string) (page[string], error) {
			out, err := api.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: name, Marker: token})
			if err != nil {
				return page[string]{}, err
			}
			return page[string]{out.PolicyNames, out.Marker}, nil
		},
		get: func(ctx context.Context, name, policy *string) (*string, error) {
			out, err := api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: policy})
			if err != nil {
				return nil, err
			}
			return out.PolicyDocument, nil
		},
		attached: func(ctx context.Context, name, token *string) (page[types.AttachedPolicy], error) {
			out, err := api.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: name, Marker: token})
			if err != nil {
				return page[types.AttachedPolicy]{}, err
			}
			return page[types.AttachedPolicy]{out.AttachedPolicies, out.Marker}, nil
		},
		put: func(ctx context.Context, name, policy, document *string) error {
			_, err := api.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: policy, PolicyDocument: document})
			return err
		},
		remove: func(ctx context.Context, name, policy *string) error {
			_, err := api.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: policy})
			return err
		},
		attach: func(ctx context.Context, name, arn *string) error {
			_, err := api.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: arn})
			return err
		},
		detach: func(ctx context.Context, name, arn *string) error {
			_, err := api.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: arn})
			return err
		},
	}
}

func ofUser(api *iam.Client) calls {
	return calls{
		list: func(ctx context.Context, name, token *string) (page[string], error) {
			out, err := api.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: name, Marker: token})
			if err != nil {
				return page[string]{}, err
			}
			return page[string]{out.PolicyNames, out.Marker}, nil
		},
		get: func(ctx context.Context, name, policy *string) (*string, error) {
			out, err := api.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: name, PolicyName: policy})
			if err != nil {
				return nil, err
			}
			return out.PolicyDocument, nil
		},
		attached: func(ctx context.Context, name, token *string) (page[types.AttachedPolicy], error) {
			out, err := api.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: name, Marker: token})
			if err != nil {
				return page[types.AttachedPolicy]{}, err
			}
			return page[types.AttachedPolicy]{out.AttachedPolicies, out.Marker}, nil
		},
		put: func(ctx context.Context, name, policy, document *string) error {
			_, err := api.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: policy, PolicyDocument: document})
			return err
		},
		remove: func(ctx context.Context, name, policy *string) error {
			_, err := api.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: name, PolicyName: policy})
			return err
		},
		attach: func(ctx context.Context, name, arn *string) error {
			_, err := api.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: arn})
			return err
		},
		detach: func(ctx context.Context, name, arn *string) error {
			_, err := api.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: name, PolicyArn: arn})
			return err
		},
	}
}

func ofGroup(api *iam.Client) calls {
	return calls{
		list: func(ctx context.Context, name, token *string) (page[string], error) {
			out, err := api.ListGroupPolicies(ctx, &iam.ListGroupPoliciesInput{GroupName: name, Marker: token})
			if err != nil {
				return page[string]{}, err
			}
			return page[string]{out.PolicyNames, out.Marker}, nil
		},
		get: func(ctx context.Context, name, policy *string) (*string, error) {
			out, err := api.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: name, PolicyName: policy})
			if err != nil {
				return nil, err
			}
			return out.PolicyDocument, nil
		},
		attached: func(ctx context.Context, name, token *string) (page[types.AttachedPolicy], error) {
			out, err := api.ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: name, Marker: token})
			if err != nil {
				return page[types.AttachedPolicy]{}, err
			}
			return page[types.AttachedPolicy]{out.AttachedPolicies, out.Marker}, nil
		},
		put: func(ctx context.Context, name, policy, document *string) error {
			_, err := api.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: name, PolicyName: policy, PolicyDocument: document})
			return err
		},
		remove: func(ctx context.Context, name, policy *string) error {
			_, err := api.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: name, PolicyName: policy})
			return err
		},
		attach: func(ctx context.Context, name, arn *string) error {
			_, err := api.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: name, PolicyArn: arn})
			return err
		},
		detach: func(ctx context.Context, name, arn *string) error {
			_, err := api.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{GroupName: name, PolicyArn: arn})
			return err
		},
	}
}
