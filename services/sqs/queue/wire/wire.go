// Package wire reads and writes the policies of SQS queues.
package wire

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	shared "dera.example/dera/services/policies/wire"
	"dera.example/dera/services/sqs/queue"
)

// Wire returns how queues are read and written.
func Wire() cloud.Wire {
	return shared.Service[resourcepolicy.Config]{
		Type: queue.Type(), Policy: queue.Shape().Policy, Make: func(c resourcepolicy.Config) *resourcepolicy.Config { return &c },
		ListCall: "sqs:ListQueues", List: list, ReadCall: "sqs:GetQueueAttributes", Read: read, TagsCall: "sqs:ListQueueTags", Tags: tags,
		Gone:      []string{"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"},
		PutAction: queue.SetAttributes, Put: put, Delete: func(ctx context.Context, w *cloud.Writing, id string) error { return put(ctx, w, id, "") },
		Answers:     map[string]cloud.Shape{"SQS GetQueueAttributes": {Members: []string{"Attributes"}}, "SQS GetQueueUrl": {Members: []string{"QueueUrl"}}},
		ConfigRules: []string{"SQS_QUEUE_*"},
	}.Wire()
}

func api(r *cloud.Reading) *sqs.Client {
	return cloud.Service(r, "sqs", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *sqs.Client { return sqs.NewFromConfig(cfg) })
}

func list(ctx context.Context, r *cloud.Reading, token *string) (ids []string, next *string, err error) {
	out, err := api(r).ListQueues(ctx, &sqs.ListQueuesInput{MaxResults: aws.Int32(1000), NextToken: token})
	if err != nil {
		return nil, nil, err
	}
	for _, url := range out.QueueUrls {
		name := url[strings.LastIndex(url, "/")+1:]
		ids = append(ids, name)
		if _, err := cloud.Once(r, "queue/"+name, func() (string, error) { return url, nil }); err != nil {
			return nil, nil, err
		}
	}
	return ids, out.NextToken, nil
}

// url is the address of a queue, as SQS tells it.
func url(ctx context.Context, r *cloud.Reading, name string) (string, error) {
	return cloud.Once(r, "queue/"+name, func() (string, error) {
		out, err := api(r).GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(name), QueueOwnerAWSAccountId: aws.String(r.Scope.Account)})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.QueueUrl), nil
	})
}

func read(ctx context.Context, r *cloud.Reading, name string) (string, error) {
	at, err := url(ctx, r, name)
	if err != nil {
		return "", err
	}
	out, err := api(r).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(at), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNamePolicy, types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return "", err
	}
	if own := queue.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, name); out.Attributes["QueueArn"] != string(own) {
		return "", cloud.Foreign("it is about %.80q, want %s", out.Attributes["QueueArn"], own)
	}
	return out.Attributes["Policy"], nil
}

func tags(ctx context.Context, r *cloud.Reading, name string) (map[string]string, error) {
	at, err := url(ctx, r, name)
	if err != nil {
		return nil, err
	}
	out, err := api(r).ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: aws.String(at)})
	if err != nil {
		return nil, err
	}
	return out.Tags, nil
}

// put sets the one attribute: others of the queue stay.
func put(ctx context.Context, w *cloud.Writing, name, text string) error {
	at, err := url(ctx, w.Reading, name)
	if err == nil {
		_, err = sqs.NewFromConfig(w.Config).SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: aws.String(at), Attributes: map[string]string{"Policy": text}})
	}
	return err
}
