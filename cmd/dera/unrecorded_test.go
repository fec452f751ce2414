package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dera.example/dera/awssim"
)

// TestNothingRecorded: where nothing is recorded of use, the scan says once whose
// permissions it did not judge, and the doctor and the candidates say so too. None does
// where no control goes by use, or once something is recorded.
func TestNothingRecorded(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 12})
	account := cloud.Account("111122223333")
	region := account.Region("us-east-1")
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	const shared = "arn:aws:iam::111122223333:policy/shared"
	const queues = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`
	calls := []struct {
		name string
		with map[string]string
	}{
		{"CreatePolicy", map[string]string{"PolicyName": "shared", "PolicyDocument": queues}},
		{"CreateRole", map[string]string{"RoleName": "a", "AssumeRolePolicyDocument": trust}},
		{"CreateRole", map[string]string{"RoleName": "b", "AssumeRolePolicyDocument": trust}},
		{"CreateUser", map[string]string{"UserName": "u"}},
		{"CreateGroup", map[string]string{"GroupName": "g"}},
		{"AddUserToGroup", map[string]string{"UserName": "u", "GroupName": "g"}},
		{"AttachRolePolicy", map[string]string{"RoleName": "a", "PolicyArn": shared}},
		{"PutRolePolicy", map[string]string{"RoleName": "b", "PolicyName": "own", "PolicyDocument": queues}},
		{"PutUserPolicy", map[string]string{"UserName": "u", "PolicyName": "own", "PolicyDocument": queues}},
		{"PutGroupPolicy", map[string]string{"GroupName": "g", "PolicyName": "own", "PolicyDocument": queues}},
	}
	for _, c := range calls {
		if err := region.IAM(t.Context(), c.name, c.with); err != nil {
			t.Fatal(err)
		}
	}
	serving(t, cloud, account.Credentials())
	dir := t.TempDir()
	iam := fileIn(t, dir, "iam.yaml", "version: 1\ncontrols: ["+identities+"]\n")
	trusts := fileIn(t, dir, "trust.yaml", "version: 1\ncontrols: [iam-role-weak-trust]\n")
	groups := fileIn(t, dir, "groups.yaml", "version: 1\ncontrols: [ec2-securitygroup-*]\n")
	const scanned = "dera: warning: the use of 3 principals was not judged: nothing is recorded of it (3 in 111122223333); import CloudTrail log files with dera usage import"
	says := func(config, data, want string, times int, args ...string) {
		t.Helper()
		out, errOut, _ := said(t, append(args, "--config", config, "--data", filepath.Join(dir, data))...)
		if got := strings.Count(strings.Join(strings.Fields(out+errOut), " "), want); got != times {
			t.Errorf("%s with %s: got %q %d times, want it %d times\n%s%s", args, filepath.Base(config), want, got, times, out, errOut)
		}
	}
	const doctor, candidates = "! usage record 111122223333 nothing is recorded of what principals did", "least privilege nothing is recorded of use in 111122223333"
	says(iam, "one", scanned, 1, "scan")
	says(iam, "one", `"use_not_recorded": { "111122223333": 3 }`, 1, "scan", "-o", "json", "--severity", "critical")
	says(iam, "one", doctor, 1, "doctor")
	says(iam, "one", candidates, 1, "report", "--candidates")
	says(iam, "one", `"use_not_recorded": [ "111122223333" ]`, 1, "report", "--candidates", "-o", "json")
	for _, kind := range []string{"policy", "user", "group"} { // one role has the policy, and the user is a member of the group
		config := fileIn(t, dir, kind+".yaml", "version: 1\ncontrols: [iam-"+kind+"-*]\n")
		says(config, kind, "the use of 1 principal was not judged", 1, "scan")
	}
	says(trusts, "two", "not judged", 0, "scan")
	says(groups, "three", "recorded", 0, "scan")
	says(groups, "three", "usage record", 0, "doctor")
	says(groups, "three", "recorded of use", 0, "report", "--candidates")

	at := time.Now().UTC().Add(-3 * time.Hour)
	file := filepath.Join(dir, "111122223333_CloudTrail_us-east-1_"+at.Format("20060102T1504Z")+"_x.json")
	text := fmt.Sprintf(`{"Records":[{"eventID":"1","eventTime":%q,"eventSource":"sqs.amazonaws.com","eventName":"ListQueues","awsRegion":"us-east-1","recipientAccountId":"111122223333",`+
		`"userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/a"}}}}]}`, at.Format(time.RFC3339))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	says(iam, "one", "1 records in 1 files read", 1, "usage", "import", file)
	says(iam, "one", "not judged", 0, "scan")
	says(iam, "one", "! usage record 111122223333 from "+at.Format(time.DateOnly)+" to ", 1, "doctor")
	says(iam, "one", candidates, 0, "report", "--candidates")
}
