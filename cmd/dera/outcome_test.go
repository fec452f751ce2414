package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/app"
	"dera.example/dera/awssim"
)

// TestRollbackShowsWhatItDid: the undo that was carried out, and with --partial what
// was left; the diff of the fix is in neither.
func TestRollbackShowsWhatItDid(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 8})
	region := cloud.Account("111122223333").Region("us-east-1")
	rule := func(from, to int) awssim.Rule {
		return awssim.Rule{Protocol: "tcp", FromPort: from, ToPort: to, CIDR: "0.0.0.0/0"}
	}
	id, err := region.CreateSecurityGroup(t.Context(), "web", rule(21, 25))
	if err != nil {
		t.Fatal(err)
	}
	serving(t, cloud, cloud.Account("111122223333").Credentials())
	dir := t.TempDir()
	base := []string{"--data", filepath.Join(dir, "data"), "--config", fileIn(t, dir, "fast.yaml", "version: 1\nsettle: 5ms\nmode: review\n")}
	dera := func(want int, line ...string) string {
		t.Helper()
		out, errOut, code := said(t, append(line, base...)...)
		if code != want {
			t.Fatalf("dera %s: got exit code %d, want %d\n%s%s", strings.Join(line, " "), code, want, out, errOut)
		}
		if want == exitNo && out == "" {
			return errOut
		}
		return out
	}
	dera(exitNo, "scan")
	var list []app.Waiting
	if err := json.Unmarshal([]byte(dera(exitNo, "waiting", "-o", "json")), &list); err != nil {
		t.Fatal(err)
	}
	first := list[0]
	dera(exitGood, strings.Fields(first.Command)[1:5]...)
	if err := region.Revoke(t.Context(), id, rule(23, 25)); err != nil {
		t.Fatal(err)
	}
	if out := dera(exitNo, "rollback", first.Remediation); !strings.Contains(out, "--partial") {
		t.Errorf("rollback over somebody else's change: got\n%s\nwant a refusal that names --partial", out)
	}
	var shown app.Shown
	if err := json.Unmarshal([]byte(dera(exitGood, "rollback", first.Remediation, "--partial", "-o", "json")), &shown); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(shown.Undone, "+ tcp 21-25 from 0.0.0.0/0") || !slices.Contains(shown.Undone, "- tcp 21 from 0.0.0.0/0") || slices.Contains(shown.Undone, "- tcp 23-25 from 0.0.0.0/0") {
		t.Errorf("undone: got %q, want what was taken back, and nothing of what was left", shown.Undone)
	}
	if want := []string{"+ tcp 23-25 from 0.0.0.0/0"}; !slices.Equal(shown.Kept, want) {
		t.Errorf("kept: got %q, want %q", shown.Kept, want)
	}
	out := dera(exitGood, "show", first.Remediation)
	for _, want := range []string{"rolled back by", "not undone, since someone else changed it"} {
		if !strings.Contains(out, want) {
			t.Errorf("show: no %q in\n%s", want, out)
		}
	}
}
