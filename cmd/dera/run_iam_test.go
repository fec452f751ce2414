package main

import (
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"dera.example/dera/awssim"
)

// iamRun is dera run on the IAM of a simulated account, from another region than the one
// where its events arrive.
type iamRun struct {
	*controllerRun
	t     *testing.T
	cloud *awssim.Cloud
	home  *awssim.Region
	queue string
}

func startIAMRun(t *testing.T) *iamRun {
	t.Helper()
	cloud := awssim.New(awssim.Config{Seed: 9})
	account := cloud.Account("111122223333")
	r := &iamRun{t: t, cloud: cloud, home: account.Region("us-east-1")}
	for _, c := range []struct {
		operation  string
		parameters map[string]string
	}{
		{"CreateRole", map[string]string{"RoleName": "reports", "AssumeRolePolicyDocument": lambdaTrust}},
		{"CreateRole", map[string]string{"RoleName": "cleaner", "AssumeRolePolicyDocument": lambdaTrust}},
		{"CreatePolicy", map[string]string{"PolicyName": "reports", "PolicyDocument": athenaWide}},
		{"CreatePolicy", map[string]string{"PolicyName": "edge", "PolicyDocument": athenaWide}},
		{"AttachRolePolicy", map[string]string{"RoleName": "reports", "PolicyArn": ofAccount("policy/reports")}},
		{"CreateUser", map[string]string{"UserName": "ann"}},
		{"CreateGroup", map[string]string{"GroupName": "staff"}},
		{"AttachGroupPolicy", map[string]string{"GroupName": "staff", "PolicyArn": ofAccount("policy/edge")}},
	} {
		r.does(c.operation, c.parameters)
	}
	serving(t, cloud, account.AddUser("dera", "*"))
	t.Setenv("AWS_REGION", "eu-central-1")
	queue, err := account.Region("eu-central-1").CreateQueue(t.Context(), "events")
	if err != nil {
		t.Fatal(err)
	}
	if err := cloud.ForwardEvents(awssim.Forward{Account: account.ID(), Region: "us-east-1", Queue: queue}); err != nil {
		t.Fatal(err)
	}
	r.queue = queue
	r.controllerRun = startConfigured(t, "controls: ["+identities+"]\nregions: [eu-central-1]\n", "--queue", queue, "--sweep", "1h")
	r.eventually(t, "it runs", func() bool { return strings.Contains(r.errOut.String(), "dera runs") })
	r.rest()
	return r
}

func ofAccount(what string) string { return "arn:aws:iam::111122223333:" + what }

// does makes a call of IAM as someone else than dera.
func (r *iamRun) does(operation string, parameters map[string]string) {
	r.t.Helper()
	if err := r.home.IAM(r.t.Context(), operation, parameters); err != nil {
		r.t.Fatal(err)
	}
}

// calls are dera's own calls of IAM so far.
func (r *iamRun) calls() (out []awssim.Call) {
	for _, c := range r.cloud.Calls() {
		if c.Service == "iam" && strings.HasSuffix(c.Principal, "user/dera") {
			out = append(out, c)
		}
	}
	return out
}

// due is how many jobs are to run within ten minutes, or run: the next sweep is not.
func (r *iamRun) due() (n int) {
	r.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(r.data, "dera.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(r.t.Context(), "SELECT count(*) FROM jobs WHERE run_at < ?", time.Now().Add(10*time.Minute).UnixMicro()).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// rest waits until nothing is in the queue, no job is due and dera has made no call for a
// while.
func (r *iamRun) rest() {
	r.t.Helper()
	last, since := -1, time.Now()
	r.eventually(r.t, "it comes to rest", func() bool {
		if n := len(r.calls()); n != last || len(r.cloud.Snapshot().Queues[0].Bodies) > 0 || r.due() > 0 {
			last, since = n, time.Now()
		}
		return time.Since(since) > 400*time.Millisecond
	})
}

// looked is what dera has read of IAM after the first n calls, and how often: an identity or a
// policy by its kind and name, and "walk" for a walk through the account.
func (r *iamRun) looked(n int) (out map[string]int, calls int) {
	out = map[string]int{}
	all := r.calls()[n:]
	for _, c := range all {
		switch c.Operation {
		case "GetAccountAuthorizationDetails":
			out["walk"]++
		case "ListRolePolicies":
			out["role "+c.Parameters["RoleName"]]++
		case "ListUserPolicies":
			out["user "+c.Parameters["UserName"]]++
		case "GetGroup":
			out["group "+c.Parameters["GroupName"]]++
		case "GetPolicy":
			out["policy "+strings.TrimPrefix(c.Parameters["PolicyArn"], ofAccount("policy/"))]++
		}
	}
	return out, len(all)
}

// TestControllerLooksAtWhatAnEventOfIAMNames: an event of IAM leads to two looks at what it names
// and what decides with it, and at nothing else. What it does not name and may concern is found by
// one walk; whom it gets to the sweep before has told. Events arrive in us-east-1, whatever region is configured.
func TestControllerLooksAtWhatAnEventOfIAMNames(t *testing.T) {
	r := startIAMRun(t)
	narrow := strings.Replace(athenaWide, `,"sns:DeleteTopic"`, "", 1)
	role, policy := "cleaner", ofAccount("policy/reports")
	for _, tt := range []struct {
		operation  string
		parameters map[string]string
		looked     string
		most       int // calls
	}{
		{"UpdateAssumeRolePolicy", map[string]string{"RoleName": role, "PolicyDocument": strings.Replace(lambdaTrust, "lambda", "glue", 1)}, "role cleaner", 8},
		{"PutRolePolicy", map[string]string{"RoleName": role, "PolicyName": "own", "PolicyDocument": athenaWide}, "role cleaner", 10},
		{"DeleteRolePolicy", map[string]string{"RoleName": role, "PolicyName": "own"}, "role cleaner", 8},
		// A new version concerns whoever has the policy, which the event does not name.
		{"CreatePolicyVersion", map[string]string{"PolicyArn": policy, "PolicyDocument": narrow, "SetAsDefault": "true"}, "policy reports, role reports, walk", 26},
		{"AttachRolePolicy", map[string]string{"RoleName": role, "PolicyArn": policy}, "policy reports, role cleaner, role reports", 40},
		{"DetachRolePolicy", map[string]string{"RoleName": role, "PolicyArn": policy}, "policy reports, role cleaner, role reports", 30},
		// A group may bring its members any of the policies.
		{"AddUserToGroup", map[string]string{"GroupName": "staff", "UserName": "ann"}, "group staff, policy edge, user ann, walk", 48},
		{"PutUserPolicy", map[string]string{"UserName": "ann", "PolicyName": "own", "PolicyDocument": athenaWide}, "group staff, policy edge, user ann", 24},
		{"PutRolePermissionsBoundary", nil, "role cleaner", 8},
	} {
		n := len(r.calls())
		if tt.parameters == nil { // awssim has no such call
			r.tell(tt.operation, role)
		} else {
			r.does(tt.operation, tt.parameters)
		}
		r.eventually(t, "it looks twice after "+tt.operation, func() bool {
			got, _ := r.looked(n)
			return !slices.ContainsFunc(strings.Split(tt.looked, ", "), func(what string) bool { return got[what] < 2 })
		})
		r.rest()
		got, calls := r.looked(n)
		if text := strings.Join(slices.Sorted(maps.Keys(got)), ", "); text != tt.looked || calls > tt.most {
			t.Errorf("%s: got %d calls, on %s, want %d at most, on %s", tt.operation, calls, text, tt.most, tt.looked)
		}
		t.Logf("%s: %d calls, on %s", tt.operation, calls, tt.looked)
	}
	r.stop(t)
}

// tell puts the event of a call on a role into the queue.
func (r *iamRun) tell(operation, role string) {
	r.t.Helper()
	const at = "2026-11-23T09:00:00Z"
	body := fmt.Sprintf(`{"version":"0","id":"e-1","detail-type":"AWS API Call via CloudTrail","source":"aws.iam","account":"111122223333","time":%[3]q,
"region":"us-east-1","resources":[],"detail":{"eventVersion":"1.09","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/x","accountId":"111122223333"},
"eventTime":%[3]q,"eventSource":"iam.amazonaws.com","eventName":%[1]q,"awsRegion":"us-east-1","requestParameters":{"roleName":%[2]q},
"eventID":"e-1","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333"}}`, operation, role, at)
	creds := r.cloud.Account("111122223333").Credentials()
	api := sqs.New(sqs.Options{
		Region: "eu-central-1", HTTPClient: r.cloud.HTTPClient(), BaseEndpoint: aws.String("https://aws.sim"),
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
	})
	if _, err := api.SendMessage(r.t.Context(), &sqs.SendMessageInput{QueueUrl: &r.queue, MessageBody: &body}); err != nil {
		r.t.Fatal(err)
	}
}
