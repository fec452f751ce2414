package main

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera/app"
)

// endSessions approves the plan that ends the sessions of a role, and holds that the role
// has the denial and nothing else that is new.
func (w *iamWorld) endSessions(r app.ScanReport, name string) {
	w.t.Helper()
	for _, f := range r.Findings {
		if f.Key != "sessions" {
			continue
		}
		if out, errOut, code := w.dera("approve", f.Plan.Remediation, "--digest", f.Plan.Digest, "--mode", "review", "--no-exemptions"); code != exitGood {
			w.t.Fatalf("approve: got exit code %d\n%s%s", code, out, errOut)
		}
	}
	list, err := w.iam.ListRolePolicies(w.t.Context(), &iam.ListRolePoliciesInput{RoleName: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(list.PolicyNames, func(n string) bool { return strings.HasPrefix(n, "sessions-before-") })
	if i < 0 || len(list.PolicyNames) != 2 {
		w.t.Fatalf("inline policies: got %q, want one that ends sessions beside its own", list.PolicyNames)
	}
	got, err := w.iam.GetRolePolicy(w.t.Context(), &iam.GetRolePolicyInput{RoleName: &name, PolicyName: &list.PolicyNames[i]})
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := url.PathUnescape(*got.PolicyDocument)
	if err != nil || !strings.Contains(text, `"Deny"`) || !strings.Contains(text, "aws:TokenIssueTime") {
		w.t.Errorf("got %s, %v", text, err)
	}
	if after := w.scan(exitGood, "--mode", "observe", "--no-exemptions"); openOf(after) != 0 {
		w.t.Errorf("then: got %+v, want nothing open", after.Findings)
	}
}

// TestMotoSessions_trusted_again: once the trust policy is back as it was, the plan that
// ends sessions is about nothing, and an approval of it writes nothing.
func TestMotoSessions_trusted_again(t *testing.T) {
	w := newIAMWorld(t, "")
	foreign := strings.Replace(lambdaTrust, `]}`, `,{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::666600006666:root"},"Action":"sts:AssumeRole"}]}`, 1)
	w.role("open", foreign, "")
	w.behind(t, 0)
	w.recorded(map[string][][2]string{w.arn("role", "open"): {{"athena.amazonaws.com", "StartQueryExecution"}}})
	r := w.scan(exitNo, "--apply", "--mode", "enforce", "--no-exemptions")
	var trust, sessions app.FindingView
	for _, f := range r.Findings {
		if f.Key == "sessions" {
			sessions = f
		} else {
			trust = f
		}
	}
	if out, errOut, code := w.dera("rollback", trust.Plan.Remediation, "--reason", "test"); code != exitGood {
		t.Fatalf("rollback: got exit code %d\n%s%s", code, out, errOut)
	}
	out, errOut, code := w.dera("approve", sessions.Plan.Remediation, "--digest", sessions.Plan.Digest, "--mode", "review", "--no-exemptions")
	if code != exitNo || !strings.Contains(errOut, "superseded") {
		t.Errorf("approve: got exit code %d\n%s%s", code, out, errOut)
	}
	list, err := w.iam.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: aws.String("open")})
	if err != nil || len(list.PolicyNames) > 0 {
		t.Errorf("got %v, %v, want no denial", list, err)
	}
}
