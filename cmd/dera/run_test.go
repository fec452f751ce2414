package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"dera.example/dera/awssim"
	"dera.example/dera/awssim/moto"
)

// lockedBuffer is a bytes.Buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// controllerRun is dera run in this process until stop is called.
type controllerRun struct {
	out, errOut lockedBuffer
	cancel      context.CancelFunc
	code        chan int
	data        string
}

func startController(t *testing.T, args ...string) *controllerRun {
	t.Helper()
	return startConfigured(t, "", args...)
}

// startConfigured is startController with more lines of configuration.
func startConfigured(t *testing.T, config string, args ...string) *controllerRun {
	t.Helper()
	dir := t.TempDir()
	cfg := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(cfg, []byte("version: 1\nsettle: 10ms\n"+config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := &controllerRun{cancel: cancel, code: make(chan int, 1), data: filepath.Join(dir, "data")}
	args = append([]string{"run", "--data", c.data, "--config", cfg, "--mode", "enforce", "--no-exemptions"}, args...)
	go func() { c.code <- run(ctx, args, strings.NewReader(""), &c.out, &c.errOut) }()
	t.Cleanup(cancel)
	return c
}

// stop ends it as SIGTERM does and wants a clean end.
func (c *controllerRun) stop(t *testing.T) {
	t.Helper()
	c.cancel()
	select {
	case code := <-c.code:
		if code != exitGood {
			t.Errorf("dera run ended with %d\n%s\n%s", code, c.out.String(), c.errOut.String())
		}
	case <-time.After(time.Minute):
		t.Fatal("dera run does not end")
	}
}

// eventually waits for a condition to hold.
func (c *controllerRun) eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case code := <-c.code:
			t.Fatalf("dera run ended with %d before %s\n%s\n%s", code, what, c.out.String(), c.errOut.String())
		case <-limit:
			t.Fatalf("not within a minute: %s\n%s\n%s", what, c.out.String(), c.errOut.String())
		}
	}
}

// serving lets this process talk to a simulated AWS as someone.
func serving(t *testing.T, cloud *awssim.Cloud, creds awssim.Credentials) {
	t.Helper()
	url := make(chan string, 1)
	go func() {
		if err := awssim.Serve(t.Context(), cloud, "127.0.0.1:0", func(u string) { url <- u }); err != nil {
			t.Errorf("serve the simulated AWS: %v", err)
		}
	}()
	for k, v := range map[string]string{
		"AWS_ENDPOINT_URL": <-url, "AWS_ACCESS_KEY_ID": creds.AccessKeyID, "AWS_SECRET_ACCESS_KEY": creds.SecretAccessKey,
		"AWS_SESSION_TOKEN": "", "AWS_REGION": "us-east-1", "AWS_CA_BUNDLE": "", "AWS_PROFILE": "", "NO_COLOR": "1",
		"DERA_CONTROLS": strings.Join(simulated(), ","),
	} {
		t.Setenv(k, v)
	}
}

func TestControllerFixesWhatAnEventTells(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 5})
	account := cloud.Account("111122223333")
	region := account.Region("us-east-1")
	serving(t, cloud, account.Credentials())
	queue, err := region.CreateQueue(t.Context(), "events")
	if err != nil {
		t.Fatal(err)
	}
	if err := cloud.ForwardEvents(awssim.Forward{Account: account.ID(), Queue: queue}); err != nil {
		t.Fatal(err)
	}
	c := startController(t, "--queue", queue, "--sweep", "1h")
	c.eventually(t, "it runs", func() bool { return strings.Contains(c.errOut.String(), "dera runs") })
	id, err := region.CreateSecurityGroup(t.Context(), "web", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"},
		awssim.Rule{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	c.eventually(t, "the rule is revoked", func() bool {
		g, ok := cloud.Snapshot().Group(id)
		return ok && !slices.ContainsFunc(g.Rules, func(r awssim.Rule) bool { return r.FromPort == 22 && r.CIDR == "0.0.0.0/0" })
	})
	c.eventually(t, "the remediation is resolved", func() bool { return strings.Contains(c.out.String(), "resolved") })
	c.eventually(t, "the queue is empty", func() bool { return len(cloud.Snapshot().Queues[0].Bodies) == 0 })
	g, _ := cloud.Snapshot().Group(id)
	if !slices.ContainsFunc(g.Rules, func(r awssim.Rule) bool { return !r.Egress && r.FromPort == 443 }) {
		t.Errorf("the neighbour rule is gone: %+v", g.Rules)
	}
	c.stop(t)
}

// The same on a queue that we did not write, with the flat event shape, one that
// lacks the account in its envelope, and two that are unreadable or foreign.
func TestMotoControllerTakesEventsFromAQueue(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newMotoWorld(t, server)
	api := sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken),
	})
	q, err := api.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("events")})
	if err != nil {
		t.Fatal(err)
	}
	c := startController(t, "--queue", *q.QueueUrl, "--sweep", "1h")
	c.eventually(t, "it runs", func() bool { return strings.Contains(c.errOut.String(), "dera runs") })
	id := w.group("web", perm("tcp", 3389, 3389, "0.0.0.0/0", ""))
	for _, body := range []string{
		"not JSON at all",
		envelope("999999999999", `"account":"999999999999",`, id),
		envelope(w.creds.Account, "", id),
	} {
		if _, err := api.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: q.QueueUrl, MessageBody: aws.String(body)}); err != nil {
			t.Fatal(err)
		}
	}
	c.eventually(t, "the rule is revoked", func() bool { return slices.Equal(w.inbound(id), inside("tcp 3389-3389 %s")) })
	c.eventually(t, "the remediation is resolved", func() bool { return strings.Contains(c.out.String(), "resolved") })
	c.stop(t)
	var out, errOut bytes.Buffer
	if code := run(t.Context(), []string{"findings", "--events", "--data", c.data}, strings.NewReader(""), &out, &errOut); code != exitGood {
		t.Fatalf("dera findings --events: got exit code %d\n%s", code, errOut.String())
	}
	for _, want := range []string{"events_received        3", "events_malformed       1", "events_foreign         1", "999999999999"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("dera findings --events does not show %q:\n%s", want, out.String())
		}
	}
}

// envelope is an EventBridge envelope of a flat AuthorizeSecurityGroupIngress.
func envelope(account, envelopeAccount, group string) string {
	return fmt.Sprintf(`{"version":"0","id":"e-%s","detail-type":"AWS API Call via CloudTrail","source":"aws.ec2",%s"time":"2026-11-23T09:00:00Z",
"region":"us-east-1","resources":[],"detail":{"eventVersion":"1.09","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/x","accountId":"%s"},
"eventTime":"2026-11-23T09:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"AuthorizeSecurityGroupIngress","awsRegion":"us-east-1",
"requestParameters":{"groupId":"%s","ipProtocol":"tcp","fromPort":3389,"toPort":3389,"cidrIp":"0.0.0.0/0","ipPermissions":{}},
"responseElements":{"_return":true},"eventID":"e-%s","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%s"}}`,
		account, envelopeAccount, account, account, group, account, account)
}
