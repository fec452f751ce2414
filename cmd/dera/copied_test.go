package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/awssim"
)

// TestPrintedCommandsWorkAsTheyStand collects every command that dera prints where the
// data and the configuration are elsewhere than by default, and runs it.
func TestPrintedCommandsWorkAsTheyStand(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(t.TempDir())
	cloud := awssim.New(awssim.Config{Seed: 14})
	region := cloud.Account("111122223333").Region("us-east-1")
	for i := range 22 { // more than a scan shows plans of
		openSSH(t, region, "web-"+string(rune('a'+i)))
	}
	serving(t, cloud, cloud.Account("111122223333").Credentials())
	config := fileIn(t, dir, "with space.yaml", "version: 1\nmode: review\naccounts:\n  - id: '111122223333'\n")
	where := []string{"--data", dir + "/data of dera", "--config", config}
	printed := regexp.MustCompile(`(?m)(?:^ *|: |, |“|\x60)(dera (?:approve|reject|rollback|remediate|show|findings|waiting|scan|stop|resume|report|doctor|audit)\b[^\n\x60]*)$`)
	var commands []string
	collect := func(args ...string) string {
		t.Helper()
		out, errOut, _ := said(t, append(args, where...)...)
		for _, m := range printed.FindAllStringSubmatch(out+errOut, -1) {
			if !slices.Contains(commands, m[1]) {
				commands = append(commands, m[1])
			}
		}
		return out
	}
	scan := collect("scan")
	plans := regexp.MustCompile(`r-[0-9a-f]{20}`).FindAllString(scan, -1)
	findings := regexp.MustCompile(`f-[0-9a-f]{20}`).FindAllString(scan, -1)
	if len(plans) < 20 || len(findings) < 22 {
		t.Fatalf("got %d plans of %d findings\n%s", len(plans), len(findings), scan)
	}
	for _, args := range [][]string{
		{"findings", "--limit", "1"}, {"waiting"}, {"report"}, {"show", findings[0]}, {"show", plans[1]}, {"show", "f-00000000000000000000"}, {"stop", "--reason", "freeze"},
		{"stop", "--reason", "freeze", "--account", "111122223333"}, {"findings"}, {"resume"}, {"report"}, {"remediate", findings[1]},
	} {
		collect(args...)
	}
	if len(commands) < 26 {
		t.Errorf("got %d commands, want those of the plans and more: %q", len(commands), commands)
	}
	for _, kind := range []string{"dera approve ", "dera findings", "dera resume", "dera scan"} {
		if !slices.ContainsFunc(commands, func(c string) bool { return strings.HasPrefix(c, kind) }) {
			t.Errorf("no %q among %q", kind, commands)
		}
	}
	for i, c := range commands {
		if strings.HasPrefix(c, "dera approve ") && i > 5 {
			continue // some do
		}
		words := shellWords(strings.TrimPrefix(strings.NewReplacer(" lists what there is", "", "TEXT", "because", "'", `"`).Replace(c), "dera "))
		out, errOut, code := said(t, words...)
		if code == exitUsage || code == exitFailed || strings.Contains(errOut, "not found") || strings.Contains(errOut, "no ID") || !strings.Contains(c, "--data") {
			t.Errorf("%s: got exit code %d\n%s%s", c, code, out, errOut)
		}
	}
}
