// Package wire reads and writes the policies of SNS topics.
package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/control/resourcepolicy"
	shared "dera.example/dera/services/policies/wire"
	"dera.example/dera/services/sns/topic"
)

// Wire returns how SNS topics are read and written.
func Wire() cloud.Wire {
	return shared.Service[resourcepolicy.Config]{
		Type: topic.Type(), Policy: topic.Shape().Policy, Make: func(c resourcepolicy.Config) *resourcepolicy.Config { return &c },
		ListCall: "sns:ListTopics", List: list, ReadCall: "sns:GetTopicAttributes", Read: read, TagsCall: "sns:ListTagsForResource", Tags: tags,
		Gone: []string{"NotFound", "NotFoundException"}, PutAction: topic.SetAttributes, Put: put,
		Answers:     map[string]cloud.Shape{"SNS": {Root: "*Response", Space: "http://sns.amazonaws.com/doc/"}},
		ConfigRules: []string{"SNS_*"},
	}.Wire()
}

func api(r *cloud.Reading) *sns.Client {
	return cloud.Service(r, "sns", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *sns.Client { return sns.NewFromConfig(cfg) })
}

func list(ctx context.Context, r *cloud.Reading, token *string) (ids []string, next *string, err error) {
	out, err := api(r).ListTopics(ctx, &sns.ListTopicsInput{NextToken: token})
	if err != nil {
		return nil, nil, err
	}
	for _, t := range out.Topics {
		ids = append(ids, dera.ARN(aws.ToString(t.TopicArn)).Resource())
	}
	return ids, out.NextToken, nil
}

func arn(r *cloud.Reading, name string) *string {
	return aws.String(string(topic.Type().ARN(cloud.PartitionOf(r.Scope), r.Scope.Account, r.Scope.Region, name)))
}

func read(ctx context.Context, r *cloud.Reading, name string) (string, error) {
	at := arn(r, name)
	out, err := api(r).GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: at})
	switch {
	case err != nil:
		return "", err
	case out.Attributes["TopicArn"] != *at:
		return "", cloud.Foreign("it is about %.80q, want %s", out.Attributes["TopicArn"], *at)
	case out.Attributes["Policy"] == "":
		return "", cloud.Foreign("every topic has a policy")
	}
	return out.Attributes["Policy"], nil
}

func tags(ctx context.Context, r *cloud.Reading, name string) (map[string]string, error) {
	out, err := api(r).ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: arn(r, name)})
	if err != nil {
		return nil, err
	}
	return shared.Tags(out.Tags, func(t types.Tag) (key, value *string) { return t.Key, t.Value }), nil
}

// put sets the one attribute: others of the topic stay.
func put(ctx context.Context, w *cloud.Writing, name, text string) error {
	_, err := sns.NewFromConfig(w.Config).SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: arn(w.Reading, name), AttributeName: aws.String("Policy"), AttributeValue: aws.String(text)})
	return err
}
