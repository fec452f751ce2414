package role_test

import (
	"encoding/json"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/role"
)

// TestAccess_notItsOwn: what a role would not have, had dera taken nothing, is not given back to
// it: it is another one of the same name, or somebody detached the policy.
func TestAccess_notItsOwn(t *testing.T) {
	t.Parallel()
	took := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	const wide, narrow = stagedStart + `"sqs:DeleteQueue","sns:DeleteTopic"` + stagedEnd + `]}`, stagedStart + `"sqs:DeleteQueue"` + stagedEnd + `]}`
	shared := iam.Attached{ARN: "arn:aws:iam::111122223333:policy/team/shared", Document: narrow}
	for name, tc := range map[string]struct {
		operation, policy string
		created           time.Time
		attached          []iam.Attached
		refused           string
	}{
		"its_own":           {"iam:PutRolePolicy", "own", took.AddDate(-1, 0, 0), nil, ""},
		"made_again":        {"iam:PutRolePolicy", "own", took.Add(time.Hour), nil, "not-its-own"},
		"still_attached":    {iam.SetDefaultVersion, "team/shared", took.AddDate(-1, 0, 0), []iam.Attached{shared}, ""},
		"detached":          {iam.SetDefaultVersion, "team/shared", took.AddDate(-1, 0, 0), nil, "not-its-own"},
		"another_one":       {iam.SetDefaultVersion, "shared", took.AddDate(-1, 0, 0), []iam.Attached{shared}, "not-its-own"},
		"attached_and_made": {iam.SetDefaultVersion, "team/shared", took.Add(time.Hour), []iam.Attached{shared}, "not-its-own"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			input, err := json.Marshal(map[string]string{"name": "app", "policy": tc.policy, "document": narrow, "expect": wide})
			if err != nil {
				t.Fatal(err)
			}
			r := stagedRole(narrow)
			r.Created, r.Attached = tc.created, tc.attached
			r.Access = []resource.Asked{{
				Access: dera.Access{ID: "a-1", Principal: "arn:aws:iam::111122223333:role/app", Name: "app", Actions: []string{"sns:DeleteTopic"}, Took: []string{"r-1"}, Reason: "it is needed"},
				State:  dera.AccessAsked,
				Plans:  []resource.TookBy{{Remediation: "r-1", At: took, Changes: []dera.Change{{Operation: tc.operation, Version: 1, Input: input}}}},
			}}
			res, c := dera.Resource{ARN: iam.RoleKind.ARN("aws", r.Account, "/", r.Name), Type: role.Name, ID: r.Name, Config: r}, role.Access()
			found, err := c.Check(res, control.Settings{})
			if err != nil || len(found.Failures) != 1 {
				t.Fatalf("got %+v, %v, want what was asked for", found, err)
			}
			plan, refusal, err := c.Plan(res, found.Failures, control.Settings{})
			got := ""
			if refusal != nil {
				got = refusal.Code
			}
			if err != nil || got != tc.refused || got == "" && len(plan.Changes) != 1 {
				t.Errorf("got %v, %+v, %v, want it refused as %q", plan.Diff(), refusal, err, tc.refused)
			}
		})
	}
}
