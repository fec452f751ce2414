// Package wire reads and writes the policies of secrets.
package wire

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
	shared "dera.example/dera/services/policies/wire"
	"dera.example/dera/services/secretsmanager/secret"
)

// Wire returns how secrets are read and written.
func Wire() cloud.Wire {
	return shared.Service[resourcepolicy.Config]{
		Type: secret.Type(), Policy: secret.Shape().Policy, Make: func(c resourcepolicy.Config) *resourcepolicy.Config { return &c },
		ListCall: "secretsmanager:ListSecrets", List: list, ReadCall: "secretsmanager:GetResourcePolicy", Read: read, TagsCall: "secretsmanager:DescribeSecret", Tags: tags,
		Gone: []string{"ResourceNotFoundException"}, PutAction: secret.PutPolicy, Put: put, DeleteAction: secret.DeletePolicy, Delete: remove,
		Answers:     map[string]cloud.Shape{"Secrets Manager GetResourcePolicy": {Members: []string{"ARN"}}, "Secrets Manager DescribeSecret": {Members: []string{"ARN"}}, "Secrets Manager ListSecrets": {Members: []string{"SecretList"}}},
		ConfigRules: []string{"SECRETSMANAGER_*"},
	}.Wire()
}

func api(r *cloud.Reading) *secretsmanager.Client {
	return cloud.Service(r, "secretsmanager", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *secretsmanager.Client { return secretsmanager.NewFromConfig(cfg) })
}

func list(ctx context.Context, r *cloud.Reading, token *string) (ids []string, next *string, err error) {
	out, err := api(r).ListSecrets(ctx, &secretsmanager.ListSecretsInput{MaxResults: aws.Int32(100), NextToken: token})
	if err != nil {
		return nil, nil, err
	}
	for _, s := range out.SecretList {
		if id, ok := strings.CutPrefix(dera.ARN(aws.ToString(s.ARN)).Resource(), "secret:"); ok {
			ids = append(ids, id)
		}
	}
	return ids, out.NextToken, nil
}

func arn(r *cloud.Reading, id string) *string {
	return aws.String(string(secret.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, id)))
}

func read(ctx context.Context, r *cloud.Reading, id string) (string, error) {
	at := arn(r, id)
	out, err := api(r).GetResourcePolicy(ctx, &secretsmanager.GetResourcePolicyInput{SecretId: at})
	if err == nil && aws.ToString(out.ARN) != *at {
		err = cloud.Foreign("it is about %.80q, want %s", aws.ToString(out.ARN), *at)
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.ResourcePolicy), nil
}

func tags(ctx context.Context, r *cloud.Reading, id string) (map[string]string, error) {
	out, err := api(r).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: arn(r, id)})
	if err != nil {
		return nil, err
	}
	return shared.Tags(out.Tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value }), nil
}

// put has Secrets Manager refuse a public policy, unless it is the one of before that an
// undo puts back.
func put(ctx context.Context, w *cloud.Writing, id, text string) error {
	doc, err := policy.Parse(text)
	if err != nil {
		return err
	}
	open, unsure := document.PublicStatements(ctx, document.Target{Actions: secret.Shape().Actions}, doc)
	_, err = secretsmanager.NewFromConfig(w.Config).PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{
		SecretId: arn(w.Reading, id), ResourcePolicy: aws.String(text), BlockPublicPolicy: aws.Bool(len(open) == 0 && unsure == ""),
	})
	return err
}

func remove(ctx context.Context, w *cloud.Writing, id string) error {
	_, err := secretsmanager.NewFromConfig(w.Config).DeleteResourcePolicy(ctx, &secretsmanager.DeleteResourcePolicyInput{SecretId: arn(w.Reading, id)})
	return err
}
