// Package wire reads and writes the policies of event buses.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/services/events/bus"
	shared "dera.example/dera/services/policies/wire"
)

// Wire returns how event buses are read and written.
func Wire() cloud.Wire {
	return shared.Service[resourcepolicy.Config]{
		Type: bus.Type(), Policy: bus.Shape().Policy, Make: func(c resourcepolicy.Config) *resourcepolicy.Config { return &c },
		ListCall: "events:ListEventBuses", List: list, ReadCall: "events:DescribeEventBus", Read: read, TagsCall: "events:ListTagsForResource", Tags: tags,
		Gone: []string{"ResourceNotFoundException"}, PutAction: bus.PutPermission, Put: put, DeleteAction: bus.RemovePermission, Delete: remove,
		Answers:     map[string]cloud.Shape{"EventBridge ListEventBuses": {Members: []string{"EventBuses"}}, "EventBridge DescribeEventBus": {Members: []string{"Arn"}}},
		ConfigRules: []string{"CUSTOM_EVENTBUS_*"},
	}.Wire()
}

func api(r *cloud.Reading) *eventbridge.Client {
	return cloud.Service(r, "eventbridge", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *eventbridge.Client { return eventbridge.NewFromConfig(cfg) })
}

func list(ctx context.Context, r *cloud.Reading, token *string) (ids []string, next *string, err error) {
	out, err := api(r).ListEventBuses(ctx, &eventbridge.ListEventBusesInput{Limit: aws.Int32(100), NextToken: token})
	if err != nil {
		return nil, nil, err
	}
	for _, b := range out.EventBuses {
		ids = append(ids, aws.ToString(b.Name))
	}
	return ids, out.NextToken, nil
}

func arn(r *cloud.Reading, name string) string {
	return string(bus.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, name))
}

func read(ctx context.Context, r *cloud.Reading, name string) (string, error) {
	out, err := api(r).DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: aws.String(name)})
	if err == nil && aws.ToString(out.Arn) != arn(r, name) {
		err = cloud.Foreign("it is about %.80q, want %s", aws.ToString(out.Arn), arn(r, name))
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Policy), nil
}

func tags(ctx context.Context, r *cloud.Reading, name string) (map[string]string, error) {
	out, err := api(r).ListTagsForResource(ctx, &eventbridge.ListTagsForResourceInput{ResourceARN: aws.String(arn(r, name))})
	if err != nil {
		return nil, err
	}
	return shared.Tags(out.Tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value }), nil
}

// put replaces all statements of the bus.
func put(ctx context.Context, w *cloud.Writing, name, text string) error {
	_, err := eventbridge.NewFromConfig(w.Config).PutPermission(ctx, &eventbridge.PutPermissionInput{EventBusName: aws.String(name), Policy: aws.String(text)})
	return err
}

func remove(ctx context.Context, w *cloud.Writing, name string) error {
	_, err := eventbridge.NewFromConfig(w.Config).RemovePermission(ctx, &eventbridge.RemovePermissionInput{EventBusName: aws.String(name), RemoveAllPermissions: true})
	return err
}
