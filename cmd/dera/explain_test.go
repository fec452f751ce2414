package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/evaluate"
)

var update = flag.Bool("update", false, "write the expected output to testdata")

// golden compares with testdata/NAME, and writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(got), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant (%s)\n%s", got, path, want)
	}
}

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// sampleFinding is one that a person waits for.
func sampleFinding() dera.Finding {
	return dera.Finding{
		ID: "f-00112233445566778899", Control: "ec2-securitygroup-admin-ports-open", Partition: "aws", Account: "111122223333", Region: "us-east-1",
		Resource: "arn:aws:ec2:us-east-1:111122223333:security-group/sg-0a1b2c3d", ResourceType: "AWS::EC2::SecurityGroup", ResourceName: "checkout", Key: "tcp/22",
		Severity: dera.Critical, Title: "Security group allows SSH from the internet", Why: "Rule “tcp 22 from 0.0.0.0/0” allows SSH from the entire IPv4 internet.",
		Start: dera.Auto, Disposition: dera.Review, State: dera.FindingOpen, FirstSeen: noon.Add(-time.Hour), LastSeen: noon,
		Owner: "payments@example.com", OwnerSource: "tag", LastActor: "arn:aws:sts::111122223333:assumed-role/Developer/ann",
		Reasons: []dera.Reason{
			{Guardrail: "control", Disposition: dera.Auto, Why: "Rule “tcp 22 from 0.0.0.0/0” allows SSH from the entire IPv4 internet."},
			{Guardrail: "exemption", Disposition: dera.Auto, Why: "no exemption matches"},
			{Guardrail: "window", Disposition: dera.Review, Why: `changes are frozen by "black friday", until 2026-12-01 00:00 America/New_York`, Ref: "black friday"},
			{Guardrail: "compliance", Disposition: dera.Review, Why: `it is in the compliance scope "pci", where people decide on changes`, Ref: "pci"},
		},
		Remediation: "r-99887766554433221100",
	}
}

func sampleRemediation(state dera.State) *dera.Remediation {
	f := sampleFinding()
	return &dera.Remediation{
		ID: f.Remediation, Control: f.Control, Findings: []string{f.ID}, Severity: f.Severity, State: state, Digest: strings.Repeat("ab", 32),
		Decision: dera.Decision{Disposition: dera.Review, Mode: dera.Enforce, Reasons: f.Reasons}, Trigger: "sqs",
		Plan:  dera.Plan{Account: f.Account, Region: f.Region, Resource: f.Resource, Control: f.Control, Changes: []dera.Change{{Operation: "ec2:RevokeSecurityGroupIngress", Diff: []string{"- tcp 22 from 0.0.0.0/0"}}}},
		Steps: []dera.Step{{State: state, At: noon, Why: "as in the test"}}, Expires: noon.Add(72 * time.Hour), CreatedAt: noon,
		Interfaces: []string{"eni-01 (198.51.100.7)"}, Notes: []string{"Established connections stay open until they end; to drop them now, use a network ACL."},
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(f *dera.Finding)
		state  dera.State // of the remediation; none if empty
	}{
		{name: "waiting", state: dera.Waiting},
		{name: "code", state: dera.Waiting, change: func(f *dera.Finding) {
			f.Reasons = []dera.Reason{{Guardrail: "infrastructure-as-code", Disposition: dera.Review, Ref: "terraform", Why: `Terraform owns it, as its tag "terraform" says: its next run would bring it back, so the change belongs into the code`}}
		}},
		{name: "exempt", change: func(f *dera.Finding) {
			f.Disposition, f.OwnerSource, f.Owner = dera.Exempt, "", ""
			f.Reasons = []dera.Reason{{Guardrail: "exemption", Disposition: dera.Exempt, Why: "exempt until 2027-02-23: Partner uploads (TICKET-42) (owner data@example.com)"}}
		}},
		{name: "fixed", state: dera.Resolved, change: func(f *dera.Finding) { f.State, f.ResolvedAt = dera.FindingResolved, &noon }},
		{name: "no_plan", change: func(f *dera.Finding) {
			f.Owner, f.OwnerSource = f.LastActor, "actor"
			f.Reasons = []dera.Reason{{Guardrail: "reversible", Disposition: dera.Review, Why: "there is no plan: all-traffic: the rule allows all traffic"}}
		}},
	}
	for _, tt := range tests {
		for _, width := range []int{80, 160, 0} {
			t.Run(fmt.Sprintf("%s_%d", tt.name, width), func(t *testing.T) {
				t.Parallel()
				f := sampleFinding()
				if tt.change != nil {
					tt.change(&f)
				}
				v := app.Shown{Finding: &f}
				if tt.state != "" {
					v.Remediation = sampleRemediation(tt.state)
					if lang, ok := evaluate.CodeLanguage(dera.Decision{Reasons: f.Reasons}); ok {
						v.Remediation.Code = &dera.CodeDiff{Language: lang, Lines: []string{"--- sg-0a1b2c3d as it is", `-resource "aws_vpc_security_group_ingress_rule" "sgr_1" {`, "-}"}}
					}
				}
				e := app.Explain(f, v.Remediation, noon)
				v.Explanation = &e
				var out bytes.Buffer
				a := &cli{out: &out, now: func() time.Time { return noon }}
				if err := a.printShown(v, width); err != nil {
					t.Fatal(err)
				}
				if strings.Contains(out.String(), "\x1b") {
					t.Errorf("there is colour in what is not a terminal")
				}
				golden(t, fmt.Sprintf("explain/%s.%d.golden", tt.name, width), out.String())
			})
		}
	}
}

// TestEveryStateIsExplained: whatever the state, there is a sentence, and no
// state that is over offers an approval.
func TestEveryStateIsExplained(t *testing.T) {
	t.Parallel()
	for _, s := range []dera.State{
		dera.Waiting, dera.Ready, dera.Applying, dera.Verifying, dera.Undoing, dera.Observed, dera.Planned, dera.Resolved, dera.Collateral, dera.Failed,
		dera.RolledBack, dera.UndoFailed, dera.Rejected, dera.Expired, dera.Superseded,
	} {
		e := app.Explain(sampleFinding(), sampleRemediation(s), noon)
		if e.Does == "" || e.Does == "Nothing." {
			t.Errorf("%s: got %q, want a sentence", s, e.Does)
		}
		approve := false
		for _, w := range e.Can {
			approve = approve || strings.HasPrefix(w.Command, "dera approve")
		}
		if again := slices.ContainsFunc(e.Can, func(w app.Way) bool { return w.Command == "dera remediate "+sampleFinding().ID }); again != (s == dera.Expired) {
			t.Errorf("%s: offers to ask again: got %t", s, again)
		}
		if approve != (s == dera.Waiting) {
			t.Errorf("%s: offers an approval: got %t", s, approve)
		}
	}
}

// TestExemptionEntryIsWhatItSays: the entry is refused as it is, and once its
// blanks are filled it exempts this finding and no other.
func TestExemptionEntryIsWhatItSays(t *testing.T) {
	t.Parallel()
	f := sampleFinding()
	text := "version: 1\nexemptions:\n" + strings.Join(app.ExemptionEntry(f, noon), "\n") + "\n"
	cfg := evaluate.ExemptionConfig{Now: noon, Controls: controlIDs()}
	if _, err := cfg.Parse("list.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "reason is blank") {
		t.Errorf("with a blank reason: got %v, want it refused", err)
	}
	list, err := cfg.Parse("list.yaml", []byte(strings.Replace(text, `reason: ""`, `reason: "vendor, TICKET-1"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if x, byTag := list.Match(f, dera.Account{}, nil, noon); x == nil || byTag || x.Owner != f.Owner || !x.Expires.After(noon.AddDate(0, 0, app.ExemptionDays-1)) {
		t.Errorf("filled in: got %+v, %t, want it to cover the finding for %d days", x, byTag, app.ExemptionDays)
	}
	for name, change := range map[string]func(*dera.Finding){
		"key": func(f *dera.Finding) { f.Key = "tcp/3389" }, "account": func(f *dera.Finding) { f.Account = "444455556666" },
		"resource": func(f *dera.Finding) { f.Resource += "0" }, "control": func(f *dera.Finding) { f.Control = "other" },
	} {
		other := f
		change(&other)
		if x, _ := list.Match(other, dera.Account{}, nil, noon); x != nil {
			t.Errorf("another %s is exempt too", name)
		}
	}
	f.Owner, f.OwnerSource = "arn:aws:iam::111122223333:user/eve", "actor"
	if entry := strings.Join(app.ExemptionEntry(f, noon), "\n"); strings.Contains(entry, "eve") || !strings.Contains(entry, `owner: ""`) {
		t.Errorf("who changed it last is not its owner: got\n%s", entry)
	}
}
