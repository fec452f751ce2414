// Package wire reads and writes the policies of ECR repositories.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/ecr/repository"
	shared "dera.example/dera/services/policies/wire"
)

// Wire returns how ECR repositories are read and written.
func Wire() cloud.Wire {
	return shared.Service[resourcepolicy.Config]{
		Type: repository.Type(), Policy: repository.Shape().Policy, Make: func(c resourcepolicy.Config) *resourcepolicy.Config { return &c },
		ListCall: "ecr:DescribeRepositories", List: list, ReadCall: "ecr:GetRepositoryPolicy", Read: read, TagsCall: "ecr:ListTagsForResource", Tags: tags,
		Gone: []string{"RepositoryNotFoundException"}, PutAction: repository.SetPolicy, Put: put, DeleteAction: repository.DeletePolicy, Delete: remove,
		Answers:     map[string]cloud.Shape{"ECR DescribeRepositories": {Members: []string{"repositories"}}, "ECR GetRepositoryPolicy": {Members: []string{"policyText"}}},
		ConfigRules: []string{"ECR_*"},
	}.Wire()
}

func api(r *cloud.Reading) *ecr.Client {
	return cloud.Service(r, "ecr", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *ecr.Client { return ecr.NewFromConfig(cfg) })
}

func list(ctx context.Context, r *cloud.Reading, token *string) (ids []string, next *string, err error) {
	out, err := api(r).DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(1000), NextToken: token})
	if err != nil {
		return nil, nil, err
	}
	for _, x := range out.Repositories {
		ids = append(ids, aws.ToString(x.RepositoryName))
	}
	return ids, out.NextToken, nil
}

func read(ctx context.Context, r *cloud.Reading, name string) (string, error) {
	out, err := api(r).GetRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: aws.String(name), RegistryId: aws.String(r.Scope.Account)})
	if err == nil && aws.ToString(out.RepositoryName) != name {
		err = cloud.Foreign("it is about %.80q, want %s", aws.ToString(out.RepositoryName), name)
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.PolicyText), nil
}

func tags(ctx context.Context, r *cloud.Reading, name string) (map[string]string, error) {
	at := repository.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, name)
	out, err := api(r).ListTagsForResource(ctx, &ecr.ListTagsForResourceInput{ResourceArn: aws.String(string(at))})
	if err != nil {
		return nil, err
	}
	return shared.Tags(out.Tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value }), nil
}

// put leaves ECR's check on that the caller may set a policy again (Force).
func put(ctx context.Context, w *cloud.Writing, name, text string) error {
	_, err := ecr.NewFromConfig(w.Config).SetRepositoryPolicy(ctx, &ecr.SetRepositoryPolicyInput{RepositoryName: aws.String(name), RegistryId: aws.String(w.Plan.Account), PolicyText: aws.String(text)})
	return err
}

func remove(ctx context.Context, w *cloud.Writing, name string) error {
	_, err := ecr.NewFromConfig(w.Config).DeleteRepositoryPolicy(ctx, &ecr.DeleteRepositoryPolicyInput{RepositoryName: aws.String(name), RegistryId: aws.String(w.Plan.Account)})
	return err
}
