package awssim_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func receive(t *testing.T, client *sqs.Client, in sqs.ReceiveMessageInput) []types.Message {
	t.Helper()
	in.MessageSystemAttributeNames = []types.MessageSystemAttributeName{"All"}
	return must(client.ReceiveMessage(t.Context(), &in))(t).Messages
}

func send(t *testing.T, client *sqs.Client, queue, body string) {
	t.Helper()
	must(client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &body}))(t)
}

// TestLongPoll waits in virtual time: how long, and until what.
func TestLongPoll(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		after func(t *testing.T, client *sqs.Client, queue string) // happens in the third second
		want  int
		took  time.Duration
		code  string
	}{
		{name: "nothing_comes", took: 20 * time.Second},
		{
			name: "wakes_at_once", want: 1, took: 3 * time.Second,
			after: func(t *testing.T, client *sqs.Client, queue string) { send(t, client, queue, "hello") },
		},
		{
			name: "waits_for_a_delayed_message", want: 1, took: 8 * time.Second,
			after: func(t *testing.T, client *sqs.Client, queue string) {
				must(client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("hello"), DelaySeconds: 5}))(t)
			},
		},
		{
			name: "queue_is_deleted", took: 3 * time.Second, code: "AWS.SimpleQueueService.NonExistentQueue",
			after: func(t *testing.T, client *sqs.Client, queue string) {
				must(client.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &queue}))(t)
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cloud := awssim.New(awssim.Config{})
				client := sqsClient(cloud, hub)
				queue := must(cloud.Account(hub).Region(east).CreateQueue(t.Context(), "events"))(t)
				if tt.after != nil {
					go func() {
						<-time.After(3 * time.Second)
						tt.after(t, client, queue)
					}()
				}
				start := time.Now()
				out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, WaitTimeSeconds: 20})
				if code, _ := codeOf(t, err); code != tt.code {
					t.Fatalf("got error %v, want code %q", err, tt.code)
				}
				if got := time.Since(start); got != tt.took || err == nil && len(out.Messages) != tt.want {
					t.Errorf("got %+v after %v, want %d messages after %v", out, got, tt.want, tt.took)
				}
			})
		})
	}
}

func TestLongPollEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud := awssim.New(awssim.Config{})
		queue := must(cloud.Account(hub).Region(east).CreateQueue(t.Context(), "events"))(t)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		start := time.Now()
		_, err := sqsClient(cloud, hub).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &queue, WaitTimeSeconds: 20})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 4*time.Second {
			t.Errorf("got error %v after %v, want the deadline after 4s", err, time.Since(start))
		}
		send(t, sqsClient(cloud, hub), queue, "hello")
		if got := receive(t, sqsClient(cloud, hub), sqs.ReceiveMessageInput{QueueUrl: &queue}); len(got) != 1 {
			t.Errorf("after the poll that was given up: got %d messages, want 1", len(got))
		}
	})
}

func TestVisibility(t *testing.T) {
	t.Parallel()
	cloud, now := newCloud(t)
	client := sqsClient(cloud, hub)
	queue := must(cloud.Account(hub).Region(east).CreateQueue(t.Context(), "events"))(t)
	send(t, client, queue, "hello")

	first := receive(t, client, sqs.ReceiveMessageInput{QueueUrl: &queue, VisibilityTimeout: 10})
	if len(first) != 1 || *first[0].Body != "hello" || first[0].Attributes["ApproximateReceiveCount"] != "1" {
		t.Fatalf("first receive: got %+v", first)
	}
	if got := receive(t, client, sqs.ReceiveMessageInput{QueueUrl: &queue}); len(got) != 0 {
		t.Fatalf("in flight: got %d messages, want none", len(got))
	}
	now.Advance(10 * time.Second)
	second := receive(t, client, sqs.ReceiveMessageInput{QueueUrl: &queue})
	if len(second) != 1 || second[0].Attributes["ApproximateReceiveCount"] != "2" || *second[0].MessageId != *first[0].MessageId {
		t.Fatalf("after the timeout: got %+v", second)
	}
	must(client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &queue, ReceiptHandle: first[0].ReceiptHandle}))(t)
	if got := len(cloud.Snapshot().Queues[0].Bodies); got != 1 {
		t.Fatalf("deleted with the receipt of the first receive: got %d messages, want 1", got)
	}
	extend := &sqs.ChangeMessageVisibilityInput{QueueUrl: &queue, ReceiptHandle: second[0].ReceiptHandle, VisibilityTimeout: 60}
	must(client.ChangeMessageVisibility(t.Context(), extend))(t)
	now.Advance(59 * time.Second)
	if got := receive(t, client, sqs.ReceiveMessageInput{QueueUrl: &queue}); len(got) != 0 {
		t.Fatalf("within the longer timeout: got %d messages, want none", len(got))
	}
	now.Advance(time.Second)
	_, err := client.ChangeMessageVisibility(t.Context(), extend)
	wantCode(t, err, "InvalidParameterValue", 400)
	third := receive(t, client, sqs.ReceiveMessageInput{QueueUrl: &queue})
	must(client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &queue, ReceiptHandle: third[0].ReceiptHandle}))(t)
	if got := len(cloud.Snapshot().Queues[0].Bodies); got != 0 {
		t.Errorf("after the delete: got %d messages, want none", got)
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	cloud, now := newCloud(t)
	client := sqsClient(cloud, hub)
	out := must(client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("events"), Attributes: map[string]string{"MessageRetentionPeriod": "60"}}))(t)
	send(t, client, *out.QueueUrl, "old")
	now.Advance(40 * time.Second)
	send(t, client, *out.QueueUrl, "new")
	now.Advance(21 * time.Second)
	got := receive(t, client, sqs.ReceiveMessageInput{QueueUrl: out.QueueUrl, MaxNumberOfMessages: 10})
	if len(got) != 1 || *got[0].Body != "new" {
		t.Errorf("got %+v, want only the new message", got)
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	client := sqsClient(cloud, hub)
	queue := must(cloud.Account(hub).Region(east).CreateQueue(t.Context(), "events"))(t)
	sent := must(client.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &queue, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("a"), MessageBody: aws.String("one")},
		{Id: aws.String("b"), MessageBody: aws.String("two"), DelaySeconds: 901},
		{Id: aws.String("c"), MessageBody: aws.String("three")},
	}}))(t)
	if len(sent.Successful) != 2 || len(sent.Failed) != 1 || *sent.Failed[0].Id != "b" || !sent.Failed[0].SenderFault {
		t.Fatalf("sent: got %+v", sent)
	}
	got := receive(t, client, sqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10})
	if len(got) != 2 {
		t.Fatalf("received: got %d messages, want 2", len(got))
	}
	changed := must(client.ChangeMessageVisibilityBatch(t.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &queue, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: aws.String("a"), ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 0},
		{Id: aws.String("x"), ReceiptHandle: aws.String("nonsense"), VisibilityTimeout: 0},
	}}))(t)
	if len(changed.Successful) != 1 || len(changed.Failed) != 1 || *changed.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Fatalf("changed: got %+v", changed)
	}
	deleted := must(client.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &queue, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("b"), ReceiptHandle: got[1].ReceiptHandle},
	}}))(t)
	left := cloud.Snapshot().Queues[0].Bodies
	if len(deleted.Successful) != 1 || !slices.Equal(left, []string{*got[0].Body}) {
		t.Errorf("deleted: got %+v, and %v is left", deleted, left)
	}
}

func TestQueueRefusals(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	client := sqsClient(cloud, hub)
	queue := must(cloud.Account(hub).Region(east).CreateQueue(t.Context(), "events"))(t)
	foreign := must(cloud.Account(member).Region(east).CreateQueue(t.Context(), "theirs"))(t)
	tests := []struct {
		name string
		call func(ctx context.Context) error
		code string
	}{
		{"queue_of_another_account", func(ctx context.Context) error {
			_, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &foreign})
			return err
		}, "AccessDenied"},
		{"fifo", func(ctx context.Context) error {
			_, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("events.fifo")})
			return err
		}, "NotImplemented"},
		{"redrive", func(ctx context.Context) error {
			_, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("dead"), Attributes: map[string]string{"RedrivePolicy": "{}"}})
			return err
		}, "NotImplemented"},
		{"message_attributes", func(ctx context.Context) error {
			_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("hello"), MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: aws.String("String"), StringValue: aws.String("b")}}})
			return err
		}, "NotImplemented"},
		{"attribute_out_of_range", func(ctx context.Context) error {
			_, err := client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &queue, Attributes: map[string]string{"VisibilityTimeout": "43201"}})
			return err
		}, "InvalidAttributeValue"},
		{"message_too_long", func(ctx context.Context) error {
			_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String(strings.Repeat("x", 1<<20+1))})
			return err
		}, "InvalidParameterValue"},
		{"eleven_entries", func(ctx context.Context) error {
			entries := make([]types.DeleteMessageBatchRequestEntry, 11)
			for i := range entries {
				entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String("x")}
			}
			_, err := client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &queue, Entries: entries})
			return err
		}, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if code, _ := codeOf(t, tt.call(t.Context())); code != tt.code {
				t.Errorf("got error code %q, want %q", code, tt.code)
			}
		})
	}
}

func TestPurge(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	client := sqsClient(cloud, hub)
	queue := must(cloud.Account(hub).Region(east).CreateQueue(t.Context(), "events"))(t)
	send(t, client, queue, "one")
	send(t, client, queue, "two")
	receive(t, client, sqs.ReceiveMessageInput{QueueUrl: &queue})
	must(client.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &queue}))(t)
	if got := len(cloud.Snapshot().Queues[0].Bodies); got != 0 {
		t.Errorf("after the purge: got %d messages, want none", got)
	}
}
