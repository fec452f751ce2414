package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/sink"
)

// TestMotoTopic: a message reaches a queue that subscribes to the topic, with its
// attributes; a topic that is not there is a dead letter, and a denied call is not.
func TestMotoTopic(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newMotoWorld(t, server)
	creds := credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken)
	api := sns.New(sns.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL()), Credentials: creds})
	queues := sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL()), Credentials: creds})
	topic, err := api.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("alerts")})
	if err != nil {
		t.Fatal(err)
	}
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("alerts")})
	if err != nil {
		t.Fatal(err)
	}
	arn := strings.Replace(*topic.TopicArn, ":sns:", ":sqs:", 1)
	if _, err := api.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String(arn)}); err != nil {
		t.Fatal(err)
	}
	client, err := cloud.New(t.Context(), cloud.Config{Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	to := sink.NewSNS(*topic.TopicArn, topics{client})
	m := sink.Message{ID: "m-1", What: sink.WhatWaiting, Title: "SSH is open", Account: "111122223333", Control: "ec2-securitygroup-admin-ports-open"}
	if err := to.Send(t.Context(), []sink.Message{m}); err != nil {
		t.Fatal(err)
	}
	got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, WaitTimeSeconds: 2})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	var body struct {
		Subject, Message  string
		MessageAttributes map[string]struct{ Value string }
	}
	if err := json.Unmarshal([]byte(*got.Messages[0].Body), &body); err != nil {
		t.Fatal(err)
	}
	if body.Subject != "dera: SSH is open" || !strings.Contains(body.Message, `"id":"m-1"`) || body.MessageAttributes["control"].Value != m.Control || body.MessageAttributes["account"].Value != m.Account {
		t.Errorf("got %+v", body)
	}
	none := sink.NewSNS(strings.Replace(*topic.TopicArn, "alerts", "none", 1), topics{client})
	if err := none.Send(t.Context(), []sink.Message{m}); !sink.Permanent(err) {
		t.Errorf("a topic that is not there: got %v, want a dead letter", err)
	}
	server.Close()
	if err := to.Send(t.Context(), []sink.Message{m}); err == nil || sink.Permanent(err) {
		t.Errorf("nobody answers: got %v, want an error that is tried again", err)
	}
}
