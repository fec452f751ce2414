package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/resource/document"
)

// iamWorld is an account of moto with roles, users and policies that are 100 days old, and
// with a record of what these did.
type iamWorld struct {
	more string // controls beside identities
	*motoWorld
	iam   *iam.Client
	clock string
	on    map[string][]string // the ARNs that the calls of a name have, one after the other
}

// identities are the controls on the permissions and the trust of roles, users, groups and
// policies.
const identities = "iam-*-unused-permissions, iam-*-outdated-copy, iam-role-*-trust, iam-role-open-sessions"

func newIAMWorld(t *testing.T, config string) *iamWorld {
	t.Helper()
	clock := filepath.Join(t.TempDir(), "clock")
	w := &iamWorld{clock: clock}
	w.behind(t, 200)
	server := moto.Start(t, moto.Config{ManagedPolicies: strings.Contains(config, "aws_managed"), Env: []string{"MOTO_CLOCK=" + clock}})
	w.motoWorld = newSettingWorld(t, server, identities)
	w.configure(t, config)
	w.iam = iam.New(iam.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(w.creds.AccessKeyID, w.creds.SecretAccessKey, w.creds.SessionToken),
	})
	return w
}

// configure writes the configuration, with more lines of it. It is never quiet, so that the day
// of the week does not matter.
func (w *iamWorld) configure(t *testing.T, config string) {
	t.Helper()
	permissions := "quiet_hours: {off: true}"
	if more, ok := strings.CutPrefix(config, "permissions: "); ok {
		permissions, config = permissions+", "+more, ""
	}
	text := "version: 1\nsettle: 10ms\ncontrols: [" + identities + w.more + "]\npermissions: {" + permissions + "}\n" + config
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// behind sets moto's clock so many days back.
func (w *iamWorld) behind(t *testing.T, days int) {
	t.Helper()
	if err := os.WriteFile(w.clock, []byte(fmt.Sprint(days)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *iamWorld) arn(kind, name string) string {
	return "arn:aws:iam::" + w.creds.Account + ":" + kind + "/" + name
}

// role makes a role, with a managed policy of its name where there is one.
func (w *iamWorld) role(name, trust, policy string) {
	w.t.Helper()
	ctx := w.t.Context()
	w.must(w.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}))
	if policy == "" {
		return
	}
	w.must(w.iam.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: &policy}))
	w.must(w.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: aws.String(w.arn("policy", name))}))
}

func (w *iamWorld) must(_ any, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// inForce is the document of the default version of a policy.
func (w *iamWorld) inForce(name string) (version, text string) {
	w.t.Helper()
	arn := aws.String(w.arn("policy", name))
	p, err := w.iam.GetPolicy(w.t.Context(), &iam.GetPolicyInput{PolicyArn: arn})
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := w.iam.GetPolicyVersion(w.t.Context(), &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: p.Policy.DefaultVersionId})
	if err != nil {
		w.t.Fatal(err)
	}
	text = *v.PolicyVersion.Document
	if !strings.HasPrefix(text, "{") {
		if text, err = url.PathUnescape(text); err != nil {
			w.t.Fatal(err)
		}
	}
	return *p.Policy.DefaultVersionId, text
}

// trust is the trust policy of a role.
func (w *iamWorld) trust(name string) string {
	w.t.Helper()
	out, err := w.iam.GetRole(w.t.Context(), &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := url.PathUnescape(*out.Role.AssumeRolePolicyDocument)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// recorded writes and imports what a trail recorded: calls of principals, by ARN, each
// made every ten days until four days ago.
func (w *iamWorld) recorded(calls map[string][][2]string) {
	w.t.Helper()
	to := time.Now().UTC().Truncate(time.Hour)
	files := awssim.LogFiles{Account: w.creds.Account, Region: "us-east-1", From: to.AddDate(0, 0, -120), To: to}
	for arn, list := range calls {
		for _, c := range list {
			for at := to.AddDate(0, 0, -4); at.After(files.From); at = at.AddDate(0, 0, -10) {
				identity := map[string]any{"type": "IAMUser", "arn": arn, "accountId": w.creds.Account}
				if dera.ARN(arn).Service() == "iam" && strings.Contains(arn, ":role/") {
					identity = map[string]any{"type": "AssumedRole", "accountId": w.creds.Account, "arn": strings.Replace(arn, ":iam:", ":sts:", 1),
						"sessionContext": map[string]any{"sessionIssuer": map[string]any{"type": "Role", "arn": arn}}}
				}
				var on []map[string]any
				if arns := w.on[c[1]]; len(arns) > 0 {
					on = append(on, map[string]any{"ARN": arns[len(files.Records)%len(arns)]})
				}
				text, err := json.Marshal(map[string]any{
					"resources": on, "eventVersion": "1.09", "eventID": fmt.Sprint(len(files.Records)), "eventTime": at.Format(time.RFC3339), "eventSource": c[0], "eventName": c[1],
					"awsRegion": "us-east-1", "recipientAccountId": w.creds.Account, "eventType": "AwsApiCall", "eventCategory": "Management", "userIdentity": identity,
				})
				if err != nil {
					w.t.Fatal(err)
				}
				files.Records = append(files.Records, text)
			}
		}
	}
	dir := filepath.Join(w.dir, "trail")
	fingerprint, key, err := files.Write(dir)
	if err != nil {
		w.t.Fatal(err)
	}
	keys, err := json.Marshal(map[string]any{"PublicKeyList": []map[string]any{{"Fingerprint": fingerprint, "Value": x509.MarshalPKCS1PublicKey(key)}}})
	if err != nil {
		w.t.Fatal(err)
	}
	scope, err := json.Marshal(map[string]any{
		"accounts": []string{w.creds.Account}, "regions": []string{"us-east-1"}, "since": files.From.Format(time.RFC3339),
		"AdvancedEventSelectors": []map[string]any{{"FieldSelectors": []map[string]any{{"Field": "eventCategory", "Equals": []string{"Management"}}}}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for name, text := range map[string][]byte{"keys.json": keys, "scope.json": scope} {
		if err := os.WriteFile(filepath.Join(w.dir, name), text, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	if out, errOut, code := w.dera("usage", "import", "--keys", filepath.Join(w.dir, "keys.json"), "--scope", filepath.Join(w.dir, "scope.json"), dir); code != exitGood {
		w.t.Fatalf("usage import: got exit code %d\n%s%s", code, out, errOut)
	}
}

const (
	lambdaTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	athenaWide  = `{"Version":"2012-10-17","Statement":[{"Sid":"Reports","Effect":"Allow","Action":["athena:StartQueryExecution","athena:ListWorkGroups","glue:GetTable","glue:DeleteTable","sns:DeleteTopic"],"Resource":"*"}]}`
)

// TestMotoPermissions: of a service role's policy what it never used goes, as a new
// version in force; what another role with the policy used stays; who is trusted
// without being declared goes; and all of it comes back.
func TestMotoPermissions(t *testing.T) {
	w := newIAMWorld(t, "")
	w.role("reports", lambdaTrust, athenaWide)
	w.role("cleaner", lambdaTrust, "")
	w.must(w.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("cleaner"), PolicyArn: aws.String(w.arn("policy", "reports"))}))
	foreign := strings.Replace(lambdaTrust, `]}`, `,{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::666600006666:root"},"Action":"sts:AssumeRole"}]}`, 1)
	w.role("open", foreign, "")
	w.must(w.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("open"), PolicyName: aws.String("own"), PolicyDocument: aws.String(athenaWide)}))
	w.behind(t, 0)
	w.recorded(map[string][][2]string{
		w.arn("role", "reports"): {{"athena.amazonaws.com", "StartQueryExecution"}, {"glue.amazonaws.com", "GetTable"}},
		w.arn("role", "cleaner"): {{"glue.amazonaws.com", "DeleteTable"}},
		w.arn("role", "open"):    {{"athena.amazonaws.com", "StartQueryExecution"}},
	})
	_, before := w.inForce("reports")
	trusted := w.trust("open")

	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	// Whoever began a session of "open" before keeps it, which is for a person to end.
	sessions := finding{"sessions", "iam-role-open-sessions", "review", "open"}
	for name, want := range map[string][]finding{
		"reports": {{"unused", "iam-policy-unused-permissions", "auto", "resolved"}},
		"open":    {{"account/666600006666", "iam-role-external-trust", "auto", "resolved"}, sessions, {"unused", "iam-role-unused-permissions", "auto", "resolved"}},
	} {
		if got := findingsOf(r, name); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	version, after := w.inForce("reports")
	const kept = `{"Version":"2012-10-17","Statement":[{"Sid":"Reports","Effect":"Allow","Action":["athena:StartQueryExecution","glue:GetTable","glue:DeleteTable"],"Resource":"*"}]}`
	if version != "v2" || after != kept {
		t.Errorf("in force: got %s %s, want v2 %s", version, after, kept)
	}
	if got := w.trust("open"); !document.SamePolicy(got, lambdaTrust) {
		t.Errorf("trust: got %s, want %s", got, lambdaTrust)
	}
	again := w.scan(exitNo, "--mode", "review", "--no-exemptions")
	if got, want := findingsOf(again, "open"), []finding{sessions}; openOf(again) != 1 || !slices.Equal(got, want) {
		t.Fatalf("the next look finds %v of %d open, want %v", got, openOf(again), want)
	}
	w.endSessions(again, "open")
	if out, _, _ := w.dera("report", "--candidates"); strings.Contains(out, "least privilege") {
		t.Errorf("candidates after the fix:\n%s", out)
	}
	w.rollBackAll()
	if version, got := w.inForce("reports"); version != "v1" || got != before {
		t.Errorf("after the rollback: got %s %s, want v1 %s", version, got, before)
	}
	if got := w.trust("open"); !document.SamePolicy(got, trusted) {
		t.Errorf("trust after the rollback: got %s, want %s", got, trusted)
	}
	out, _, _ := w.dera("report", "--candidates")
	if !strings.Contains(out, "least privilege") || !strings.Contains(out, "2 principals") {
		t.Errorf("candidates:\n%s", out)
	}
	if out, _, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("audit verify: got exit code %d\n%s", code, out)
	}
}

// TestMotoPermissions_given_back: what somebody gives back right after dera took it, which
// IAM keeps no date of, is for a person at once.
func TestMotoPermissions_given_back(t *testing.T) {
	w := newIAMWorld(t, "")
	w.role("open", lambdaTrust, "")
	wide := &iam.PutRolePolicyInput{RoleName: aws.String("open"), PolicyName: aws.String("own"), PolicyDocument: aws.String(athenaWide)}
	w.must(w.iam.PutRolePolicy(t.Context(), wide))
	w.behind(t, 0)
	w.recorded(map[string][][2]string{w.arn("role", "open"): {{"athena.amazonaws.com", "StartQueryExecution"}}})
	scan := []string{"--apply", "--mode", "enforce", "--no-exemptions"}
	if got, want := findingsOf(w.scan(exitGood, scan...), "open"), []finding{{"unused", "iam-role-unused-permissions", "auto", "resolved"}}; !slices.Equal(got, want) {
		t.Errorf("first: got %v, want %v", got, want)
	}
	w.must(w.iam.PutRolePolicy(t.Context(), wide))
	if got, want := findingsOf(w.scan(exitNo, scan...), "open"), []finding{{"unused", "iam-role-unused-permissions", "review", "open"}}; !slices.Equal(got, want) {
		t.Errorf("given back: got %v, want %v", got, want)
	}
}

// TestMotoPermissions_version_deleted: a rollback makes the old version again where
// somebody deleted it since.
func TestMotoPermissions_version_deleted(t *testing.T) {
	w := newIAMWorld(t, "")
	w.role("reports", lambdaTrust, athenaWide)
	w.behind(t, 0)
	w.recorded(map[string][][2]string{w.arn("role", "reports"): {{"athena.amazonaws.com", "StartQueryExecution"}}})
	w.scan(exitGood, "--apply", "--mode", "enforce", "--no-exemptions")
	w.must(w.iam.DeletePolicyVersion(t.Context(), &iam.DeletePolicyVersionInput{PolicyArn: aws.String(w.arn("policy", "reports")), VersionId: aws.String("v1")}))
	w.rollBackAll()
	if version, got := w.inForce("reports"); version == "v2" || !document.SamePolicy(got, athenaWide) {
		t.Errorf("after the rollback: got %s %s, want the wide policy in a new version", version, got)
	}
}

// TestMotoPermissions_without_record: where nothing is recorded nothing counts as
// unused, and an account that nobody declared is for a person.
func TestMotoPermissions_without_record(t *testing.T) {
	w := newIAMWorld(t, "")
	w.role("reports", lambdaTrust, athenaWide)
	w.role("open", strings.Replace(lambdaTrust, `]}`, `,{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::666600006666:root"},"Action":"sts:AssumeRole"}]}`, 1), "")
	w.behind(t, 0)
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	if got := findingsOf(r, "reports"); len(got) > 0 {
		t.Errorf("a role of which nothing is recorded: got %v, want no finding", got)
	}
	want := []finding{{"account/666600006666", "iam-role-external-trust", "review", "open"}}
	if got := findingsOf(r, "open"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
