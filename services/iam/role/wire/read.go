package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
	iamwire "dera.example/dera/services/iam/wire"
)

const callRole = "iam:GetRole"

// few is how many roles are asked for one by one; more are listed.
const few = 3

// facts are what both the walk and GetRole tell of a role.
type facts struct {
	id       *string
	trust    *string
	boundary *types.AttachedPermissionsBoundary
	tags     []types.Tag
	used     *types.RoleLastUsed
}

// fill takes the facts. Without a trust policy that can be read nothing of them counts
// as read.
func fill(x *cloud.Item, f facts) {
	c := config(x)
	c.ID, c.Tags = aws.ToString(f.id), iamwire.Tags(f.tags)
	x.Tags = c.Tags
	if f.boundary != nil {
		c.Boundary = &own.Attached{ARN: aws.ToString(f.boundary.PermissionsBoundaryArn)}
	}
	if f.used != nil && f.used.LastUsedDate != nil {
		c.LastUsed = &role.LastUsed{At: f.used.LastUsedDate.UTC(), Region: aws.ToString(f.used.Region)}
	}
	var err error
	if c.Trust, err = iamwire.Document(f.trust); err != nil {
		x.Lost(role.PartRole, err)
	}
	x.Has(role.PartRole)
}

// addInline takes an inline policy, or says that the inline policies are not known.
func addInline(x *cloud.Item, name string, document *string) {
	text, err := iamwire.Document(document)
	if err != nil {
		x.Lost(role.PartInline, err)
		return
	}
	config(x).Inline = append(config(x).Inline, own.Inline{Name: name, Document: text})
}

// get asks for a role, once a read.
func get(ctx context.Context, r *cloud.Reading, name string) (*types.Role, error) {
	return cloud.Once(r, "role "+name, func() (*types.Role, error) {
		out, err := iamwire.IAM(r).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
		if err == nil && (out.Role == nil || aws.ToString(out.Role.RoleName) != name) {
			err = cloud.Foreign("it is not about the role %.70q", name)
		}
		if err != nil {
			return nil, r.Fail(callRole, err)
		}
		return out.Role, nil
	})
}

// readRole reads the role itself. Until then its path, and so its ARN, is not known.
func readRole(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	got, err := get(ctx, r, x.ID)
	if err != nil {
		x.Doubt("its path is not known")
		return err
	}
	c := config(x)
	c.Path, x.ARN = aws.ToString(got.Path), dera.ARN(aws.ToString(got.Arn))
	fill(x, facts{got.RoleId, got.AssumeRolePolicyDocument, got.PermissionsBoundary, got.Tags, got.RoleLastUsed})
	return nil
}

// readSessions reads how long sessions may be, which the walk does not say.
func readSessions(ctx context.Context, r *cloud.Reading, items []*cloud.Item) error {
	if len(items) <= few {
		for _, x := range items {
			if got, err := get(ctx, r, x.ID); err != nil {
				x.Lost(role.PartSession, err)
			} else {
				config(x).MaxSession = aws.ToInt32(got.MaxSessionDuration)
			}
		}
		return nil
	}
	left := map[string]*cloud.Item{}
	for _, x := range items {
		left[x.ID] = x
	}
	in := &iam.ListRolesInput{MaxItems: aws.Int32(most)}
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

func readInline(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	defer config(x).Sort()
	api, name := iamwire.IAM(r), aws.String(x.ID)
	return cloud.List(r, cloud.Listing[*iam.ListRolePoliciesOutput, string]{
		Call: "iam:ListRolePolicies", Of: "policies",
		Page: func(token *string) (*iam.ListRolePoliciesOutput, error) {
			return api.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: name, Marker: token})
		},
		On: func(p *iam.ListRolePoliciesOutput) ([]string, *string) { return p.PolicyNames, p.Marker },
	}, func(policy string) error {
		out, err := api.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: aws.String(policy)})
		if err != nil {
			return r.Fail("iam:GetRolePolicy", err)
		}
		addInline(x, policy, out.PolicyDocument)
		return nil
	})
}

func readAttached(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	defer config(x).Sort()
	api := iamwire.IAM(r)
	return cloud.List(r, cloud.Listing[*iam.ListAttachedRolePoliciesOutput, types.AttachedPolicy]{
		Call: "iam:ListAttachedRolePolicies", Of: "policies",
		Page: func(token *string) (*iam.ListAttachedRolePoliciesOutput, error) {
			return api.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(x.ID), Marker: token})
		},
		On: func(p *iam.ListAttachedRolePoliciesOutput) ([]types.AttachedPolicy, *string) {
			return p.AttachedPolicies, p.Marker
		},
	}, func(p types.AttachedPolicy) error {
		config(x).Attached = append(config(x).Attached, own.Attached{ARN: aws.ToString(p.PolicyArn)})
		return nil
	})
}

// readDocuments reads the documents of the managed policies that are not known yet. A
// policy that is attached and is not there contradicts itself: IAM is eventually
// consistent.
func readDocuments(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	for _, p := range config(x).Managed() {
		if p.Document != "" {
			continue
		}
		known, err := cloud.Once(r, "policy "+p.ARN, func() (own.Attached, error) { return managed(ctx, r, p.ARN) })
		if err != nil {
			x.Lost(role.PartDocuments, err)
			continue
		}
		*p = known
	}
	return nil
}

// managed reads the default version of a managed policy.
func managed(ctx context.Context, r *cloud.Reading, arn string) (own.Attached, error) {
	api := iamwire.IAM(r)
	policy, err := api.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: aws.String(arn)})
	if err == nil && (policy.Policy == nil || aws.ToString(policy.Policy.Arn) != arn || aws.ToString(policy.Policy.DefaultVersionId) == "") {
		err = cloud.Foreign("it is not about the policy %.200q", arn)
	}
	if err != nil {
		return own.Attached{}, r.Fail("iam:GetPolicy", err)
	}
	id := policy.Policy.DefaultVersionId
	out, err := api.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: aws.String(arn), VersionId: id})
	if err == nil && (out.PolicyVersion == nil || aws.ToString(out.PolicyVersion.VersionId) != *id) {
		err = cloud.Foreign("it is not about version %.20q", *id)
	}
	if err != nil {
		return own.Attached{}, r.Fail("iam:GetPolicyVersion", err)
	}
	text, err := iamwire.Document(out.PolicyVersion.Document)
	if err != nil {
		return own.Attached{}, r.Fail("iam:GetPolicyVersion", err)
	}
	return own.Attached{ARN: arn, Version: *id, Document: text}, nil
}
