package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dera.example/dera/awssim"
	"dera.example/dera/cloudtrail"
	ledger "dera.example/dera/usage"
)

// recordedDays is how long the simulated organisation has recorded its calls when the
// demo begins.
const recordedDays = 120

// overPermissioned is the managed policy that the demo narrows.
const overPermissioned = "report-builder"

// demoRole is a service role: what it may do, by a managed policy of its name, and
// what it called.
type demoRole struct {
	name, service, policy string
	calls                 []demoCall
}

// demoCall is one call, made every so many days until so many days ago.
type demoCall struct {
	source, name string
	every, last  int
}

// demoRoles are the roles of an account. Of what report-builder may do most was copied
// from elsewhere.
func demoRoles(account string) []demoRole {
	return map[string][]demoRole{
		"200000000002": {{name: "invoice-worker", service: "lambda.amazonaws.com"}},
		"300000000003": {{
			name: overPermissioned, service: "lambda.amazonaws.com", policy: `{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Reports", "Effect": "Allow", "Action": ["athena:StartQueryExecution", "athena:GetQueryExecution", "athena:ListWorkGroups", "glue:GetTable", "glue:DeleteTable"], "Resource": "*"},
    {"Sid": "Copied", "Effect": "Allow", "Action": ["ec2:DescribeInstances", "ec2:StopInstances", "ec2:TerminateInstances", "ec2:AuthorizeSecurityGroupIngress", "rds:ModifyDBInstance", "sns:ListTopics", "sns:DeleteTopic"], "Resource": "*"}
  ]
}`,
			calls: []demoCall{
				{"athena.amazonaws.com", "StartQueryExecution", 1, 3}, {"athena.amazonaws.com", "GetQueryExecution", 1, 3},
				{"glue.amazonaws.com", "GetTable", 1, 3}, {"sns.amazonaws.com", "ListTopics", 30, 40},
			},
		}},
	}[account]
}

// make makes the role through the simulated API.
func (r demoRole) make(ctx context.Context, a *awssim.Account) error {
	home := a.Region(demoRegion)
	errs := []error{home.IAM(ctx, "CreateRole", map[string]string{"RoleName": r.name, "AssumeRolePolicyDocument": r.trustPolicy()})}
	if r.policy != "" {
		errs = append(errs,
			home.IAM(ctx, "CreatePolicy", map[string]string{"PolicyName": r.name, "PolicyDocument": r.policy}),
			home.IAM(ctx, "AttachRolePolicy", map[string]string{"RoleName": r.name, "PolicyArn": "arn:aws:iam::" + a.ID() + ":policy/" + r.name}))
	}
	return errors.Join(errs...)
}

// trustPolicy lets the service and some accounts assume the role.
func (r demoRole) trustPolicy(accounts ...string) string {
	statements := []string{`{"Effect": "Allow", "Principal": {"Service": "` + r.service + `"}, "Action": "sts:AssumeRole"}`}
	for _, id := range accounts {
		statements = append(statements, `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::`+id+`:root"}, "Action": "sts:AssumeRole"}`)
	}
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ", ") + `]}`
}

// trust lets another account assume the role too.
func (r demoRole) trust(ctx context.Context, region *awssim.Region, account string) error {
	r.service = "lambda.amazonaws.com"
	return region.IAM(ctx, "UpdateAssumeRolePolicy", map[string]string{"RoleName": r.name, "PolicyDocument": r.trustPolicy(account)})
}

// recordHistory writes what a trail has recorded of the accounts, with its digest, and
// imports it into the ledger: just what dera usage import does.
func (d *demo) recordHistory(ctx context.Context) error {
	to := d.now().UTC().Truncate(time.Hour)
	from := to.AddDate(0, 0, -recordedDays)
	l := ledger.New(d.session.store, d.now)
	for _, acct := range d.world.accts {
		files := awssim.LogFiles{Account: acct.ID, Region: demoRegion, From: from, To: to}
		for _, r := range demoRoles(acct.ID) {
			for _, c := range r.calls {
				for at := to.AddDate(0, 0, -c.last); at.After(from); at = at.AddDate(0, 0, -c.every) {
					files.Records = append(files.Records, r.record(acct.ID, c, at, len(files.Records)))
				}
			}
		}
		dir := filepath.Join(d.dir, "trail", acct.ID)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		fingerprint, public, err := files.Write(dir)
		if err != nil {
			return err
		}
		scope := ledger.Coverage{
			Accounts: []string{acct.ID}, Regions: []string{demoRegion}, Since: ledger.SecondOf(from),
			AdvancedSelectors: []ledger.AdvancedSelector{{Name: "management", FieldSelectors: []ledger.FieldSelector{{Field: "eventCategory", Equals: []string{"Management"}}}}},
		}
		if err := l.Declare(ctx, scope); err != nil {
			return err
		}
		if _, err := l.Import(ctx, ledger.ImportConfig{Keys: cloudtrail.PublicKeys{fingerprint: public}}, dir); err != nil {
			return err
		}
	}
	return nil
}

// record is one call of the role as CloudTrail records it.
func (r demoRole) record(account string, c demoCall, at time.Time, n int) json.RawMessage {
	role := "arn:aws:iam::" + account + ":role/" + r.name
	event := map[string]any{
		"eventVersion": "1.09", "eventID": fmt.Sprintf("%08d-0000-4000-8000-%012s", n, account[:12]), "eventTime": at.Format(time.RFC3339),
		"eventSource": c.source, "eventName": c.name, "awsRegion": demoRegion, "recipientAccountId": account, "eventType": "AwsApiCall",
		"eventCategory": "Management", "managementEvent": true, "readOnly": false,
		"userIdentity": map[string]any{
			"type": "AssumedRole", "principalId": "AROADEMO:" + r.name, "accountId": account,
			"arn":            "arn:aws:sts::" + account + ":assumed-role/" + r.name + "/job",
			"sessionContext": map[string]any{"sessionIssuer": map[string]any{"type": "Role", "arn": role, "accountId": account, "userName": r.name}},
		},
	}
	text, err := json.Marshal(event)
	if err != nil {
		panic(err) // texts and numbers
	}
	return text
}
