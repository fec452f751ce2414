// Package wire reads and writes the policies of Lambda functions and their aliases.
package wire

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/lambda/function"
	shared "dera.example/dera/services/policies/wire"
)

// noFunction is dera's own code for a function that is not there: Lambda answers the same
// error for no function and for a function without a policy.
const noFunction = "dera.NoFunction"

// Wire returns how functions are read and written.
func Wire() cloud.Wire {
	return shared.Service[resourcepolicy.Config]{
		Type: function.Type(), Policy: function.Shape().Policy, Make: func(c resourcepolicy.Config) *resourcepolicy.Config { return &c },
		ListCall: "lambda:ListFunctions", List: list, ReadCall: "lambda:GetPolicy", Read: read, TagsCall: "lambda:ListTags", Tags: tags,
		Gone:        []string{noFunction},
		Do:          map[string]func(context.Context, *cloud.Writing) error{function.RemovePermission: remove, function.AddPermission: add},
		Answers:     map[string]cloud.Shape{"Lambda ListFunctions": {Members: []string{"Functions"}}, "Lambda ListAliases": {Members: []string{"Aliases"}}, "Lambda GetPolicy": {Members: []string{"Policy"}}},
		ConfigRules: []string{"LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED", "LAMBDA_*"},
	}.Wire()
}

func api(r *cloud.Reading) *lambda.Client {
	return cloud.Service(r, "lambda", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *lambda.Client { return lambda.NewFromConfig(cfg) })
}

// list returns functions and their aliases. Versions have policies too: those that an event
// names are read.
func list(ctx context.Context, r *cloud.Reading, token *string) (ids []string, next *string, err error) {
	out, err := api(r).ListFunctions(ctx, &lambda.ListFunctionsInput{Marker: token})
	if err != nil {
		return nil, nil, err
	}
	for _, f := range out.Functions {
		name := aws.ToString(f.FunctionName)
		ids = append(ids, name)
		for in := (&lambda.ListAliasesInput{FunctionName: f.FunctionName}); ; {
			aliases, err := api(r).ListAliases(ctx, in)
			if err != nil {
				return nil, nil, err
			}
			for _, a := range aliases.Aliases {
				ids = append(ids, name+":"+aws.ToString(a.Name))
			}
			if aliases.NextMarker == nil || aws.ToString(aliases.NextMarker) == aws.ToString(in.Marker) {
				break
			}
			in.Marker = aliases.NextMarker
		}
	}
	for _, id := range ids {
		if _, err := cloud.Once(r, known+id, func() (bool, error) { return true, nil }); err != nil {
			return nil, nil, err
		}
	}
	return ids, out.NextMarker, nil
}

// known begins the facts of one read that a function is there.
const known = "function/"

// parts are the name and the qualifier in an ID; nil for none.
func parts(id string) (name, qualifier *string) {
	n, q, ok := strings.Cut(id, ":")
	if !ok {
		return &n, nil
	}
	return &n, &q
}

func read(ctx context.Context, r *cloud.Reading, id string) (string, error) {
	name, qualifier := parts(id)
	out, err := api(r).GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: name, Qualifier: qualifier})
	if cloud.Code(err) == notFound {
		_, err = cloud.Once(r, known+id, func() (bool, error) {
			_, err := api(r).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: name, Qualifier: qualifier})
			if cloud.Code(err) == notFound {
				err = &smithy.GenericAPIError{Code: noFunction, Message: "there is no such function or alias"}
			}
			return err == nil, err
		})
		return "", err
	}
	if err == nil && aws.ToString(out.Policy) == "" {
		err = cloud.Foreign("it holds no policy")
	}
	if err != nil {
		return "", err
	}
	return *out.Policy, nil
}

const notFound = "ResourceNotFoundException"

// tags are those of the function: an alias has none of its own.
func tags(ctx context.Context, r *cloud.Reading, id string) (map[string]string, error) {
	name, _ := parts(id)
	arn := function.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, *name)
	out, err := api(r).ListTags(ctx, &lambda.ListTagsInput{Resource: aws.String(string(arn))})
	if err != nil {
		return nil, err
	}
	return out.Tags, nil
}

// remove takes a statement out, if it is still the one that the plan removes.
func remove(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[function.Input](w.Operation)
	if err != nil {
		return err
	}
	now, err := read(ctx, w.Reading, in.Resource)
	if err != nil {
		return w.Fail("lambda:GetPolicy", err)
	}
	text, there := function.Statement(now, in.Sid)
	if !there || !document.SamePolicy(wrap(text), wrap(in.Statement)) {
		return cloud.ErrMoved
	}
	name, qualifier := parts(in.Resource)
	_, err = lambda.NewFromConfig(w.Config).RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: name, Qualifier: qualifier, StatementId: aws.String(in.Sid)})
	return err
}

func wrap(statement string) string { return `{"Version":"2012-10-17","Statement":[` + statement + `]}` }

func add(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[function.Input](w.Operation)
	if err != nil {
		return err
	}
	p, err := function.PermissionOf(in.Statement)
	if err != nil {
		return w.Fail(function.AddPermission, errors.New("the statement cannot be made again: "+err.Error()))
	}
	name, qualifier := parts(in.Resource)
	_, err = lambda.NewFromConfig(w.Config).AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: name, Qualifier: qualifier, StatementId: aws.String(in.Sid), Action: aws.String(p.Action), Principal: aws.String(p.Principal),
		SourceArn: text(p.SourceARN), SourceAccount: text(p.SourceAccount), PrincipalOrgID: text(p.OrganizationID), FunctionUrlAuthType: types.FunctionUrlAuthType(p.URLAuthType),
	})
	return err
}

// text is a member that is left out where it is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
