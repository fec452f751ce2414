package awssim_test

import (
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"dera.example/dera/awssim"
)

// A queue names its receipts under the cloud's lock, so a snapshot must not wait
// for a queue while it holds that lock.
func TestSnapshotBesideReceives(t *testing.T) {
	t.Parallel()
	cloud := awssim.New(awssim.Config{})
	client := sqsClient(cloud, hub)
	queue := must(cloud.Account(hub).Region(east).CreateQueue(t.Context(), "events"))(t)
	var all sync.WaitGroup
	all.Go(func() {
		for range 3000 {
			cloud.Snapshot()
		}
	})
	for range 2 {
		all.Go(func() {
			for range 3000 {
				_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String("x")})
				if err == nil {
					_, err = client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue})
				}
				if err != nil {
					t.Errorf("send and receive: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
}
