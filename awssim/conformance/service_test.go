package conformance_test

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	docsAssume = "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"
)

func stsRows() []row {
	return []row{
		{name: "identity_of_a_session", run: func(w *world) {
			out, err := w.as(w.addRole("reader", "*")).sts.GetCallerIdentity(w.ctx, &sts.GetCallerIdentityInput{})
			if err != nil {
				w.t.Fatal(err)
			}
			role, session, _ := strings.Cut(aws.ToString(out.UserId), ":")
			w.fact("who", map[string]any{"account": out.Account, "arn": out.Arn, "session": session, "role": strings.HasPrefix(role, "AROA")})
		}},
		{name: "assume_role", run: func(w *world) {
			arn := w.addRole("reader", "*")
			out, err := w.sts.AssumeRole(w.ctx, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("session")})
			if err != nil {
				w.t.Fatal(err)
			}
			w.fact("session", map[string]any{
				"arn": out.AssumedRoleUser.Arn, "key": strings.HasPrefix(aws.ToString(out.Credentials.AccessKeyId), "ASIA"),
				"token": out.Credentials.SessionToken != nil, "expires": out.Credentials.Expiration != nil,
			})
		}},
		{name: "assume_absent_role", run: func(w *world) {
			_, err := w.sts.AssumeRole(w.ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + w.account + ":role/nobody"), RoleSessionName: aws.String("session")})
			w.fact("is_refused", err != nil)
		}, differ: []difference{{"is_refused", "moto assumes what is not there: " + docsAssume}}},
		{name: "session_name_too_short", run: func(w *world) {
			arn := w.addRole("reader", "*")
			_, err := w.sts.AssumeRole(w.ctx, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("s")})
			w.fact("is_refused", err != nil)
		}, differ: []difference{{"is_refused", "a session name has two characters or more: " + docsAssume}}},
	}
}

// roleRows run with policies evaluated: a session may do what its role allows, and nothing else.
func roleRows() []row {
	code := "EC2 denies with UnauthorizedOperation: " + docsErrors
	return []row{
		{name: "role_reads_only", run: func(w *world) {
			id, arn := w.group("web"), w.addRole("reader", "ec2:DescribeSecurityGroups")
			session := w.as(arn)
			w.enforce()
			session.see("allowed")(session.describe(id))
			session.see("denied")(session.open(id, permission("tcp", 22, 22, v4("0.0.0.0/0"))))
			session.see("denied_read")(session.rules(id))
		}, differ: []difference{{"denied", code}, {"denied_read", code}}},
		{name: "role_with_a_wildcard", run: func(w *world) {
			id, arn := w.group("web"), w.addRole("reader", "ec2:Describe*")
			session := w.as(arn)
			w.enforce()
			session.see("groups")(session.describe(id))
			session.see("rules")(session.rules(id))
			session.see("denied")(session.ec2.DeleteSecurityGroup(w.ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id}))
		}, differ: []difference{{"denied", code}}},
		{name: "role_that_revokes", run: func(w *world) {
			id, arn := w.group("web"), w.addRole("fixer", "ec2:RevokeSecurityGroupIngress")
			ssh := permission("tcp", 22, 22, v4("0.0.0.0/0"))
			w.mustOpen(id, "ssh", ssh)
			session := w.as(arn)
			w.enforce()
			session.see("dry_run")(session.ec2.RevokeSecurityGroupIngress(w.ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &id, DryRun: aws.Bool(true), IpPermissions: []types.IpPermission{ssh}}))
			session.see("revoke")(session.shut(id, ssh))
			session.see("denied")(session.open(id, ssh))
			session.see("denied_dry_run")(session.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &id, DryRun: aws.Bool(true), IpPermissions: []types.IpPermission{ssh}}))
		}, differ: []difference{{"denied", code}, {"denied_dry_run", code}}},
	}
}

func sqsRows() []row {
	return []row{
		{name: "create_queue", run: func(w *world) {
			url := w.queue(map[string]string{"VisibilityTimeout": "60"})
			w.see("again")(w.sqs.CreateQueue(w.ctx, &sqs.CreateQueueInput{QueueName: aws.String("events"), Attributes: map[string]string{"VisibilityTimeout": "60"}}))
			w.see("other_attributes")(w.sqs.CreateQueue(w.ctx, &sqs.CreateQueueInput{QueueName: aws.String("events"), Attributes: map[string]string{"VisibilityTimeout": "61"}}))
			w.see("url")(w.sqs.GetQueueUrl(w.ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("events")}))
			w.see("unknown")(w.sqs.GetQueueUrl(w.ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("nothing")}))
			w.see("attributes")(w.sqs.GetQueueAttributes(w.ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn", "VisibilityTimeout", "ApproximateNumberOfMessages"}}))
			w.see("bad_name")(w.sqs.CreateQueue(w.ctx, &sqs.CreateQueueInput{QueueName: aws.String("a queue")}))
		}},
		{name: "send_and_receive", run: func(w *world) {
			url := w.queue(nil)
			out, err := w.sqs.SendMessage(w.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("hello")})
			if err != nil {
				w.t.Fatal(err)
			}
			w.pin(out.MessageId, "message")
			w.see("sent")(out, err)
			got, err := w.sqs.ReceiveMessage(w.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"ApproximateReceiveCount"}})
			if err != nil || len(got.Messages) != 1 {
				w.t.Fatalf("receive: got %d messages, error %v", len(got.Messages), err)
			}
			w.pin(got.Messages[0].ReceiptHandle, "receipt")
			w.see("received")(got, err)
			w.see("nothing_visible")(w.sqs.ReceiveMessage(w.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url}))
			w.see("in_flight")(w.sqs.GetQueueAttributes(w.ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"}}))
			w.see("give_back")(w.sqs.ChangeMessageVisibility(w.ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: got.Messages[0].ReceiptHandle, VisibilityTimeout: 0}))
			again, err := w.sqs.ReceiveMessage(w.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"ApproximateReceiveCount"}})
			if err != nil || len(again.Messages) != 1 {
				w.t.Fatalf("receive again: got %d messages, error %v", len(again.Messages), err)
			}
			w.pin(again.Messages[0].ReceiptHandle, "second receipt")
			w.see("received_again")(again, err)
			w.see("delete")(w.sqs.DeleteMessage(w.ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: again.Messages[0].ReceiptHandle}))
			w.see("gone")(w.sqs.GetQueueAttributes(w.ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"}}))
		}},
		{name: "batches", run: func(w *world) {
			url := w.queue(nil)
			out, err := w.sqs.SendMessageBatch(w.ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []sqstypes.SendMessageBatchRequestEntry{
				{Id: aws.String("a"), MessageBody: aws.String("one")}, {Id: aws.String("b"), MessageBody: aws.String("two")},
			}})
			if err != nil || len(out.Successful) != 2 {
				w.t.Fatalf("send: got %+v, error %v", out, err)
			}
			for _, entry := range out.Successful {
				w.pin(entry.MessageId, "message "+*entry.Id)
			}
			w.see("sent")(out, err)
			got, err := w.sqs.ReceiveMessage(w.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
			if err != nil || len(got.Messages) != 2 {
				w.t.Fatalf("receive: got %d messages, error %v", len(got.Messages), err)
			}
			w.see("delete")(w.sqs.DeleteMessageBatch(w.ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []sqstypes.DeleteMessageBatchRequestEntry{
				{Id: aws.String("a"), ReceiptHandle: got.Messages[0].ReceiptHandle}, {Id: aws.String("b"), ReceiptHandle: got.Messages[1].ReceiptHandle},
			}}))
			w.see("twice_the_same_id")(w.sqs.SendMessageBatch(w.ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []sqstypes.SendMessageBatchRequestEntry{
				{Id: aws.String("a"), MessageBody: aws.String("one")}, {Id: aws.String("a"), MessageBody: aws.String("two")},
			}}))
			w.see("none")(w.sqs.SendMessageBatch(w.ctx, &sqs.SendMessageBatchInput{QueueUrl: &url}))
		}},
		{name: "queue_errors", run: func(w *world) {
			url := w.queue(nil)
			nowhere := aws.String(strings.Replace(url, "events", "nothing", 1))
			w.see("send")(w.sqs.SendMessage(w.ctx, &sqs.SendMessageInput{QueueUrl: nowhere, MessageBody: aws.String("hello")}))
			w.see("receive")(w.sqs.ReceiveMessage(w.ctx, &sqs.ReceiveMessageInput{QueueUrl: nowhere}))
			w.see("receive_eleven")(w.sqs.ReceiveMessage(w.ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 11}))
			w.see("bad_receipt")(w.sqs.DeleteMessage(w.ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: aws.String("nonsense")}))
		}, differ: nil},
	}
}
