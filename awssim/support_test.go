package awssim_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"dera.example/dera/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const (
	hub    = "111111111111"
	member = "222222222222"
	east   = "us-east-1"
)

// clock is a clock that moves only when it is told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newCloud(t *testing.T) (*awssim.Cloud, *clock) {
	t.Helper()
	now := newClock()
	return awssim.New(awssim.Config{Now: now.Now, Seed: 7}), now
}

// config is an SDK configuration for a session on the cloud, with one attempt for each call.
func config(cloud *awssim.Cloud, c awssim.Credentials) aws.Config {
	return aws.Config{
		Region: east, HTTPClient: cloud.HTTPClient(), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
	}
}

func ec2Client(cloud *awssim.Cloud, account string) *ec2.Client {
	return ec2.NewFromConfig(config(cloud, cloud.Account(account).Credentials()))
}

func sqsClient(cloud *awssim.Cloud, account string) *sqs.Client {
	return sqs.NewFromConfig(config(cloud, cloud.Account(account).Credentials()))
}

// assume opens a session through the API.
func assume(t *testing.T, cloud *awssim.Cloud, as awssim.Credentials, in *sts.AssumeRoleInput) (awssim.Credentials, error) {
	t.Helper()
	if in.RoleSessionName == nil {
		in.RoleSessionName = aws.String("dera")
	}
	out, err := sts.NewFromConfig(config(cloud, as)).AssumeRole(t.Context(), in)
	if err != nil {
		return awssim.Credentials{}, err
	}
	c := out.Credentials
	return awssim.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken, Expires: *c.Expiration}, nil
}

// codeOf returns the API's error code and HTTP status of an error; empty and 0 for none.
func codeOf(t *testing.T, err error) (string, int) {
	t.Helper()
	if err == nil {
		return "", 0
	}
	var api smithy.APIError
	var answer *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &answer) {
		t.Fatalf("got error %v, want one of the API", err)
	}
	return api.ErrorCode(), answer.HTTPStatusCode()
}

func wantCode(t *testing.T, err error, code string, status int) {
	t.Helper()
	if got, gotStatus := codeOf(t, err); got != code || gotStatus != status {
		t.Errorf("got error %q with status %d (%v), want %q with %d", got, gotStatus, err, code, status)
	}
}

func must[T any](value T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func openSSH() awssim.Rule {
	return awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"}
}

func https() awssim.Rule {
	return awssim.Rule{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "0.0.0.0/0"}
}

// sshPermission is openSSH as the SDK says it.
func sshPermission() []types.IpPermission {
	return []types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22),
		IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
	}}
}

// ingress returns the inbound rules of a group as the state has them, whatever the API says.
func ingress(t *testing.T, cloud *awssim.Cloud, id string) []awssim.Rule {
	t.Helper()
	g, ok := cloud.Snapshot().Group(id)
	if !ok {
		t.Fatalf("group %s is not there", id)
	}
	var rules []awssim.Rule
	for _, r := range g.Rules {
		if !r.Egress {
			rules = append(rules, r)
		}
	}
	return rules
}

// asResponse finds the HTTP answer behind an error.
func asResponse(err error, answer **awshttp.ResponseError) bool {
	return errors.As(err, answer)
}

func stsInput(arn, sessionPolicy string) *sts.AssumeRoleInput {
	return &sts.AssumeRoleInput{RoleArn: &arn, Policy: &sessionPolicy}
}
