// Package queue is SQS queues as far as their policy goes: who may send to them and
// receive from them.
package queue

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::SQS::Queue"

// SetAttributes is the write, by its IAM action: it puts the policy, and an empty one
// takes it away.
const SetAttributes = "sqs:SetQueueAttributes"

// Shape is the type as data.
func Shape() resourcepolicy.Shape[resourcepolicy.Config] {
	return resourcepolicy.Shape[resourcepolicy.Config]{
		Type: resource.Spec[resourcepolicy.Config]{
			Name: Name, SampleIDs: []string{"orders", "events.fifo", "Zz_9"}, Events: events(),
			ARN: func(partition, account, region, id string) dera.ARN {
				return dera.NewARN(partition, "sqs", region, account, id)
			},
			Note: "SQS applies a new policy within a minute.",
		},
		Policy: func(c *resourcepolicy.Config) *resourcepolicy.Config { return c },
		Prefix: "sqs-queue", Noun: "SQS queue", Service: "SQS",
		Part:       resource.Part{Action: "sqs:GetQueueAttributes", Also: []string{"sqs:ListQueues", "sqs:GetQueueUrl"}},
		TagsAction: "sqs:ListQueueTags",
		Put:        SetAttributes, Delete: SetAttributes, Rivals: []string{"SetQueueAttributes", "AddPermission", "RemovePermission"},
		Actions: []string{"sqs:*"},
		// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
		Most: 8 << 10,
		// SNS, S3 and EventBridge deliver in their own name.
		// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-basic-examples-of-sqs-policies.html
		ByServices: []string{"sqs:SendMessage"},
		Terraform:  "aws_sqs_queue_policy.policy", Reference: "queue_url", CloudFormation: "AWS::SQS::QueuePolicy.PolicyDocument", Property: "Queues",
	}
}

// Type is SQS queues.
func Type() resource.Type { return Shape().Define() }

// Controls are the controls on queues.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		s.Public("Whoever finds the name of the queue can read what is sent through it, take messages away, or put their own in, which the application then acts on.",
			control.Ref{Standard: "Security Hub", ID: "SQS.3", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/sqs-controls.html"},
			control.Ref{Standard: "Prowler", ID: "sqs_queues_not_publicly_accessible", URL: "https://hub.prowler.com/check/sqs_queues_not_publicly_accessible"}),
		s.External("Whoever holds that account sends to the queue or receives from it, for as long as the statement stands."),
	}
}

// events are the calls after which a queue, or who reaches it, may be different.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/logging-using-cloudtrail.html
func events() cloudtrail.Events {
	return cloudtrail.Events{
		Type:  Name,
		Calls: cloudtrail.Calls("sqs.amazonaws.com", queueOfCall, "CreateQueue", "SetQueueAttributes", "AddPermission", "RemovePermission", "DeleteQueue", "TagQueue", "UntagQueue"),
		Config: []cloudtrail.Configured{{Type: Name, Find: func(r cloudtrail.Record, id string) []dera.Scope {
			return r.Scopes(Name, names(id))
		}}},
		Analyzed: func(r cloudtrail.Record, id string) []dera.Scope { return r.Scopes(Name, names(id)) },
	}
}

func queueOfCall(c cloudtrail.Call) []dera.Scope {
	if name := c.Parameters.Text("queueName"); name != "" {
		return c.Scopes(Name, names(name))
	}
	return c.Scopes(Name, names(c.Parameters.Text("queueUrl")))
}

// names is the name of the queue in a name, URL or ARN; none for another text.
func names(text string) []string {
	text = text[strings.LastIndexAny(text, "/:")+1:]
	if text == "" || len(text) > 80 || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return nil
	}
	return []string{text}
}
