package proof

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dera/iam/proof/check"
	"dera/iam/reason"
)

// asked is a change as the measured process reads it.
type asked struct {
	Name          string
	Old           string
	New           []string
	Kept, Removed []string
}

// TestBench_memory has a process of its own prove, certify and check every
// narrowed AWS managed policy, one after the other, and prints the most memory
// that it had.
func TestBench_memory(t *testing.T) {
	folder := benchFolder(t)
	if from := os.Getenv("DERA_IAM_CHANGES"); from != "" {
		n := proveFile(t, from)
		fmt.Printf("peak memory: %.0f MB for %d changes\n", peak(t), n)
		return
	}
	file := filepath.Join(t.TempDir(), "changes.jsonl")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := json.NewEncoder(f)
	for _, n := range narrowAll(t, managedPolicies(t, folder), map[string]int{}) {
		a := asked{Name: n.name, Old: n.text, Kept: n.change.Kept, Removed: n.change.Removed}
		for _, d := range n.change.New {
			a.New = append(a.New, d.Text())
		}
		if err := w.Encode(a); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBench_memory$", "-test.v")
	cmd.Env = append(os.Environ(), "DERA_IAM_CHANGES="+file)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if _, text, ok := strings.Cut(line, "peak memory: "); ok {
			t.Logf("peak memory: %s", strings.TrimSpace(text))
		}
	}
}

// proveFile goes through a file of changes and returns their number.
func proveFile(t *testing.T, name string) int {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	n := 0
	for d := json.NewDecoder(bufio.NewReader(f)); d.More(); n++ {
		var a asked
		if err := d.Decode(&a); err != nil {
			t.Fatal(err)
		}
		c := Change{Kept: a.Kept, Removed: a.Removed, Old: reason.Policies{parse(t, a.Old)}}
		for _, text := range a.New {
			c.New = append(c.New, parse(t, text))
		}
		data, err := Prove(t.Context(), c, reason.Config{}).Certificate(Origin{})
		if err != nil {
			t.Fatalf("%s: %v", a.Name, err)
		}
		if _, err := check.Check(data); err != nil {
			t.Fatalf("%s: %v", a.Name, err)
		}
	}
	return n
}

// peak returns the most memory that the process had, in megabytes. What getrusage
// says would count the parent, as it was when it started the process.
func peak(t *testing.T) float64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes float64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatalf("read the peak memory: %v", err)
	}
	return kilobytes * 1024 / 1e6
}
