// Package bus is event buses of EventBridge as far as their policy goes: who may put events and rules on them.
package bus

import (
	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
)

// Name is the type name.
const Name = "AWS::Events::EventBus"

// The writes, by their IAM actions.
const (
	PutPermission    = "events:PutPermission"
	RemovePermission = "events:RemovePermission"
)

// Shape is the type as data.
func Shape() resourcepolicy.Shape[resourcepolicy.Config] {
	return resourcepolicy.Shape[resourcepolicy.Config]{
		Type: resource.Spec[resourcepolicy.Config]{
			Name: Name, SampleIDs: []string{"default", "orders", "a.b-9"}, Events: named().Events(Name),
			ARN: func(partition, account, region, id string) dera.ARN {
				return dera.NewARN(partition, "events", region, account, "event-bus/"+id)
			},
		},
		Policy: func(c *resourcepolicy.Config) *resourcepolicy.Config { return c },
		Prefix: "events-bus", Noun: "event bus", Service: "EventBridge",
		Part:       resource.Part{Action: "events:DescribeEventBus", Also: []string{"events:ListEventBuses"}},
		TagsAction: "events:ListTagsForResource",
		Put:        PutPermission, Delete: RemovePermission, Rivals: []string{"PutPermission", "RemovePermission"},
		Actions: []string{"events:*"}, Anywhere: true, Most: 10 << 10, // it decides about the rules on the bus too
		// A rule of another account whose target has no role comes as EventBridge: no condition
		// on an organisation or an account holds for it.
		// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html
		ByServices: []string{"events:PutEvents"},
		Terraform:  "aws_cloudwatch_event_bus_policy.policy", Reference: "event_bus_name", CloudFormation: "AWS::Events::EventBusPolicy.Statement", Property: "EventBusName",
	}
}

// Type is event buses of EventBridge.
func Type() resource.Type { return Shape().Define() }

// named are the calls after which the policy may be another one.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-logging-monitoring.html
func named() cloudtrail.Named {
	return cloudtrail.Named{
		Source: "events.amazonaws.com", Calls: []string{"CreateEventBus", "UpdateEventBus", "PutPermission", "RemovePermission", "DeleteEventBus"},
		Members: []string{"eventBusName", "name"}, InARN: "event-bus/",
	}
}

// Controls are the controls on event buses of EventBridge.
func Controls() []control.Control {
	s := Shape()
	return []control.Control{
		s.Public("Whoever finds the bus can put events on it, which the rules and targets of the account then act on.",
			control.Ref{Standard: "Prowler", ID: "eventbridge_bus_exposed", URL: "https://hub.prowler.com/check/eventbridge_bus_exposed"},
			control.Ref{Standard: "CIS AWS Foundations 7.0.0", ID: "2.21", URL: "https://www.cisecurity.org/benchmark/amazon_web_services"}),
		s.External("Whoever holds that account puts events or rules on the bus, for as long as the statement stands."),
	}
}
