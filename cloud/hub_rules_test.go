package cloud_test

import (
	"slices"
	"strings"
	"testing"

	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
)

// TestHub: who administers Security Hub, and which of its automation rules take findings out of
// sight, by answers of AWS's model.
func TestHub(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	off := moto.Answer{Error: "InvalidAccessException", Message: "Account 111122223333 is not subscribed to AWS Security Hub", Status: 401}
	denied := moto.Answer{Error: "AccessDeniedException", Status: 403}
	at := func(w *moto.StubWorld) *cloud.Client { return cloudtest.At(t, wires(), w.URL(), w.AccessKeyID, nil) }
	for name, tc := range map[string]struct {
		says moto.Answer
		want string
		err  string
	}{
		"member":    {moto.Answer{Output: map[string]any{"Administrator": map[string]any{"AccountId": "999988887777", "MemberStatus": "Enabled"}}}, "999988887777", ""},
		"alone":     {moto.Answer{Output: map[string]any{}}, "", ""},
		"off":       {off, "", ""},
		"denied":    {denied, "", "securityhub:GetAdministratorAccount"},
		"no_access": {moto.Answer{Error: "InvalidAccessException", Message: "The account does not have permission to perform this action", Status: 401}, "", "InvalidAccessException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			w.On("securityhub", "GetAdministratorAccount", tc.says)
			c := at(w)
			for range 2 {
				got, err := c.HubAdministrator(t.Context(), cloudtest.Hub, cloudtest.East)
				if got != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
					t.Errorf("got %q, %v, want %q, %q", got, err, tc.want, tc.err)
				}
			}
			if n := len(w.Calls("GetAdministratorAccount")); tc.err == "" && n != 1 {
				t.Errorf("got %d calls, want one", n)
			}
			w.On("config", "DescribeConfigRules", denied)
			w.On("ec2", "DescribeRegions", denied)
			tried := at(w).TryReads(t.Context(), cloudtest.Hub, cloudtest.East, []string{"securityhub:GetAdministratorAccount"})
			want := map[bool]cloud.Tried{true: cloud.Allowed, false: cloud.Refused}[tc.err == ""]
			if name == "no_access" {
				want = cloud.Unclear
			}
			if len(tried) != 1 || tried[0].Tried != want {
				t.Errorf("tried: got %+v, want %s", tried, want)
			}
		})
	}
	t.Run("rules", func(t *testing.T) {
		t.Parallel()
		w := stub.World(t)
		const arn = "arn:aws:securityhub:us-east-1:111122223333:automation-rule/"
		w.On("securityhub", "ListAutomationRules",
			moto.Answer{When: map[string]any{"NextToken": "n 2"}, Output: map[string]any{"AutomationRulesMetadata": []any{map[string]any{"RuleArn": arn + "b", "RuleStatus": "ENABLED"}}}},
			moto.Answer{Output: map[string]any{"NextToken": "n 2", "AutomationRulesMetadata": []any{map[string]any{"RuleArn": arn + "a", "RuleStatus": "ENABLED"}, map[string]any{"RuleArn": arn + "c", "RuleStatus": "DISABLED"}}}})
		does := func(id, name string, fields map[string]any) map[string]any {
			return map[string]any{"RuleArn": arn + id, "RuleName": name, "RuleStatus": "ENABLED", "Actions": []any{map[string]any{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": fields}}}
		}
		w.On("securityhub", "BatchGetAutomationRules", moto.Answer{Output: map[string]any{"Rules": []any{
			does("a", "hide dev", map[string]any{"Workflow": map[string]any{"Status": "SUPPRESSED"}}),
			does("b", "raise", map[string]any{"Severity": map[string]any{"Label": "CRITICAL"}}),
		}}})
		got, err := at(w).HubRules(t.Context(), cloudtest.Hub, cloudtest.East)
		if want := []cloud.HubRule{{Name: "hide dev", Workflow: "SUPPRESSED"}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		w.On("securityhub", "BatchGetAutomationRules", moto.Answer{Output: map[string]any{"Rules": []any{}}})
		if got, err := at(w).HubRules(t.Context(), cloudtest.Hub, cloudtest.East); err == nil {
			t.Errorf("rules left out: got %+v, want an error", got)
		}
		w.On("securityhub", "ListAutomationRules", off)
		if got, err := at(w).HubRules(t.Context(), cloudtest.Hub, cloudtest.East); err != nil || got != nil {
			t.Errorf("off: got %+v, %v, want none", got, err)
		}
		w.On("securityhub", "ListAutomationRules", denied)
		if _, err := at(w).HubRules(t.Context(), cloudtest.Hub, cloudtest.East); !cloud.Is(err, cloud.Denied) || !strings.Contains(err.Error(), "securityhub:ListAutomationRules") {
			t.Errorf("denied: got %v, want it named", err)
		}
	})
}
