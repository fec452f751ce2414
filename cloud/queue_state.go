package cloud

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// QueueState is what a queue says of itself.
type QueueState struct {
	ARN      string
	Policy   string // its resource policy, or ""
	Waiting  int    // messages that nobody has in hand
	InFlight int
	// Receipts is how often a message is received before it goes to the dead-letter queue; 0 where
	// there is none.
	Receipts int
}

// State asks the queue about itself.
func (q *Queue) State(ctx context.Context) (QueueState, error) {
	ctx, cancel := within(ctx, q.c.cfg.Timeout)
	defer cancel()
	out, err := q.api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(q.url), AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameQueueArn, types.QueueAttributeNamePolicy, types.QueueAttributeNameRedrivePolicy,
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}})
	if err != nil {
		return QueueState{}, wrap("", q.c.base.Region, "sqs:GetQueueAttributes", err)
	}
	number := func(name types.QueueAttributeName) int {
		n, _ := strconv.Atoi(out.Attributes[string(name)]) // 0 where the queue does not say
		return n
	}
	return QueueState{
		ARN: out.Attributes[string(types.QueueAttributeNameQueueArn)], Policy: out.Attributes[string(types.QueueAttributeNamePolicy)],
		Waiting:  number(types.QueueAttributeNameApproximateNumberOfMessages),
		InFlight: number(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible),
		Receipts: receipts(out.Attributes[string(types.QueueAttributeNameRedrivePolicy)]),
	}, nil
}

// receipts reads how often a message may be received from a redrive policy, which has the number as a number
// or as a text.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func receipts(policy string) int {
	var p struct {
		Most json.RawMessage `json:"maxReceiveCount"`
	}
	if json.Unmarshal([]byte(policy), &p) != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.Trim(string(p.Most), `"`)) // 0 where it does not say
	return n
}

// Skew asks AWS for the time: by how much the clock here is ahead of it, to the
// second. False means that the answer did not tell.
func (c *Client) Skew(ctx context.Context) (time.Duration, bool, error) {
	ctx, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	out, err := sts.NewFromConfig(c.base, func(o *sts.Options) {
		o.APIOptions = append(o.APIOptions, c.observe("", c.base.Region, false))
	}).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return 0, false, wrap("", c.base.Region, "sts:GetCallerIdentity", err)
	}
	at, ok := awsmiddleware.GetServerTime(out.ResultMetadata)
	if !ok || at.IsZero() {
		return 0, false, nil
	}
	return c.cfg.Now().Sub(at).Truncate(time.Second), true, nil
}
