package app_test

import (
	"fmt"
	"testing"

	"dera.example/dera"
	"dera.example/dera/app"
)

// shaped is a plan on the group with a number, and its finding.
func shaped(i int) (dera.Remediation, []dera.Finding) {
	account, name := fmt.Sprintf("30000000000%d", i), fmt.Sprintf("sg-%d%d%d%d", i, i, i, i)
	arn := dera.ARN("arn:aws:ec2:us-east-1:" + account + ":security-group/" + name)
	r := dera.Remediation{Control: "c", Severity: dera.High, State: dera.Waiting, Plan: dera.Plan{
		Account: account, Region: "us-east-1", Resource: arn, Type: "AWS::EC2::SecurityGroup",
		Changes: []dera.Change{{Operation: "ec2:RevokeSecurityGroupIngress", Version: 1, Undo: &dera.Undo{}, Input: fmt.Appendf(nil, `{"group":%q,"rules":["sgr-0a1b2c3d4e5f6071%d"]}`, name, i), Diff: []string{"- tcp 22 from 0.0.0.0/0 to " + name}}},
	}}
	f := dera.Finding{Resource: arn, Reasons: []dera.Reason{
		{Guardrail: "mode", Disposition: dera.Auto, Why: fmt.Sprint("for it ", i)}, {Guardrail: "bastion", Disposition: dera.Review, Why: name + " looks like a bastion"},
	}}
	return r, []dera.Finding{f}
}

// TestShape: the same change for the same reasons has the same shape on every resource, and whatever a
// person would have to read again has another.
func TestShape(t *testing.T) {
	t.Parallel()
	want := app.Shape(shaped(1))
	if got := app.Shape(shaped(2)); got != want {
		t.Error("another resource has another shape")
	}
	for name, change := range map[string]func(*dera.Remediation, *dera.Finding){
		"control":   func(r *dera.Remediation, _ *dera.Finding) { r.Control = "d" },
		"severity":  func(r *dera.Remediation, _ *dera.Finding) { r.Severity = dera.Critical },
		"type":      func(r *dera.Remediation, _ *dera.Finding) { r.Plan.Type = "x" },
		"operation": func(r *dera.Remediation, _ *dera.Finding) { r.Plan.Changes[0].Operation = "ec2:DeleteSecurityGroup" },
		"diff": func(r *dera.Remediation, _ *dera.Finding) {
			r.Plan.Changes[0].Diff = []string{"- tcp 23 from 0.0.0.0/0"}
		},
		"more": func(r *dera.Remediation, _ *dera.Finding) { r.Plan.Changes = append(r.Plan.Changes, r.Plan.Changes[0]) },
		"input": func(r *dera.Remediation, _ *dera.Finding) {
			r.Plan.Changes[0].Input = []byte(`{"rules":["sgr-0a1b2c3d4e5f60718","sgr-0a1b2c3d4e5f60719"]}`)
		},
		"before": func(r *dera.Remediation, _ *dera.Finding) { r.Plan.Changes[0].Before = []byte(`{"condition":"mfa"}`) },
		"after":  func(r *dera.Remediation, _ *dera.Finding) { r.Plan.Changes[0].After = []byte(`{"condition":"mfa"}`) },
		"undo_of": func(r *dera.Remediation, _ *dera.Finding) {
			r.Plan.Changes[0].Undo.Operation = "ec2:AuthorizeSecurityGroupIngress"
		},
		"undo":      func(r *dera.Remediation, _ *dera.Finding) { r.Plan.Changes[0].Undo = nil },
		"optional":  func(r *dera.Remediation, _ *dera.Finding) { r.Plan.Changes[0].Optional = true },
		"note":      func(r *dera.Remediation, _ *dera.Finding) { r.Notes = []string{"it is used by two others"} },
		"reason":    func(_ *dera.Remediation, f *dera.Finding) { f.Reasons[1].Why = "it carried traffic yesterday" },
		"guardrail": func(_ *dera.Remediation, f *dera.Finding) { f.Reasons[1].Guardrail = "usage" },
		"joined":    func(r *dera.Remediation, _ *dera.Finding) { r.Control, r.Plan.Type = "cAWS::EC2::", "SecurityGroup" },
	} {
		r, f := shaped(2)
		change(&r, &f[0])
		if app.Shape(r, f) == want {
			t.Errorf("another %s has the same shape", name)
		}
	}
}
