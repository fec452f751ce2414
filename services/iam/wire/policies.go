package wire

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera/cloud"
	own "dera.example/dera/services/iam"
)

// CallPolicy is the call whose word alone says that a managed policy does not exist.
const CallPolicy = "iam:GetPolicy"

// inline reads the inline policies of an identity.
func inline(ctx context.Context, r *cloud.Reading, k own.Kind, name string) (out []own.Inline, err error) {
	c := callsOf(k, IAM(r))
	err = cloud.List(r, cloud.Listing[page[string], string]{
		Call: k.Call("List", "Policies"), Of: "policies",
		Page: func(token *string) (page[string], error) { return c.list(ctx, aws.String(name), token) },
		On:   func(p page[string]) ([]string, *string) { return p.list, p.next },
	}, func(policy string) error {
		text, err := InlineDocument(ctx, r, k, name, policy)
		out = append(out, own.Inline{Name: policy, Document: text})
		return err
	})
	return out, err
}

// InlineDocument reads an inline policy.
func InlineDocument(ctx context.Context, r *cloud.Reading, k own.Kind, name, policy string) (text string, err error) {
	sent, err := callsOf(k, IAM(r)).get(ctx, aws.String(name), aws.String(policy))
	if err == nil {
		text, err = Document(sent)
	}
	if err != nil {
		return "", r.Fail(k.Call("Get", "Policy"), err)
	}
	return text, nil
}

// attached reads which managed policies an identity has.
func attached(ctx context.Context, r *cloud.Reading, k own.Kind, name string) (out []own.Attached, err error) {
	c := callsOf(k, IAM(r))
	err = cloud.List(r, cloud.Listing[page[types.AttachedPolicy], types.AttachedPolicy]{
		Call: k.Call("ListAttached", "Policies"), Of: "policies",
		Page: func(token *string) (page[types.AttachedPolicy], error) {
			return c.attached(ctx, aws.String(name), token)
		},
		On: func(p page[types.AttachedPolicy]) ([]types.AttachedPolicy, *string) { return p.list, p.next },
	}, func(p types.AttachedPolicy) error {
		out = append(out, own.Attached{ARN: aws.ToString(p.PolicyArn)})
		return nil
	})
	return out, err
}

// Policy asks for a managed policy, once a read.
func Policy(ctx context.Context, r *cloud.Reading, arn string) (*types.Policy, error) {
	return cloud.Once(r, "policy "+arn, func() (*types.Policy, error) {
		out, err := IAM(r).GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: aws.String(arn)})
		if err == nil && (out.Policy == nil || aws.ToString(out.Policy.Arn) != arn || aws.ToString(out.Policy.DefaultVersionId) == "") {
			err = cloud.Foreign("it is not about the policy %.200q", arn)
		}
		if err != nil {
			return nil, r.Fail(CallPolicy, err)
		}
		return out.Policy, nil
	})
}

// Version reads a version of a managed policy.
func Version(ctx context.Context, r *cloud.Reading, arn, id string) (own.Attached, error) {
	out, err := IAM(r).GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: aws.String(arn), VersionId: aws.String(id)})
	if err == nil && (out.PolicyVersion == nil || aws.ToString(out.PolicyVersion.VersionId) != id) {
		err = cloud.Foreign("it is not about version %.20q", id)
	}
	var v own.Attached
	if err == nil {
		v, err = VersionOf(arn, *out.PolicyVersion)
	}
	if err != nil {
		return own.Attached{}, r.Fail("iam:GetPolicyVersion", err)
	}
	return v, nil
}

// VersionOf is a version of a managed policy as IAM tells it.
func VersionOf(arn string, v types.PolicyVersion) (own.Attached, error) {
	text, err := Document(v.Document)
	return own.Attached{ARN: arn, Version: aws.ToString(v.VersionId), Document: text, Updated: Time(v.CreateDate)}, err
}

// managed reads the version in force of a managed policy, once a read; a walk has told
// it already.
func managed(ctx context.Context, r *cloud.Reading, arn string) (own.Attached, error) {
	return cloud.Once(r, "managed "+arn, func() (own.Attached, error) {
		p, err := Policy(ctx, r, arn)
		if err != nil {
			return own.Attached{}, err
		}
		return Version(ctx, r, arn, *p.DefaultVersionId)
	})
}

// know says what the managed policies of a walk are, for reads that follow.
func know(r *cloud.Reading, a *Account) {
	for _, p := range a.Policies {
		arn := aws.ToString(p.Arn)
		if a.Twice[arn] {
			continue
		}
		for _, v := range p.PolicyVersionList {
			if aws.ToString(v.VersionId) != aws.ToString(p.DefaultVersionId) {
				continue
			}
			if known, err := VersionOf(arn, v); err == nil {
				_, _ = cloud.Once(r, "managed "+arn, func() (own.Attached, error) { return known, nil }) // it cannot fail
			}
		}
	}
}

// Time is a time that IAM tells; zero for none.
func Time(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
