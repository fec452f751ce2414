package main

import (
	"net/url"
	"slices"
	"strings"

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
