package cloud

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"dera.example/dera"
)

// Notice is what is published to a topic of Amazon SNS.
type Notice struct {
	Topic, Subject, Body string
	Attributes           map[string]string
	// Group and Deduplication are for topics that keep the order.
	Group, Deduplication string
}

// Publish publishes to a topic in its own region, with dera's own credentials. Refused
// reports whether trying again is of no use.
func (c *Client) Publish(ctx context.Context, n Notice) error {
	region := dera.ARN(n.Topic).Region()
	api := sns.NewFromConfig(c.base, func(o *sns.Options) {
		o.Region = region
		o.APIOptions = append(o.APIOptions, c.observe("", region, false))
	})
	in := &sns.PublishInput{TopicArn: aws.String(n.Topic), Subject: aws.String(n.Subject), Message: aws.String(n.Body), MessageAttributes: map[string]types.MessageAttributeValue{}}
	for name, value := range n.Attributes {
		in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	if n.Group != "" {
		in.MessageGroupId, in.MessageDeduplicationId = aws.String(n.Group), aws.String(n.Deduplication)
	}
	if _, err := api.Publish(ctx, in); err != nil {
		return wrap("", region, "sns:Publish", err)
	}
	return nil
}

// BadNotice reports whether a topic refuses a notice for what it is, so that to publish it
// again changes nothing.
//
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
func BadNotice(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "InvalidParameter", "InvalidParameterException", "ParameterValueInvalid", "InvalidParameterValue", "NotFound", "NotFoundException":
		return true
	}
	return false
}
