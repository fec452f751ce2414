package engine_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestChaosLongForgetsNoWeek: scripts/chaos-long says that weeks held only where each ended well, whatever ends the tests: a week
// that stops before it can be noted, means that are too small, a panic or a kill.
func TestChaosLongForgetsNoWeek(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("../scripts/chaos-long")
	if err != nil {
		t.Fatal(err)
	}
	const summary = "    chaos_week_test.go:81: 100 weeks, each with much\n"
	tests := []struct {
		name, prints string
		ends         string
		fails        bool
		want, next   string // in what it says, and in .bench/chaos-long
	}{
		{"all_held", summary, "exit 0", false, "200 weeks held", "201"},
		{"a_week_stopped", "    --- FAIL: TestWeek/seeds/seed_7 (1.00s)\n" + summary, "exit 1", true, "failed: 7 ", "201"},
		{"means", summary + "    chaos_week_test.go:83: the mean week has little\n--- FAIL: TestWeek (9.00s)\n", "exit 1", true, "weeks 1 to 100 did not end", ""},
		{"panic", "        chaos_week_test.go:111: again: make chaos-long WEEK=3 WEEKS=1\npanic: broken\n", "exit 2", true, "weeks 1 to 100 did not end", ""},
		{"killed", "        chaos_week_test.go:111: again: make chaos-long WEEK=3 WEEKS=1\n", "kill -9 $$", true, "weeks 1 to 100 did not end", ""},
		{"nothing_ran", "PASS\n", "exit 0", true, "weeks 1 to 100 did not end", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range map[string]string{
				"scripts/chaos-long": string(script), "bin/go": "#!/bin/sh\ncp tests .bench/engine.test\n", "engine/empty": "", "prints": tt.prints,
				"tests": "#!/bin/sh\ncat ../prints\n" + tt.ends + "\n",
			} {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			c := exec.CommandContext(t.Context(), "bash", filepath.Join(dir, "scripts/chaos-long"))
			c.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "WEEKS=200", "WEEK=")
			out, err := c.CombinedOutput()
			if (err != nil) != tt.fails || !strings.Contains(string(out), tt.want) || tt.fails && strings.Contains(string(out), "weeks held") {
				t.Errorf("got %v\n%s", err, out)
			}
			if next, _ := os.ReadFile(filepath.Join(dir, ".bench/chaos-long")); strings.TrimSpace(string(next)) != tt.next {
				t.Errorf("it goes on at %q, want %q", next, tt.next)
			}
		})
	}
}
