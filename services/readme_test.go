package services_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/controltest"
	"dera.example/dera/services"
)

// areas are the rows of the README's table, and the services in them as CloudFormation
// names them.
func areas() [][]string {
	return [][]string{
		{"Network and compute", "EC2", "AutoScaling"},
		{"Data", "S3", "RDS", "DynamoDB", "EFS", "Glacier", "Backup"},
		{"Identity", "IAM", "RolesAnywhere"},
		{"Keys and secrets", "KMS", "SecretsManager"},
		{"Messages, code and images", "SQS", "SNS", "Events", "Lambda", "ECR", "SSM"},
		{"The watchers themselves", "CloudTrail", "Config", "GuardDuty", "SecurityHub", "AccessAnalyzer", "Macie", "InspectorV2", "Logs", "Organizations"},
	}
}

// byArea is the README's table: how many controls of an area do what at most, and the
// gravest of them, linked to their pages.
func byArea(t *testing.T, list []control.Control) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| area | fixes it | asks first | reports it |\n|---|---|---|---|\n")
	placed := 0
	for _, area := range areas() {
		fmt.Fprintf(&b, "| %s (%s) |", area[0], strings.Join(area[1:], ", "))
		for _, d := range []dera.Disposition{dera.Auto, dera.Review, dera.Alert} {
			var of []control.Control
			for _, c := range list {
				most := dera.Exempt
				for _, x := range c.Cases {
					most = min(most, x.Disposition)
				}
				if slices.Contains(area[1:], strings.Split(c.Type, "::")[1]) && most == d {
					of = append(of, c)
				}
			}
			placed += len(of)
			slices.SortStableFunc(of, func(a, b control.Control) int { return int(b.Severity - a.Severity) })
			var links []string
			for _, c := range of[:min(3, len(of))] {
				links = append(links, fmt.Sprintf("[%s](docs/controls/%s.md)", c.Title, c.ID))
			}
			if n := len(of) - len(links); n > 0 {
				links = append(links, fmt.Sprintf("and %d more", n))
			}
			fmt.Fprintf(&b, " %s |", strings.Join(links, "<br>"))
		}
		b.WriteString("\n")
	}
	if placed != len(list) {
		t.Errorf("%d of %d controls are in an area of the README: put their service into one", placed, len(list))
	}
	return b.String()
}

// TestREADME: the table of what dera fixes is made from the controls, and stays
// short enough to be read.
func TestREADME(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../README.md", "<!-- controls: made by `make generate` -->\n", "<!-- /controls -->"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	got, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no table of controls between %q and %q", path, begin, end)
	}
	want := byArea(t, services.Controls())
	if rows := strings.Count(want, "\n") - 2; rows > 12 {
		t.Errorf("the table has %d rows, at most 12 are read: join areas", rows)
	}
	if controltest.Update() {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("the table of controls in %s is out of date: run make generate", path)
	}
}
