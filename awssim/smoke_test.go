package awssim_test

import (
	"testing"
	"time"

	"dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestSmoke(t *testing.T) {
	cloud := awssim.New(awssim.Config{Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }})
	a := cloud.Account("111111111111")
	r := a.Region("us-east-1")
	q, err := r.CreateQueue(t.Context(), "events")
	if err != nil {
		t.Fatal(err)
	}
	if err := cloud.ForwardEvents(awssim.Forward{Queue: q}); err != nil {
		t.Fatal(err)
	}
	id, err := r.CreateSecurityGroup(t.Context(), "web", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"})
	if err != nil {
		t.Fatal(err)
	}
	creds := a.Credentials()
	cfg := aws.Config{Region: "us-east-1", HTTPClient: cloud.HTTPClient(), Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, "")}
	out, err := ec2.NewFromConfig(cfg).DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", out.SecurityGroups[0].IpPermissions[0])
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(*who.Arn)
	got, err := sqs.NewFromConfig(cfg).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q, MaxNumberOfMessages: 10, WaitTimeSeconds: 5})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got.Messages {
		t.Log(*m.Body)
	}
	if len(got.Messages) != 2 {
		t.Fatalf("got %d messages", len(got.Messages))
	}
}
