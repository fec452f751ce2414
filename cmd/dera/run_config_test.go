package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"dera.example/dera/awssim"
)

// TestControllerLooksWhereConfigSays: a compliance change of AWS Config leads to
// a look and so to a fix, one that is not to be believed is kept, one of another
// type is counted, and the doctor hears that the source lives.
func TestControllerLooksWhereConfigSays(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 6})
	account := cloud.Account("111122223333")
	region := account.Region("us-east-1")
	serving(t, cloud, account.Credentials())
	queue, err := region.CreateQueue(t.Context(), "events")
	if err != nil {
		t.Fatal(err)
	}
	c := startController(t, "--queue", queue, "--sweep", "1h")
	c.eventually(t, "it runs", func() bool { return strings.Contains(c.errOut.String(), "dera runs") })
	id, err := region.CreateSecurityGroup(t.Context(), "web", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"})
	if err != nil {
		t.Fatal(err)
	}
	creds := account.Credentials()
	api := sqs.New(sqs.Options{
		Region: "us-east-1", HTTPClient: cloud.HTTPClient(), BaseEndpoint: aws.String("https://aws.sim"),
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
	})
	for _, body := range []string{
		compliance("111122223333", "111122223333", "AWS::EC2::SecurityGroup", id),
		compliance("444455556666", "111122223333", "AWS::EC2::SecurityGroup", id),
		compliance("111122223333", "111122223333", "AWS::Kinesis::Stream", "f"),
	} {
		if _, err := api.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(queue), MessageBody: aws.String(body)}); err != nil {
			t.Fatal(err)
		}
	}
	c.eventually(t, "the rule is revoked", func() bool {
		g, ok := cloud.Snapshot().Group(id)
		return ok && !slices.ContainsFunc(g.Rules, func(r awssim.Rule) bool { return !r.Egress && r.CIDR == "0.0.0.0/0" })
	})
	c.eventually(t, "the queue is empty", func() bool { return len(cloud.Snapshot().Queues[0].Bodies) == 0 })
	c.stop(t)
	said := func(args ...string) string {
		var out, errOut bytes.Buffer
		run(t.Context(), append(args, "--data", c.data), strings.NewReader(""), &out, &errOut)
		return out.String() + errOut.String()
	}
	events := said("findings", "--events")
	for _, want := range []string{"events_received        3", "events_hinted          1", "events_irrelevant      1", "events_malformed       1", `malformed account "444455556666"`} {
		if !strings.Contains(events, want) {
			t.Errorf("dera findings --events does not show %q:\n%s", want, events)
		}
	}
	if doctor := said("doctor", "--queue", queue); !strings.Contains(doctor, "sources config\n    last came ") {
		t.Errorf("dera doctor does not know that AWS Config was heard:\n%s", doctor)
	}
}

// compliance is a compliance change in an envelope of an account.
func compliance(envelope, account, typ, id string) string {
	return fmt.Sprintf(`{"version":"0","id":"c-1","detail-type":"Config Rules Compliance Change","source":"aws.config","account":%q,"time":"2026-11-23T09:00:00Z","region":"us-east-1",`+
		`"resources":[],"detail":{"resourceId":%q,"awsRegion":"us-east-1","awsAccountId":%q,"configRuleName":"any","messageType":"ComplianceChangeNotification",`+
		`"newEvaluationResult":{"complianceType":"NON_COMPLIANT"},"notificationCreationTime":"2026-11-23T09:00:00Z","resourceType":%q}}`, envelope, id, account, typ)
}
