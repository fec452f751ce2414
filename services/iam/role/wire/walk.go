package wire

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
	iamwire "dera.example/dera/services/iam/wire"
)

const callWalk = "iam:GetAccountAuthorizationDetails"

// most is the largest page.
const most = 1000

func details(size *int32) *iam.GetAccountAuthorizationDetailsInput {
	return &iam.GetAccountAuthorizationDetailsInput{MaxItems: size, Filter: []types.EntityType{
		types.EntityTypeRole, types.EntityTypeLocalManagedPolicy, types.EntityTypeAWSManagedPolicy,
	}}
}

// find names the roles of the scope. A sweep is one walk, which tells all of them and
// their policies: roles and policies share its pages, so that it has to end before a
// role is whole. A walk that ends early, as with a page token that expired, is none.
func find(ctx context.Context, r *cloud.Reading) (found cloud.Found, err error) {
	if !r.Scope.Sweep() {
		for _, name := range r.Scope.IDs {
			if !role.ValidName(name) {
				found.Missing = append(found.Missing, name)
				continue
			}
			found.Items = append(found.Items, item(r, "/", name))
		}
		return found, nil
	}
	w := walk{r: r, policies: map[string]own.Attached{}, items: map[string]*cloud.Item{}}
	in := details(aws.Int32(most))
	if err := cloud.Walk(func(token *string) (*string, error) {
		in.Marker = token
		page, err := iamwire.IAM(r).GetAccountAuthorizationDetails(ctx, in)
		if err == nil {
			err = w.page(page)
		}
		if err != nil {
			return nil, r.Fail(callWalk, err)
		}
		if !page.IsTruncated {
			return nil, nil
		}
		return page.Marker, nil
	}); err != nil {
		return cloud.Found{}, err
	}
	w.attach()
	return cloud.Found{Items: w.found}, nil
}

// walk is what a walk found so far.
type walk struct {
	r        *cloud.Reading
	found    []*cloud.Item
	items    map[string]*cloud.Item // by name
	policies map[string]own.Attached
}

func (w *walk) page(page *iam.GetAccountAuthorizationDetailsOutput) error {
	if page.IsTruncated && aws.ToString(page.Marker) == "" {
		return fmt.Errorf("%w: there is more, and no token for it", cloud.ErrIncomplete)
	}
	for _, p := range page.Policies {
		for _, v := range p.PolicyVersionList {
			if text, err := iamwire.Document(v.Document); err == nil && aws.ToString(v.VersionId) == aws.ToString(p.DefaultVersionId) {
				w.policies[aws.ToString(p.Arn)] = own.Attached{ARN: aws.ToString(p.Arn), Version: aws.ToString(v.VersionId), Document: text}
			}
		}
	}
	for _, d := range page.RoleDetailList {
		name, path := aws.ToString(d.RoleName), aws.ToString(d.Path)
		x := item(w.r, path, name)
		if !role.ValidName(name) || string(x.ARN) != aws.ToString(d.Arn) {
			return cloud.Foreign("it has a role %.70q with the ARN %.200q", name, aws.ToString(d.Arn))
		}
		if old := w.items[name]; old != nil {
			old.Unknown("the listing has it twice: it changed meanwhile")
			continue
		}
		w.items[name], w.found = x, append(w.found, x)
		fill(x, facts{d.RoleId, d.AssumeRolePolicyDocument, d.PermissionsBoundary, d.Tags, d.RoleLastUsed})
		for _, p := range d.RolePolicyList {
			addInline(x, aws.ToString(p.PolicyName), p.PolicyDocument)
		}
		for _, p := range d.AttachedManagedPolicies {
			config(x).Attached = append(config(x).Attached, own.Attached{ARN: aws.ToString(p.PolicyArn)})
		}
		config(x).Sort()
		x.Has(role.PartInline, role.PartAttached)
	}
	return nil
}

// attach gives the roles the documents that the walk returned. One that it did not return is
// read alone.
func (w *walk) attach() {
	for _, x := range w.found {
		for _, p := range config(x).Managed() {
			if known, ok := w.policies[p.ARN]; ok {
				*p = known
			}
		}
	}
}
