package awssim_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestServe(t *testing.T) {
	t.Parallel()
	cloud := awssim.New(awssim.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	base, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- awssim.Serve(ctx, cloud, "127.0.0.1:0", func(url string) { base <- url }) }()
	c := config(cloud, cloud.Account(hub).Credentials())
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c.HTTPClient, c.BaseEndpoint = &http.Client{Transport: transport}, aws.String(<-base)
	queue := must(sqs.NewFromConfig(c).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("events")}))(t)
	if err := cloud.ForwardEvents(awssim.Forward{Queue: *queue.QueueUrl}); err != nil {
		t.Fatal(err)
	}
	must(ec2.NewFromConfig(c).CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("web")}))(t)
	got := must(sqs.NewFromConfig(c).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl}))(t)
	if len(got.Messages) != 1 || !strings.Contains(*got.Messages[0].Body, `"sourceIPAddress":"127.0.0.1"`) {
		t.Errorf("messages: got %+v, want the event of a caller on loopback", got.Messages)
	}

	cloud.Inject(awssim.Fault{Kind: awssim.Hang, Match: awssim.Match{Service: "sts"}})
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := sts.NewFromConfig(c).GetCallerIdentity(short, nil); err == nil {
		t.Error("a call that hangs: got no error")
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("end of serving: got error %v", err)
	}
	for _, addr := range []string{"0.0.0.0:0", "localhost", ":80", "192.0.2.1:80", "example.com:80"} {
		if err := awssim.Serve(t.Context(), cloud, addr, nil); err == nil {
			t.Errorf("serve on %q: got no error", addr)
		}
	}
}

// TestRawRequests sends what no SDK would.
func TestRawRequests(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	key := cloud.Account(hub).Credentials().AccessKeyID
	auth := func(service string) string {
		return "AWS4-HMAC-SHA256 Credential=" + key + "/20260101/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=00"
	}
	tests := []struct {
		name, url, auth, target, body string
		status                        int
		want                          string
	}{
		{name: "service_from_the_scope", url: "http://anything.example/", auth: auth("ec2"), body: "Action=DescribeRegions&RegionName.1=us-east-1", status: 200, want: "<regionName>us-east-1</regionName>"},
		{name: "parameters_in_the_url", url: "http://anything.example/?Action=DescribeRegions", auth: auth("ec2"), status: 200, want: "<regionInfo>"},
		{name: "no_credentials", url: "https://ec2.us-east-1.amazonaws.com/", body: "Action=DescribeRegions", status: 401, want: "<Code>AuthFailure</Code>"},
		{name: "no_service", url: "http://anything.example/", status: 501, want: "NotImplemented"},
		{name: "service_not_simulated", url: "http://anything.example/", auth: auth("s3"), status: 501, want: "NotImplemented"},
		{name: "operation_not_simulated", url: "http://anything.example/", auth: auth("ec2"), body: "Action=RunInstances", status: 501, want: "<Code>NotImplemented</Code>"},
		{name: "operation_of_sts_not_simulated", url: "http://anything.example/", auth: auth("sts"), body: "Action=GetFederationToken", status: 501, want: "<Code>NotImplemented</Code>"},
		{name: "parameter_not_simulated", url: "http://anything.example/", auth: auth("ec2"), body: "Action=CreateVpc&CidrBlock=10.0.0.0/16&Ipv6Pool=x", status: 501, want: "the parameter Ipv6Pool of CreateVpc"},
		{name: "member_not_simulated", url: "http://anything.example/", auth: auth("sqs"), target: "AmazonSQS.CreateQueue", body: `{"QueueName":"q","tags":{}}`, status: 501, want: "NotImplemented"},
		{name: "bad_form", url: "http://anything.example/", auth: auth("ec2"), body: "%zz", status: 400, want: "MalformedQueryString"},
		{name: "bad_json", url: "http://anything.example/", auth: auth("sqs"), target: "AmazonSQS.CreateQueue", body: "{", status: 400, want: "SerializationException"},
		{name: "bad_member", url: "http://anything.example/", auth: auth("sqs"), target: "AmazonSQS.CreateQueue", body: `{"QueueName":7}`, status: 400, want: "SerializationException"},
		{name: "number_that_is_none", url: "http://anything.example/", auth: auth("ec2"), body: "Action=DescribeSecurityGroups&MaxResults=many", status: 400, want: "InvalidParameterValue"},
		{name: "too_long", url: "http://anything.example/", auth: auth("ec2"), body: strings.Repeat("x", 5<<20), status: 400, want: "InvalidRequest"},
		{name: "markup_is_escaped", url: "http://anything.example/", auth: auth("ec2"), body: "Action=DescribeSecurityGroups&GroupId.1=" + url.QueryEscape("<sg>&\x01"), status: 400, want: "&lt;sg&gt;&amp;\uFFFD"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tt.url, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if tt.auth != "" {
				r.Header.Set("Authorization", tt.auth)
			}
			r.Header.Set("X-Amz-Target", tt.target)
			answer, err := cloud.HTTPClient().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != tt.status || !strings.Contains(string(body), tt.want) {
				t.Errorf("got %d %s, want %d with %q", answer.StatusCode, body, tt.status, tt.want)
			}
		})
	}
}

func TestRecordedCalls(t *testing.T) {
	t.Parallel()
	cloud := awssim.New(awssim.Config{Now: newClock().Now, KeepCalls: 3})
	client := ec2Client(cloud, hub)
	for range 9 {
		must(client.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{MaxResults: aws.Int32(5)}))(t)
	}
	_, err := client.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: aws.String("sg-00000000000000000"), DryRun: aws.Bool(true)})
	wantCode(t, err, "InvalidGroup.NotFound", 400)
	calls := cloud.Calls()
	last := calls[len(calls)-1]
	if len(calls) < 3 || len(calls) > 6 || last.Operation != "DeleteSecurityGroup" || !last.DryRun || last.Account != hub || last.Region != east ||
		last.Service != "ec2" || last.Principal != "arn:aws:iam::"+hub+":user/admin" || last.Parameters["GroupId"] != "sg-00000000000000000" || last.RequestID == "" {
		t.Errorf("got %d calls, the last %+v", len(calls), last)
	}
	if got := cloud.Count(awssim.Match{Service: "ec2", Account: hub, Region: east, Operation: "DescribeSecurityGroups"}); got != 9 {
		t.Errorf("count: got %d, want 9", got)
	}
	if got := cloud.Count(awssim.Match{Account: member}); got != 0 {
		t.Errorf("count of another account: got %d, want 0", got)
	}
	if got := len(cloud.Events()); got < 3 || got > 6 {
		t.Errorf("events: got %d, want the latest 3 to 6", got)
	}
}

func TestSeedsRepeat(t *testing.T) {
	t.Parallel()
	id := func(seed uint64) string {
		cloud := awssim.New(awssim.Config{Now: newClock().Now, Seed: seed})
		return must(cloud.Account(hub).Region(east).CreateSecurityGroup(t.Context(), "web"))(t)
	}
	if first, again, other := id(1), id(1), id(2); first != again || first == other {
		t.Errorf("seeds 1, 1 and 2: got %s, %s and %s", first, again, other)
	}
}

// TestConcurrentUse lets many clients of several accounts write, read, assume, send and receive at once.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	cloud := awssim.New(awssim.Config{})
	queue := must(cloud.Account(hub).Region(east).CreateQueue(t.Context(), "events"))(t)
	if err := cloud.ForwardEvents(awssim.Forward{Queue: queue}); err != nil {
		t.Fatal(err)
	}
	before := len(cloud.Snapshot().Queues[0].Bodies)
	arn := cloud.Account(member).AddRole("fixer", hub, "", "ec2:*")
	session := must(assume(t, cloud, cloud.Account(hub).Credentials(), &sts.AssumeRoleInput{RoleArn: &arn}))(t)
	group := must(cloud.Account(member).Region(east).CreateSecurityGroup(t.Context(), "web"))(t)
	const writers, rules = 8, 7
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			client := ec2.NewFromConfig(config(cloud, session))
			for i := range rules {
				p := sshPermission()
				p[0].FromPort, p[0].ToPort = aws.Int32(int32(w*100+i)), aws.Int32(int32(w*100+i))
				_, err := client.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: p})
				if err != nil {
					t.Error(err)
				}
				_, err = client.DescribeSecurityGroups(t.Context(), nil)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	received := make(chan int, 1)
	go func() {
		client, n := sqsClient(cloud, hub), 0
		for n < writers*rules {
			out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 20})
			if err != nil {
				t.Error(err)
				break
			}
			for _, m := range out.Messages {
				if strings.Contains(*m.Body, "AuthorizeSecurityGroupIngress") {
					n++
				}
				if _, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &queue, ReceiptHandle: m.ReceiptHandle}); err != nil {
					t.Error(err)
				}
			}
		}
		received <- n
	}()
	all.Wait()
	if got := len(ingress(t, cloud, group)); got != writers*rules {
		t.Errorf("rules: got %d, want %d", got, writers*rules)
	}
	if got := <-received; got != writers*rules {
		t.Errorf("events: got %d, want %d", got, writers*rules)
	}
	if got := len(cloud.Snapshot().Queues[0].Bodies); got != before {
		t.Errorf("left in the queue: got %d messages, want %d", got, before)
	}
}

// TestNoGoroutines shows that a cloud leaves nothing running: the bubble ends only when every goroutine has.
func TestNoGoroutines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cloud := awssim.New(awssim.Config{})
		r := cloud.Account(hub).Region(east)
		queue := must(r.CreateQueue(t.Context(), "events"))(t)
		must(r.CreateSecurityGroup(t.Context(), "web", openSSH()))(t)
		cloud.Inject(awssim.Fault{Kind: awssim.Hang, Match: awssim.Match{Service: "sts"}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := sts.NewFromConfig(config(cloud, cloud.Account(hub).Credentials())).GetCallerIdentity(ctx, nil); err == nil {
			t.Error("a call that hangs: got no error")
		}
		must(sqsClient(cloud, hub).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, WaitTimeSeconds: 1}))(t)
	})
}
