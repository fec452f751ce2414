// Package wire reads and writes the policies of DynamoDB tables.
package wire

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
	"dera.example/dera/services/dynamodb/table"
	shared "dera.example/dera/services/policies/wire"
)

// Wire returns how DynamoDB tables are read and written.
func Wire() cloud.Wire {
	return shared.Service[table.Table]{
		Type: table.Type(), Policy: table.Shape().Policy, Make: func(c resourcepolicy.Config) *table.Table { return &table.Table{Config: c} },
		ListCall: "dynamodb:ListTables", List: list, ReadCall: "dynamodb:GetResourcePolicy", Read: read, TagsCall: "dynamodb:ListTagsOfResource", Tags: tags,
		Gone: []string{"ResourceNotFoundException"}, PutAction: table.PutPolicy, Put: put, DeleteAction: table.DeletePolicy, Delete: remove,
		Readers: []cloud.Reader{
			{Parts: []string{table.PartTable}, Call: "dynamodb:DescribeTable", One: describe},
			{Parts: []string{table.PartBackups}, Call: "dynamodb:DescribeContinuousBackups", One: backups},
		},
		Do: map[string]func(context.Context, *cloud.Writing) error{table.Update: protect, table.Backups: restore},
		Unread: func(t *table.Table, part string) {
			switch part {
			case table.PartTable:
				t.Status, t.DeletionProtection = "", nil
			case table.PartBackups:
				t.PointInTime = nil
			}
		},
		Answers:     map[string]cloud.Shape{"DynamoDB ListTables": {Members: []string{"TableNames"}}, "DynamoDB GetResourcePolicy": {Members: []string{"Policy"}}},
		ConfigRules: []string{"DYNAMODB_*"},
	}.Wire()
}

func api(r *cloud.Reading) *dynamodb.Client {
	return cloud.Service(r, "dynamodb", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *dynamodb.Client { return dynamodb.NewFromConfig(cfg) })
}

func list(ctx context.Context, r *cloud.Reading, token *string) (ids []string, next *string, err error) {
	out, err := api(r).ListTables(ctx, &dynamodb.ListTablesInput{Limit: aws.Int32(100), ExclusiveStartTableName: token})
	if err != nil {
		return nil, nil, err
	}
	return out.TableNames, out.LastEvaluatedTableName, nil
}

func arn(r *cloud.Reading, name string) *string {
	return aws.String(string(table.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, name)))
}

func read(ctx context.Context, r *cloud.Reading, name string) (string, error) {
	out, err := api(r).GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: arn(r, name)})
	if err == nil && aws.ToString(out.Policy) == "" {
		err = cloud.Foreign("it holds no policy")
	}
	if err != nil {
		return "", err
	}
	return *out.Policy, nil
}

func tags(ctx context.Context, r *cloud.Reading, name string) (map[string]string, error) {
	all := map[string]string{}
	for in := (&dynamodb.ListTagsOfResourceInput{ResourceArn: arn(r, name)}); ; {
		out, err := api(r).ListTagsOfResource(ctx, in)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, shared.Tags(out.Tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value }))
		if out.NextToken == nil || aws.ToString(out.NextToken) == aws.ToString(in.NextToken) {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
}

func put(ctx context.Context, w *cloud.Writing, name, text string) error {
	_, err := dynamodb.NewFromConfig(w.Config).PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: arn(w.Reading, name), Policy: aws.String(text)})
	return err
}

func remove(ctx context.Context, w *cloud.Writing, name string) error {
	_, err := dynamodb.NewFromConfig(w.Config).DeleteResourcePolicy(ctx, &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn(w.Reading, name)})
	return err
}

func describe(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := api(r).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(x.ID)})
	if err == nil && (out.Table == nil || dera.ARN(aws.ToString(out.Table.TableArn)) != x.ARN) {
		err = cloud.Foreign("it does not describe %s", x.ARN)
	}
	if err != nil {
		return err
	}
	t := x.Config.(*table.Table)
	t.Status = string(out.Table.TableStatus)
	t.DeletionProtection = aws.Bool(aws.ToBool(out.Table.DeletionProtectionEnabled)) // left out where it is off
	return nil
}

func backups(ctx context.Context, r *cloud.Reading, x *cloud.Item) error {
	out, err := api(r).DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: aws.String(x.ID)})
	if err == nil && (out.ContinuousBackupsDescription == nil || out.ContinuousBackupsDescription.PointInTimeRecoveryDescription == nil) {
		err = cloud.Foreign("it says nothing of point-in-time recovery")
	}
	if err != nil {
		return err
	}
	status := out.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus
	x.Config.(*table.Table).PointInTime = aws.Bool(status == types.PointInTimeRecoveryStatusEnabled)
	return nil
}

// protect sets deletion protection and nothing else: what UpdateTable is not given stays.
func protect(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err == nil {
		_, err = dynamodb.NewFromConfig(w.Config).UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(in.Resource), DeletionProtectionEnabled: aws.Bool(string(in.Value) == "true")})
	}
	return err
}

func restore(ctx context.Context, w *cloud.Writing) error {
	in, err := cloud.Input[resource.SettingInput](w.Operation)
	if err == nil {
		_, err = dynamodb.NewFromConfig(w.Config).UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
			TableName: aws.String(in.Resource), PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(string(in.Value) == "true")},
		})
	}
	return err
}
