package cloud

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Message is one message of a queue.
type Message struct {
	ID       string
	Receipt  string
	Body     string
	Received int       // how often it was delivered
	Sent     time.Time // when it came into the queue; zero where the queue does not say
}

// Queue is one SQS queue.
type Queue struct {
	url string
	api *sqs.Client
	c   *Client
}

// queueConnections is how many connections to a queue are kept.
const queueConnections = 96

// Queue returns the queue with the URL.
func (c *Client) Queue(url string) *Queue {
	base := c.base.Copy()
	if own, ok := base.HTTPClient.(*awshttp.BuildableClient); ok { // many receive and delete at once: each keeps its connection
		base.HTTPClient = own.WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = queueConnections })
	}
	return &Queue{url: url, c: c, api: sqs.NewFromConfig(base, func(o *sqs.Options) {
		o.APIOptions = append(o.APIOptions, c.observe("", c.base.Region, false))
	})}
}

// Receive waits up to wait (20 s at most) for up to max messages (10 at most). One that is never answered is an error: a
// connection can be lost without a sign, and a receiver that waits for it forever hears of nothing any more.
func (q *Queue) Receive(ctx context.Context, max int, wait time.Duration) ([]Message, error) {
	ctx, cancel := context.WithTimeout(ctx, min(wait, 20*time.Second)+q.c.cfg.Timeout)
	defer cancel()
	out, err := q.api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(q.url), MaxNumberOfMessages: int32(min(max, 10)), WaitTimeSeconds: int32(min(wait, 20*time.Second) / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount, types.MessageSystemAttributeNameSentTimestamp},
	})
	if err != nil {
		return nil, wrap("", q.c.base.Region, "sqs:ReceiveMessage", err)
	}
	var list []Message
	for _, m := range out.Messages {
		n, _ := strconv.Atoi(m.Attributes["ApproximateReceiveCount"]) // 0 where the queue does not say
		x := Message{ID: aws.ToString(m.MessageId), Receipt: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body), Received: n}
		if ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
			x.Sent = time.UnixMilli(ms).UTC()
		}
		list = append(list, x)
	}
	return list, nil
}

// Delete takes the messages off the queue. What could not be deleted is an
// error; it will be delivered again, which harms nothing.
func (q *Queue) Delete(ctx context.Context, list []Message) error {
	if len(list) == 0 {
		return nil
	}
	var entries []types.DeleteMessageBatchRequestEntry
	for i, m := range list {
		entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(m.Receipt)})
	}
	ctx, cancel := context.WithTimeout(ctx, q.c.cfg.Timeout)
	defer cancel()
	out, err := q.api.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: aws.String(q.url), Entries: entries})
	if err != nil {
		return wrap("", q.c.base.Region, "sqs:DeleteMessageBatch", err)
	}
	if len(out.Failed) > 0 {
		return fmt.Errorf("delete messages: %d of %d stayed: %s", len(out.Failed), len(list), aws.ToString(out.Failed[0].Message))
	}
	return nil
}

// Extend hides the messages for another while from now on.
func (q *Queue) Extend(ctx context.Context, list []Message, visibility time.Duration) error {
	if len(list) == 0 {
		return nil
	}
	var entries []types.ChangeMessageVisibilityBatchRequestEntry
	for i, m := range list {
		entries = append(entries, types.ChangeMessageVisibilityBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(m.Receipt), VisibilityTimeout: int32(visibility / time.Second),
		})
	}
	ctx, cancel := context.WithTimeout(ctx, q.c.cfg.Timeout)
	defer cancel()
	out, err := q.api.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String(q.url), Entries: entries})
	if err != nil {
		return wrap("", q.c.base.Region, "sqs:ChangeMessageVisibilityBatch", err)
	}
	if len(out.Failed) > 0 {
		return fmt.Errorf("extend messages: %d of %d were not: %s", len(out.Failed), len(list), aws.ToString(out.Failed[0].Message))
	}
	return nil
}

// Send puts a message on the queue.
func (q *Queue) Send(ctx context.Context, body string) error {
	ctx, cancel := context.WithTimeout(ctx, q.c.cfg.Timeout)
	defer cancel()
	if _, err := q.api.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(q.url), MessageBody: aws.String(body)}); err != nil {
		return wrap("", q.c.base.Region, "sqs:SendMessage", err)
	}
	return nil
}
