package main

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"dera.example/dera"
	"dera.example/dera/resource/document"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
	ledger "dera.example/dera/usage"
)

// TestMotoStaged: what nobody used is denied first, in an inline policy and in a managed one; a
// rollback lifts that; when the days are over, or are not asked for any more, it goes out of the policy.
func TestMotoStaged(t *testing.T) {
	w := newIAMWorld(t, "permissions: graduation_days: 14")
	w.role("reports", lambdaTrust, athenaWide)
	w.role("open", lambdaTrust, "")
	w.must(w.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("open"), PolicyName: aws.String("own"), PolicyDocument: aws.String(athenaWide)}))
	w.behind(t, 0)
	used := [][2]string{{"athena.amazonaws.com", "StartQueryExecution"}, {"glue.amazonaws.com", "GetTable"}, {"glue.amazonaws.com", "DeleteTable"}}
	w.recorded(map[string][][2]string{w.arn("role", "reports"): used, w.arn("role", "open"): used})
	inline := func() string {
		t.Helper()
		out, err := w.iam.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String("open"), PolicyName: aws.String("own")})
		if err != nil {
			t.Fatal(err)
		}
		return unescaped(t, *out.PolicyDocument)
	}
	scan := []string{"--apply", "--mode", "enforce", "--no-exemptions"}
	r := w.scan(exitGood, scan...)
	for name, control := range map[string]string{"reports": "iam-policy-unused-permissions", "open": "iam-role-unused-permissions"} {
		if got, want := findingsOf(r, name), []finding{{"unused", control, "auto", "resolved"}}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	version, managed := w.inForce("reports")
	for name, text := range map[string]string{"reports": managed, "open": inline()} {
		if !strings.HasPrefix(text, strings.TrimSuffix(athenaWide, "]}")) || !strings.Contains(text, `"Sid":"DeraStaged","Effect":"Deny","Action":["athena:ListWorkGroups","sns:DeleteTopic"]`) || version != "v2" {
			t.Errorf("%s: got %s, want it as it was with a denial at its end", name, text)
		}
	}
	if again := w.scan(exitGood, scan...); openOf(again) != 0 {
		t.Errorf("the next look finds %d open, want none while it is denied", openOf(again))
	}
	if out, _, _ := w.dera("show", r.Findings[0].ID); !strings.Contains(out, "until then everything is allowed that is allowed at last") {
		t.Errorf("show says nothing of the stage:\n%s", out)
	}
	for _, f := range r.Findings {
		if strings.Contains(string(f.Resource), "role/open") {
			if out, errOut, code := w.dera("rollback", f.Plan.Remediation, "--reason", "it is needed"); code != exitGood {
				t.Fatalf("rollback: got exit code %d\n%s%s", code, out, errOut)
			}
		}
	}
	if got := inline(); got != athenaWide {
		t.Errorf("after the rollback: got %s, want what there was", got)
	}

	w.configure(t, "")
	r = w.scan(exitNo, scan...)
	if got, want := findingsOf(r, "reports"), []finding{{"unused/staged", "iam-policy-unused-permissions", "auto", "resolved"}}; !slices.Equal(got, want) {
		t.Errorf("without stages: got %v, want %v", got, want)
	}
	const kept = `{"Version":"2012-10-17","Statement":[{"Sid":"Reports","Effect":"Allow","Action":["athena:StartQueryExecution","glue:GetTable","glue:DeleteTable"],"Resource":"*"}]}`
	if _, text := w.inForce("reports"); !document.SamePolicy(text, kept) {
		t.Errorf("at last: got %s, want %s", text, kept)
	}
	if out, _, code := w.dera("audit", "verify"); code != exitGood {
		t.Errorf("audit verify: got exit code %d\n%s", code, out)
	}
}

func unescaped(t *testing.T, text string) string {
	t.Helper()
	out, err := url.PathUnescape(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOwnStages: since when something is staged is known of what dera does and did, and what it
// denied that is in use; not of what was taken back, or takes the stage away.
func TestOwnStages(t *testing.T) {
	t.Parallel()
	const staged, bare = `{"Sid":"DeraStaged"}`, `{}`
	for name, tc := range map[string]struct {
		state         dera.State
		before, after string
		cause         dera.DenialCause // of a denial; "" is none
		known         bool
		missed        bool
		made, days    int // days before it was carried out, and for which denials are looked for
		since         int // days since it was carried out
	}{
		"done":         {dera.Resolved, bare, staged, "", true, false, 0, 14, 20},
		"under_way":    {dera.Verifying, bare, staged, "", true, false, 0, 14, 20},
		"more_of_it":   {dera.Resolved, staged, staged, "", true, false, 0, 14, 20},
		"missed":       {dera.Resolved, bare, staged, dera.CauseRemoved, true, true, 0, 14, 20},
		"maybe_missed": {dera.Resolved, bare, staged, dera.CauseUnknown, true, true, 0, 14, 20},
		"by_another":   {dera.Resolved, bare, staged, dera.CauseOther, true, false, 0, 14, 20},
		"taken_back":   {dera.RolledBack, bare, staged, "", false, false, 0, 14, 20},
		"taken_away":   {dera.Resolved, staged, bare, "", false, false, 0, 14, 20},
		"waited":       {dera.Resolved, bare, staged, "", true, false, 25, 14, 20},
		"long_ago":     {dera.Resolved, bare, staged, dera.CauseRemoved, true, true, 40, 365, 300},
		"unwatched":    {dera.Resolved, bare, staged, "", true, true, 0, 0, 20},
		"watch_ended":  {dera.Resolved, bare, staged, "", true, true, 0, 14, 63},
		"long_watch":   {dera.Resolved, bare, staged, "", true, false, 0, 90, 63},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := storetest.NewClock()
			began := clock.Now().AddDate(0, 0, -tc.since)
			s := storetest.Open(t, storetest.SQLite(t), clock)
			r := storetest.Remediation("r-1", "app", began.AddDate(0, 0, -tc.made))
			r.Principals = []string{"arn:aws:iam::111122223333:role/app"}
			r.State, r.Plan.Changes = tc.state, []dera.Change{{Operation: "iam:PutRolePolicy", Before: []byte(tc.before), After: []byte(tc.after)}}
			r.Steps = []dera.Step{{State: dera.Applying, At: began}, {State: dera.Verifying, At: began.Add(time.Minute)}, {State: dera.Resolved, At: began.Add(time.Hour)}}
			if err := s.Commit(t.Context(), store.Batch{Remediations: []dera.Remediation{r}}); err != nil {
				t.Fatal(err)
			}
			if tc.cause != "" {
				d := storetest.Denial(r.ID, "event", clock.Now())
				d.Cause = tc.cause
				if err := s.CommitUsage(t.Context(), ledger.Batch{Runs: map[int][]byte{0: []byte("run")}, Denials: []ledger.Denied{{Denial: d, Record: storetest.Record(d.Text(), clock.Now())}}}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := ownStages{s, clock.Now, tc.days}.Staged(t.Context(), dera.Scope{Partition: r.Plan.Partition, Account: r.Plan.Account, Region: r.Plan.Region, Type: r.Plan.Type})
			st, ok := got[r.Plan.Resource]
			if err != nil || ok != tc.known || ok && !st.At.Equal(began.Add(time.Minute)) || (st.Missed != "") != tc.missed || ok && !slices.Equal(st.From, r.Principals) {
				t.Errorf("got %+v, %v, want it known %t since %s, missed %t", got, err, tc.known, began.Add(time.Minute), tc.missed)
			}
		})
	}
}
