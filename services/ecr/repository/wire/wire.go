// Package wire reads and writes the policies of ECR repositories.
package wire

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
	"dera.example/dera/services/ecr/repository"
	shared "dera.example/dera/services/policies/wire"
)

// Wire returns how ECR repositories are read and written.
func Wire() cloud.Wire {
	return shared.Service[repository.Repository]{
		Type: repository.Type(), Policy: repository.Shape().Policy, Make: func(c resourcepolicy.Config) *repository.Repository { return &repository.Repository{Config: c} },
		ListCall: "ecr:DescribeRepositories", List: list, ReadCall: "ecr:GetRepositoryPolicy", Read: read, TagsCall: "ecr:ListTagsForResource", Tags: tags,
		Gone: []string{"RepositoryNotFoundException"}, PutAction: repository.SetPolicy, Put: put, DeleteAction: repository.DeletePolicy, Delete: remove,
		Readers: []cloud.Reader{
			{Parts: []string{repository.PartSettings}, Call: "ecr:DescribeRepositories", One: settings},
			{Parts: []string{repository.PartRegistry}, Call: "ecr:GetRegistryScanningConfiguration", One: registry},
		},
		Do: map[string]func(context.Context, *cloud.Writing) error{repository.PutScanning: set, repository.PutTags: set},
		Unread: func(r *repository.Repository, part string) {
			switch part {
			case repository.PartSettings:
				r.ScanOnPush, r.TagMutability = nil, ""
			case repository.PartRegistry:
				r.Registry = nil
			}
		},
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

func settings(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := api(r).DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{x.ID}, RegistryId: aws.String(r.Scope.Account)})
	if err == nil && (len(out.Repositories) != 1 || aws.ToString(out.Repositories[0].RepositoryName) != x.ID || out.Repositories[0].ImageScanningConfiguration == nil || out.Repositories[0].ImageTagMutability == "") {
		err = cloud.Foreign("it does not describe %.80q alone", x.ID)
	}
	if err != nil {
		return err
	}
	c := x.Config.(*repository.Repository)
	c.ScanOnPush, c.TagMutability = aws.Bool(out.Repositories[0].ImageScanningConfiguration.ScanOnPush), string(out.Repositories[0].ImageTagMutability)
	return nil
}

// registry reads the rules of the registry once for all repositories.
func registry(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	rules, err := cloud.Once(r, "registry", func() (bool, error) {
		out, err := api(r).GetRegistryScanningConfiguration(ctx, &ecr.GetRegistryScanningConfigurationInput{})
		if err == nil && out.ScanningConfiguration == nil {
			err = cloud.Foreign("it has no scanningConfiguration")
		}
		if err != nil {
			return false, err
		}
		return out.ScanningConfiguration.ScanType == types.ScanTypeEnhanced || len(out.ScanningConfiguration.Rules) > 0, nil
	})
	if err == nil {
		x.Config.(*repository.Repository).Registry = &rules
	}
	return err
}

// set sends one setting: each has a call of its own.
func set(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err != nil {
		return err
	}
	client := ecr.NewFromConfig(w.Config)
	if w.Operation.Name == repository.PutScanning {
		_, err = client.PutImageScanningConfiguration(ctx, &ecr.PutImageScanningConfigurationInput{
			RepositoryName: aws.String(in.Resource), RegistryId: aws.String(w.Plan.Account), ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: string(in.Value) == "true"},
		})
		return err
	}
	var value string
	if err := json.Unmarshal(in.Value, &value); err != nil {
		return w.Fail(repository.PutTags, err)
	}
	_, err = client.PutImageTagMutability(ctx, &ecr.PutImageTagMutabilityInput{RepositoryName: aws.String(in.Resource), RegistryId: aws.String(w.Plan.Account), ImageTagMutability: types.ImageTagMutability(value)})
	return err
}
