package control_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/control"
)

// TestCustomFixIsProposedForReview: what was automatic is not any more; an alert is for
// review where the control has no fix of its own, and stays an alert where it has one.
func TestCustomFixIsProposedForReview(t *testing.T) {
	t.Parallel()
	plan := func(*int, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) { return nil, nil }
	for _, tt := range []struct {
		name    string
		own     bool
		account string
		start   dera.Disposition
		want    dera.Disposition
	}{
		{"auto", true, "", dera.Auto, dera.Review},
		{"review", true, "", dera.Review, dera.Review},
		{"alert_of_one_with_a_fix", true, "", dera.Alert, dera.Alert},
		{"alert_only", false, "", dera.Alert, dera.Review},
		{"another_account", true, "4444*", dera.Auto, dera.Auto},
		{"this_account", true, "1111*", dera.Auto, dera.Review},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			spec := control.Spec[*int]{Check: func(*int, control.Settings) control.Result {
				return control.Result{Outcome: control.Fail, Failures: []control.Failure{{Key: "k", Start: tt.start}}}
			}}
			if tt.own {
				spec.Plan = plan
			}
			c := control.Define(spec).WithCustom(control.CustomFix{Account: tt.account, Run: control.CustomRun{Document: "D"}})
			got, err := c.Check(dera.Resource{Account: "111122223333", Config: new(int)}, control.Settings{})
			if err != nil || got.Failures[0].Start != tt.want {
				t.Errorf("got %+v, %v, want %s", got.Failures, err, tt.want)
			}
		})
	}
}

// TestCustomFillsIn: placeholders are filled in once, from the finding, and the role is one
// of its account.
func TestCustomFillsIn(t *testing.T) {
	t.Parallel()
	r := dera.Resource{Partition: "aws", Account: "111122223333", Region: "eu-west-1", ARN: "arn:aws:x:eu-west-1:111122223333:thing/{account}", ID: "{account}"}
	run := control.CustomRun{Document: "D", Role: "ops/fix", Timeout: time.Minute, Parameters: map[string][]string{"A": {"{resource_id} {resource_arn}", "{account}-{region}-{partition}"}, "B": {"as it is"}}}
	c := control.Define(control.Spec[*int]{}).WithCustom(
		control.CustomFix{Run: control.CustomRun{Document: "First"}}, control.CustomFix{Run: run, Undo: &control.CustomRun{Function: "f", Version: "7"}}, control.CustomFix{Account: "4444*", Run: control.CustomRun{Document: "Last"}})
	got, ok := c.Custom(r)
	want := dera.CustomInput{Document: "D", Role: "arn:aws:iam::111122223333:role/ops/fix", Seconds: 60, Undo: &dera.CustomInput{Function: "f", Version: "7"},
		Parameters: map[string][]string{"A": {"{account} arn:aws:x:eu-west-1:111122223333:thing/{account}", "111122223333-eu-west-1-aws"}, "B": {"as it is"}}}
	if d := cmp.Diff(want, got); d != "" || !ok {
		t.Errorf("%t (-want +got):\n%s", ok, d)
	}
}
