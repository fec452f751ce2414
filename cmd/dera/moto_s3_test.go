package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dera.example/dera/app"
	"dera.example/dera/awssim/moto"
)

// judged is what boto3 sees of a bucket.
type judged struct {
	Policy       string            `json:"policy"`
	Grants       []string          `json:"grants"`
	Block        []string          `json:"block"`
	Tags         map[string]string `json:"tags"`
	AccountBlock []string          `json:"account_block"`
}

// motoBucket is a bucket as a test sets it up.
type motoBucket struct {
	name      string
	ownership types.ObjectOwnership
	policy    string
	acl       types.BucketCannedACL
	website   bool
}

func (w *motoWorld) bucket(b motoBucket) {
	w.t.Helper()
	api := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(w.server.URL()), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken),
	})
	ctx, name := w.t.Context(), aws.String(b.name)
	_, err := api.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name, ObjectOwnership: b.ownership})
	if err == nil && b.policy != "" {
		_, err = api.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: name, Policy: aws.String(b.policy)})
	}
	if err == nil && b.acl != "" {
		_, err = api.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: name, ACL: b.acl})
	}
	if err == nil && b.website {
		_, err = api.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{Bucket: name, WebsiteConfiguration: &types.WebsiteConfiguration{IndexDocument: &types.IndexDocument{Suffix: aws.String("index.html")}}})
	}
	if err != nil {
		w.t.Fatalf("set up bucket %s: %v", b.name, err)
	}
}

const (
	partnerStatement = `{"Sid": "Partner", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222233334444:root"}, "Action": ["s3:GetObject","s3:PutObject"], "Resource": "arn:aws:s3:::BUCKET/*"}`
	publicStatement  = `{"Sid":"Public","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*"}`
	taggedStatement  = `{"Sid":"Site","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*","Condition":{"StringEquals":{"s3:ExistingObjectTag/share":"hunter2-hunter2"}}}`
	refererStatement = `{"Sid":"Site","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*","Condition":{"StringEquals":{"aws:Referer":"hunter2-hunter2"}}}`
	mixedStatement   = `{"Sid":"Mixed","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::222233334444:root", "*"]},"Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/*"}`
	serviceStatement = `{"Sid":"Logs","Effect":"Allow","Principal":{"AWS":"*", "Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/*"}`
	officeStatement  = `{"Sid":"Office","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*","Condition":{"IpAddress":{"aws:SourceIp":["203.0.113.0/24", "0.0.0.0/0"]}}}`
	halvesStatement  = `{"Sid":"Halves","Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::BUCKET/*","Condition":{"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}}}`
	orgStatement     = `{"Sid":"Org","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`
)

// policyText is a policy of the statements, written as a person would write it.
func policyText(bucket string, statements ...string) string {
	return strings.ReplaceAll("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    "+strings.Join(statements, ",\n    ")+"\n  ]\n}", "BUCKET", bucket)
}

// onlyOurs is a statement with the condition that a fix adds to it, and part what a
// fix leaves to the organisation of one that loses an element.
func onlyOurs(statement string) string {
	if head, ok := strings.CutSuffix(statement, `"}}}`); ok { // it has the operator
		return head + `","aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}`
	}
	if head, ok := strings.CutSuffix(statement, "}}}"); ok {
		return head + `},"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}`
	}
	return strings.TrimSuffix(statement, "}") + `,"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}`
}

func part(action, condition string) string {
	return `{"Effect":"Allow","Principal":"*","Action":"` + action + `","Resource":"arn:aws:s3:::BUCKET/*","Condition":{` + condition + `"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`
}

// joined puts a statement at the end of a document as a fix does.
func joined(document, statement, bucket string) string {
	return strings.Replace(document, "\n  ]", "\n  ,"+strings.ReplaceAll(statement, "BUCKET", bucket)+"]", 1)
}

// motoBuckets is every kind of fix on S3: what stands before, what dera makes of
// it, and what boto3 sees after the automatic part.
var motoBuckets = []struct {
	motoBucket
	findings []finding
	policy   string // after
	grants   []string
}{
	{
		motoBucket: motoBucket{name: "public-statement-among-others", ownership: types.ObjectOwnershipBucketOwnerEnforced,
			policy: policyText("public-statement-among-others", partnerStatement, publicStatement, orgStatement)},
		findings: []finding{
			{"policy/read", "s3-bucket-public-policy", "auto", "resolved"},
		},
		policy: policyText("public-statement-among-others", partnerStatement, orgStatement),
	},
	{
		motoBucket: motoBucket{name: "only-a-public-statement", ownership: types.ObjectOwnershipBucketOwnerEnforced, policy: policyText("only-a-public-statement", publicStatement)},
		findings:   []finding{{"policy/read", "s3-bucket-public-policy", "auto", "resolved"}},
		policy:     policyText("only-a-public-statement", onlyOurs(publicStatement)),
	},
	{
		motoBucket: motoBucket{name: "a-partner-beside-anybody", ownership: types.ObjectOwnershipBucketOwnerEnforced, policy: policyText("a-partner-beside-anybody", mixedStatement)},
		findings:   []finding{{"policy/write", "s3-bucket-public-policy", "auto", "resolved"}},
		policy:     joined(policyText("a-partner-beside-anybody", strings.Replace(mixedStatement, `, "*"`, "", 1)), part("s3:PutObject", ""), "a-partner-beside-anybody"),
	},
	{
		motoBucket: motoBucket{name: "a-service-beside-anybody", ownership: types.ObjectOwnershipBucketOwnerEnforced, policy: policyText("a-service-beside-anybody", serviceStatement)},
		findings:   []finding{{"policy/write", "s3-bucket-public-policy", "auto", "resolved"}},
		policy:     joined(policyText("a-service-beside-anybody", strings.Replace(serviceStatement, `"AWS":"*", `, "", 1)), part("s3:PutObject", ""), "a-service-beside-anybody"),
	},
	{
		motoBucket: motoBucket{name: "an-office-beside-the-world", ownership: types.ObjectOwnershipBucketOwnerEnforced, policy: policyText("an-office-beside-the-world", officeStatement)},
		findings:   []finding{{"policy/read", "s3-bucket-public-policy", "auto", "resolved"}},
		policy: joined(policyText("an-office-beside-the-world", strings.Replace(officeStatement, `, "0.0.0.0/0"`, "", 1)),
			part("s3:GetObject", `"IpAddress":{"aws:SourceIp":"0.0.0.0/0"},`), "an-office-beside-the-world"),
	},
	{
		motoBucket: motoBucket{name: "a-site-by-its-referer", ownership: types.ObjectOwnershipBucketOwnerEnforced, policy: policyText("a-site-by-its-referer", refererStatement)},
		findings:   []finding{{"policy/read", "s3-bucket-public-policy", "review", "open"}},
		policy:     policyText("a-site-by-its-referer", refererStatement),
	},
	{
		motoBucket: motoBucket{name: "the-world-in-two-halves", ownership: types.ObjectOwnershipBucketOwnerEnforced, policy: policyText("the-world-in-two-halves", halvesStatement, orgStatement)},
		findings:   []finding{{"policy/write", "s3-bucket-public-policy", "auto", "resolved"}},
		policy:     policyText("the-world-in-two-halves", onlyOurs(halvesStatement), orgStatement),
	},
	{
		motoBucket: motoBucket{name: "a-shared-text-in-the-policy", ownership: types.ObjectOwnershipBucketOwnerEnforced, policy: policyText("a-shared-text-in-the-policy", taggedStatement, partnerStatement)},
		findings:   []finding{{"policy/read", "s3-bucket-public-policy", "auto", "resolved"}},
		policy:     policyText("a-shared-text-in-the-policy", onlyOurs(taggedStatement), partnerStatement),
	},
	{
		motoBucket: motoBucket{name: "public-by-its-acl", ownership: types.ObjectOwnershipObjectWriter, acl: types.BucketCannedACLPublicRead},
		findings:   []finding{{"acl/read", "s3-bucket-public-acl", "auto", "resolved"}},
		grants:     []string{"FULL_CONTROL owner"},
	},
	{
		motoBucket: motoBucket{name: "a-website", ownership: types.ObjectOwnershipBucketOwnerEnforced, website: true, policy: policyText("a-website", publicStatement)},
		findings:   []finding{{"policy/read", "s3-bucket-public-policy", "review", "open"}},
		policy:     policyText("a-website", publicStatement),
	},
	{
		motoBucket: motoBucket{name: "an-organisation-is-not-the-world", ownership: types.ObjectOwnershipBucketOwnerEnforced, policy: policyText("an-organisation-is-not-the-world", orgStatement)},
		policy:     policyText("an-organisation-is-not-the-world", orgStatement),
	},
}

// about keeps the findings of one control.
func about(list []finding, prefix string) []finding {
	return slices.DeleteFunc(list, func(f finding) bool { return !strings.HasPrefix(f.Control, prefix) })
}

func TestMotoEveryBucketFixAndUndo(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	for _, c := range motoBuckets {
		t.Run(c.name, func(t *testing.T) {
			w := newMotoWorld(t, server)
			w.bucket(c.motoBucket)
			before := w.judge(c.name)
			code := exitNo // the block waits, or is looked at again
			if c.findings == nil {
				code = exitGood
			}
			r := w.scan(code, "--apply", "--mode", "enforce", "--no-exemptions")
			got := about(findingsOf(r, c.name), "s3-bucket-public-")
			got = slices.DeleteFunc(got, func(f finding) bool { return strings.HasSuffix(f.Control, "-block") })
			if diff := cmp.Diff(c.findings, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			want := before
			want.Policy = c.policy
			if c.grants != nil {
				want.Grants = c.grants
			}
			after := w.judge(c.name)
			want.Block, want.AccountBlock = after.Block, after.AccountBlock
			if diff := cmp.Diff(want, after); diff != "" {
				t.Errorf("what boto3 sees after the fix (-want +got):\n%s", diff)
			}
			w.noSecret("hunter2-hunter2")
			w.rollBackAll()
			if diff := cmp.Diff(before, w.judge(c.name)); diff != "" {
				t.Errorf("what boto3 sees after the rollback (-want +got):\n%s", diff)
			}
			if out, _, code := w.dera("audit", "verify"); code != exitGood {
				t.Errorf("audit verify: got exit code %d\n%s", code, out)
			}
		})
	}
}

// noSecret looks for a text in everything that dera shows, and in its data folder.
func (w *motoWorld) noSecret(secret string) {
	w.t.Helper()
	var ids []string
	out, _, _ := w.dera("findings", "--all", "--output", "json")
	var list []app.FindingView
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		w.t.Fatal(err)
	}
	for _, f := range list {
		ids = append(ids, f.ID)
		if f.Remediation != "" {
			ids = append(ids, f.Remediation)
		}
	}
	commands := [][]string{{"findings", "--all"}, {"audit", "show"}, {"audit", "show", "--output", "json"}}
	for _, id := range ids {
		commands = append(commands, []string{"show", id}, []string{"show", id, "--output", "json"})
	}
	for _, c := range commands {
		if out, errOut, _ := w.dera(c...); strings.Contains(out+errOut, secret) {
			w.t.Errorf("dera %s shows a value that can be secret", strings.Join(c, " "))
		}
	}
	export := filepath.Join(w.t.TempDir(), "export")
	if out, errOut, code := w.dera("audit", "export", export); code != exitGood {
		w.t.Fatalf("audit export: got exit code %d\n%s%s", code, out, errOut)
	}
	for _, dir := range []string{export, filepath.Join(w.dir, "data")} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if strings.Contains(string(text), secret) {
				w.t.Errorf("%s holds a value that can be secret", path)
			}
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestMotoBlockAndRollbackOrder: the block comes when nothing depends on public
// access any more; a policy cannot come back under it, so that the rollback
// refuses and names what has to go first.
func TestMotoBlockAndRollbackOrder(t *testing.T) {
	server := moto.Start(t, moto.Config{})
	w := newMotoWorld(t, server)
	w.bucket(motoBucket{name: "order", ownership: types.ObjectOwnershipBucketOwnerEnforced, policy: policyText("order", partnerStatement, publicStatement)})
	before := w.judge("order")
	enforce := []string{"--apply", "--mode", "enforce", "--no-exemptions"}
	first := w.scan(exitNo, enforce...) // the policy, then the bucket's block
	r := w.scan(exitGood, enforce...)   // now the block of the account is automatic
	for _, f := range r.Findings {
		if f.Disposition.String() != "auto" || string(f.State) != "resolved" {
			t.Errorf("%s %s: got %s %s, want auto and resolved", f.Control, f.Resource, f.Disposition, f.State)
		}
	}
	all := []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
	if got := w.judge("order"); len(got.AccountBlock) != 4 || !slices.Equal(got.AccountBlock, all) {
		t.Errorf("block of the account: got %v, want all settings", got.AccountBlock)
	}
	by := map[string]string{}
	for _, f := range slices.Concat(first.Findings, r.Findings) {
		by[f.Control] = f.Remediation
	}
	ids := w.inEffect()
	policy, bucket, account := ids[len(ids)-1], by["s3-bucket-access-block"], by["s3-account-access-block"]
	refused := func(later string) {
		t.Helper()
		_, errOut, code := w.dera("rollback", policy, "--reason", "test")
		if code != exitNo || !strings.Contains(errOut, later) {
			t.Errorf("rollback of the policy under %s: got exit code %d, want %d and that it is named\n%s", later, code, exitNo, errOut)
		}
	}
	refused(bucket)
	if _, errOut, code := w.dera("rollback", bucket, "--reason", "test"); code != exitGood {
		t.Fatalf("rollback of the bucket's block: got exit code %d\n%s", code, errOut)
	}
	refused(account)
	if diff := cmp.Diff(all, w.judge("order").AccountBlock); diff != "" {
		t.Errorf("the refused rollback changed the account's block (-want +got):\n%s", diff)
	}
	for _, id := range []string{account, policy} {
		if _, errOut, code := w.dera("rollback", id, "--reason", "test"); code != exitGood {
			t.Fatalf("rollback %s: got exit code %d\n%s", id, code, errOut)
		}
	}
	if diff := cmp.Diff(before, w.judge("order")); diff != "" {
		t.Errorf("after rolling everything back (-before +after):\n%s", diff)
	}
}
