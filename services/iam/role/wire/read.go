package wire

import (
	"context"
	"errors"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/services/iam/role"
)

// walked is what one walk of an account returned: roles by name, and the default
// versions of policies by ARN.
type walked struct {
	roles    map[string]types.RoleDetail
	policies map[string]role.Policy
}

const walkedKey = "iam account authorization details"

// bulk is what the walk of this read returned; nothing where there was none.
func bulk(r *cloud.Reading) walked {
	w, _ := cloud.Once(r, walkedKey, func() (walked, error) { return walked{}, nil }) // it cannot fail
	return w
}

// find returns the roles with the IDs, or all of one walk, which has their parts too.
// Who may not walk lists the names, and each role is read alone.
func find(ctx context.Context, r *cloud.Reading) (cloud.Found, error) {
	if !r.Scope.Sweep() {
		return found(r, r.Scope.IDs), nil
	}
	w, err := cloud.Once(r, walkedKey, func() (walked, error) {
		w, err := walk(ctx, r)
		if cloud.Is(err, cloud.Denied) {
			return walked{}, nil
		}
		return w, err
	})
	if err != nil {
		return cloud.Found{}, err
	}
	var names []string
	for name := range w.roles {
		names = append(names, name)
	}
	if w.roles == nil {
		names, err = list(ctx, r)
	}
	return found(r, names), err
}

func found(r *cloud.Reading, names []string) (out cloud.Found) {
	for _, name := range names {
		arn := role.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, name)
		out.Items = append(out.Items, cloud.NewItem(r, name, name, arn, &role.Role{Account: r.Scope.Account, Name: name}))
	}
	return out
}

func walk(ctx context.Context, r *cloud.Reading) (walked, error) {
	w := walked{map[string]types.RoleDetail{}, map[string]role.Policy{}}
	const call = "iam:GetAccountAuthorizationDetails"
	return w, cloud.Walk(func(token *string) (*string, error) {
		out, err := client(r).GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{
			Filter: []types.EntityType{types.EntityTypeRole, types.EntityTypeLocalManagedPolicy, types.EntityTypeAWSManagedPolicy}, Marker: token, MaxItems: aws.Int32(1000),
		})
		if err != nil {
			return nil, r.Fail(call, err)
		}
		for _, d := range out.RoleDetailList {
			w.roles[aws.ToString(d.RoleName)] = d
		}
		for _, p := range out.Policies {
			for _, v := range p.PolicyVersionList {
				if text, err := decode(v.Document); err == nil && v.IsDefaultVersion {
					w.policies[aws.ToString(p.Arn)] = role.Policy{ARN: aws.ToString(p.Arn), Version: aws.ToString(v.VersionId), Document: text}
				}
			}
		}
		return next(r, call, out.IsTruncated, out.Marker)
	})
}

func list(ctx context.Context, r *cloud.Reading) (names []string, err error) {
	const call = "iam:ListRoles"
	return names, cloud.Walk(func(token *string) (*string, error) {
		out, err := client(r).ListRoles(ctx, &iam.ListRolesInput{Marker: token})
		if err != nil {
			return nil, r.Fail(call, err)
		}
		for _, x := range out.Roles {
			names = append(names, aws.ToString(x.RoleName))
		}
		return next(r, call, out.IsTruncated, out.Marker)
	})
}

// sample is the name of any one role.
func sample(ctx context.Context, r *cloud.Reading) (string, error) {
	out, err := client(r).ListRoles(ctx, &iam.ListRolesInput{MaxItems: aws.Int32(1)})
	if err != nil || len(out.Roles) == 0 {
		return "", err
	}
	return aws.ToString(out.Roles[0].RoleName), nil
}

// next is the marker of the next page; a truncated page without one is no answer.
func next(r *cloud.Reading, call string, truncated bool, marker *string) (*string, error) {
	if truncated && aws.ToString(marker) == "" {
		return nil, r.Fail(call, cloud.ErrIncomplete)
	}
	if !truncated {
		return nil, nil
	}
	return marker, nil
}

// decode returns a document, which IAM sends URL-encoded. None is no answer.
func decode(text *string) (string, error) {
	out, err := url.PathUnescape(aws.ToString(text)) // RFC 3986: + stays
	if err == nil && out == "" {
		err = cloud.ErrIncomplete
	}
	return out, err
}

func callOf(err error) string {
	var e *cloud.Error
	_ = errors.As(err, &e) // no call is none
	if e == nil {
		return ""
	}
	return e.Call
}

func readRole(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	d, ok := bulk(r).roles[x.ID]
	if !ok {
		out, err := client(r).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(x.ID)})
		if err != nil {
			return err
		}
		if out.Role == nil {
			return cloud.ErrIncomplete
		}
		d = types.RoleDetail{Arn: out.Role.Arn, Path: out.Role.Path, AssumeRolePolicyDocument: out.Role.AssumeRolePolicyDocument,
			PermissionsBoundary: out.Role.PermissionsBoundary, RoleLastUsed: out.Role.RoleLastUsed, Tags: out.Role.Tags}
	}
	cfg := x.Config.(*role.Role)
	text, err := decode(d.AssumeRolePolicyDocument)
	if err != nil {
		return err
	}
	cfg.Trust, cfg.Path = text, aws.ToString(d.Path)
	if arn := aws.ToString(d.Arn); arn != "" {
		x.ARN = dera.ARN(arn) // with the path
	}
	if b := d.PermissionsBoundary; b != nil {
		cfg.Boundary = aws.ToString(b.PermissionsBoundaryArn)
	}
	if u := d.RoleLastUsed; u != nil {
		cfg.LastUsed = role.LastUsed{At: aws.ToTime(u.LastUsedDate), Region: aws.ToString(u.Region)}
	}
	for _, t := range d.Tags {
		if cfg.Tags == nil {
			cfg.Tags = map[string]string{}
		}
		cfg.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	x.Tags = cfg.Tags
	return nil
}

func readInline(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	d, ok := bulk(r).roles[x.ID]
	policies := d.RolePolicyList
	if !ok {
		err := cloud.Walk(func(token *string) (*string, error) {
			out, err := client(r).ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: aws.String(x.ID), Marker: token})
			if err != nil {
				return nil, err
			}
			for _, name := range out.PolicyNames {
				p, err := client(r).GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: aws.String(x.ID), PolicyName: aws.String(name)})
				if err != nil {
					return nil, r.Fail("iam:GetRolePolicy", err)
				}
				policies = append(policies, types.PolicyDetail{PolicyName: aws.String(name), PolicyDocument: p.PolicyDocument})
			}
			return next(r, "iam:ListRolePolicies", out.IsTruncated, out.Marker)
		})
		if err != nil {
			return err
		}
	}
	var inline map[string]string // all or none
	for _, p := range policies {
		text, err := decode(p.PolicyDocument)
		if err != nil {
			return err
		}
		if inline == nil {
			inline = map[string]string{}
		}
		inline[aws.ToString(p.PolicyName)] = text
	}
	x.Config.(*role.Role).Inline = inline
	return nil
}

func readAttached(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	d, ok := bulk(r).roles[x.ID]
	policies := d.AttachedManagedPolicies
	if !ok {
		err := cloud.Walk(func(token *string) (*string, error) {
			out, err := client(r).ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(x.ID), Marker: token})
			if err != nil {
				return nil, err
			}
			policies = append(policies, out.AttachedPolicies...)
			return next(r, "iam:ListAttachedRolePolicies", out.IsTruncated, out.Marker)
		})
		if err != nil {
			return err
		}
	}
	var attached []role.Policy
	for _, p := range policies {
		attached = append(attached, role.Policy{ARN: aws.ToString(p.PolicyArn)})
	}
	x.Config.(*role.Role).Attached = attached
	return nil
}

// readDocuments reads the documents of the attached policies, each once a read. One
// that cannot be read leaves the part unread, and the others known.
func readDocuments(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	cfg := x.Config.(*role.Role)
	var failed error
	for i, p := range cfg.Attached {
		got, err := cloud.Once(r, "iam policy "+p.ARN, func() (role.Policy, error) {
			if known, ok := bulk(r).policies[p.ARN]; ok {
				return known, nil
			}
			return readPolicy(ctx, r, p.ARN)
		})
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		cfg.Attached[i] = got
	}
	return failed
}

func readPolicy(ctx context.Context, r *cloud.Reading, arn string) (p role.Policy, err error) {
	out, err := client(r).GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: aws.String(arn)})
	if err != nil {
		return p, r.Fail("iam:GetPolicy", err)
	}
	if out.Policy == nil {
		return p, r.Fail("iam:GetPolicy", cloud.ErrIncomplete)
	}
	version := out.Policy.DefaultVersionId
	v, err := client(r).GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: aws.String(arn), VersionId: version})
	if err != nil {
		return p, r.Fail("iam:GetPolicyVersion", err)
	}
	if v.PolicyVersion == nil {
		return p, r.Fail("iam:GetPolicyVersion", cloud.ErrIncomplete)
	}
	text, err := decode(v.PolicyVersion.Document)
	if err != nil {
		return p, r.Fail("iam:GetPolicyVersion", err)
	}
	return role.Policy{ARN: arn, Version: aws.ToString(version), Document: text}, nil
}
