// Package topic is SNS topics as far as their policy goes: who may publish to them and subscribe.
package topic

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::SNS::Topic"

// SetAttributes is the write, by its IAM action. SNS has no topic without a policy.
const SetAttributes = "sns:SetTopicAttributes"

// Shape is the type as data.
func Shape() resourcepolicy.Shape[resourcepolicy.Config] {
	return resourcepolicy.Shape[resourcepolicy.Config]{
		Type: resource.Spec[resourcepolicy.Config]{
			Name: Name, SampleIDs: []string{"alarms", "orders.fifo", "Zz_9"}, Events: named().Events(Name),
			ARN: func(partition, account, region, id string) dera.ARN {
				return dera.NewARN(partition, "sns", region, account, id)
			},
		},
		Policy: func(c *resourcepolicy.Config) *resourcepolicy.Config { return c },
		Prefix: "sns-topic", Noun: "SNS topic", Service: "SNS",
		Part: resource.Part{Action: "sns:GetTopicAttributes", Also: []string{"sns:ListTopics"}}, TagsAction: "sns:ListTagsForResource",
		Put: SetAttributes, Rivals: []string{"SetTopicAttributes", "AddPermission", "RemovePermission"}, Actions: []string{"sns:*"}, Most: 30 << 10,
		// CloudWatch, S3, EventBridge, Budgets and others publish in their own name.
		// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
		ByServices: []string{"sns:Publish"},
		Terraform:  "aws_sns_topic_policy.policy", Reference: "arn", CloudFormation: "AWS::SNS::TopicPolicy.PolicyDocument", Property: "Topics",
	}
}

// Type is SNS topics.
func Type() resource.Type { return Shape().Define() }

// named are the calls after which the policy may be another one.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-logging-using-cloudtrail.html
func named() cloudtrail.Named {
	return cloudtrail.Named{
		Source: "sns.amazonaws.com", Calls: []string{"CreateTopic", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "TagResource", "UntagResource"},
		Members: []string{"topicArn", "resourceArn"}, InARN: "",
	}
}

// Controls are the controls on SNS topics.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		s.Public("Whoever finds the topic can read what is published, or publish what its subscribers then act on.",
			control.Ref{Standard: "Prowler", ID: "sns_topics_not_publicly_accessible", URL: "https://hub.prowler.com/check/sns_topics_not_publicly_accessible"}),
		s.External("Whoever holds that account publishes to the topic or subscribes to it, for as long as the statement stands."),
	}
}
