package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/services/iam/trust"
)

// used makes a call with a session of a role, so that IAM knows its use.
func (w *iamWorld) used(name string) {
	w.t.Helper()
	at := iam.Options{Region: "us-east-1", BaseEndpoint: w.iam.Options().BaseEndpoint, Credentials: w.iam.Options().Credentials}
	out, err := sts.New(sts.Options{Region: at.Region, BaseEndpoint: at.BaseEndpoint, Credentials: at.Credentials}).
		AssumeRole(w.t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(w.arn("role", name)), RoleSessionName: aws.String("test")})
	if err != nil {
		w.t.Fatal(err)
	}
	c := out.Credentials
	at.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	w.must(iam.New(at).ListRoles(w.t.Context(), &iam.ListRolesInput{}))
}

// TestMotoUnusedRole: nobody may assume a role any more that IAM and the record saw no use
// of, once a person approved that; one that was used lately stays as it is, and so does one
// of which a call is recorded. A rollback puts back every byte.
func TestMotoUnusedRole(t *testing.T) {
	w := newIAMWorld(t, "")
	const config = "version: 1\nsettle: 10ms\ncontrols: [iam-role-unused, iam-role-unused-permissions, iam-role-external-trust]\npermissions: {quiet_hours: {off: true}}\n"
	if err := os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(lambdaTrust, `"Service":"lambda.amazonaws.com"`, `"AWS":"arn:aws:iam::`+w.creds.Account+`:root"`, 1)
	spaced := strings.ReplaceAll(own, `":`, `" : `)
	foreign := strings.Replace(own, `]}`, `,{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::666600006666:root"},"Action":"sts:AssumeRole"}]}`, 1)
	for name, text := range map[string]string{"idle": spaced, "open": foreign, "busy": own, "recorded": own} {
		w.role(name, text, "")
	}
	w.must(w.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("idle"), PolicyName: aws.String("own"), PolicyDocument: aws.String(athenaWide)}))
	w.behind(t, 0)
	w.role("young", own, "")
	w.used("busy")
	w.recorded(map[string][][2]string{w.arn("role", "recorded"): {{"athena.amazonaws.com", "StartQueryExecution"}}})
	trusted := w.trust("idle")

	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	unused := finding{"unused", "iam-role-unused", "review", "open"}
	for name, want := range map[string][]finding{
		"idle": {{"unused", "iam-role-unused-permissions", "auto", "resolved"}, unused}, "busy": nil, "young": nil,
		"recorded": {{"unknown", "iam-role-unused", "review", "unknown"}},
		"open":     {{"account/666600006666", "iam-role-external-trust", "auto", "resolved"}, unused}, // two findings on one part: one plan after the other
	} {
		if got := findingsOf(r, name); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	for _, f := range w.scan(exitNo, "--mode", "review", "--no-exemptions").Findings {
		if f.Resource.Name() != "idle" || f.Control != "iam-role-unused" {
			continue
		}
		if !slices.ContainsFunc(f.Reasons, func(r dera.Reason) bool {
			return r.Guardrail == "usage-record" && strings.Contains(r.Why, "AWS itself tells")
		}) {
			t.Errorf("the guardrails do not know that the plan stops the role: %+v", f.Reasons)
		}
		if out, errOut, code := w.dera("approve", f.Plan.Remediation, "--digest", f.Plan.Digest, "--mode", "review", "--no-exemptions"); code != exitGood {
			t.Fatalf("approve: got exit code %d\n%s%s", code, out, errOut)
		}
	}
	want := strings.Replace(trusted, `]}`, `,{"Sid":"DeniedAsUnused","Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}`, 1)
	got := w.trust("idle")
	doc, err := policy.Parse(got)
	if err != nil || got != want || !trust.Closed(doc) {
		t.Errorf("trust: got %s, %v, want %s, by which nobody may assume the role", got, err, want)
	}
	again := w.scan(exitNo, "--mode", "review", "--no-exemptions")
	if idle, open := findingsOf(again, "idle"), findingsOf(again, "open"); len(idle) > 0 || !slices.Equal(open, []finding{unused}) {
		t.Errorf("then: got %v and %v, want nothing and %v", idle, open, unused)
	}
	for _, f := range again.Findings {
		if f.Resource.Name() == "open" && (f.Plan == nil || strings.Contains(strings.Join(f.Plan.Diff, ""), "666600006666")) {
			t.Errorf("open: got plan %+v, want one that closes the role without the account", f.Plan)
		}
	}
	rolled := w.inEffect()
	w.rollBackAll()
	if len(rolled) != 3 {
		t.Errorf("got %d fixes in effect, want that of an account, of unused permissions and of the unused role", len(rolled))
	}
	if got := w.trust("idle"); got != trusted {
		t.Errorf("after the rollback: got %s, want %s", got, trusted)
	}
	if out, _, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("audit verify: got exit code %d\n%s", code, out)
	}
}
