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

	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
)

// asked is a change as it stands in a file.
type asked struct {
	Name          string
	Old           string
	New           []string
	Kept, Removed []string
	Use           *Use
}

// year is where the facts of the certificates of the corpus come from.
func year() Origin { return window(400) }

// change parses the documents.
func (a *asked) change(t *testing.T) Change {
	t.Helper()
	c := Change{Kept: a.Kept, Removed: a.Removed, Unused: a.Use, Old: reason.Policies{parse(t, a.Old)}}
	for _, text := range a.New {
		c.New = append(c.New, parse(t, text))
	}
	return c
}

// changesFile narrows every AWS managed policy and writes the changes to a file.
func changesFile(t *testing.T, folder string, outcomes map[string]int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "changes.jsonl")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := json.NewEncoder(f)
	for _, n := range narrowAll(t, managedPolicies(t, folder), outcomes) {
		a := asked{Name: n.name, Old: n.text, Kept: n.change.Kept, Removed: n.change.Removed, Use: n.change.Unused}
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
	return file
}

// eachChange goes through a file of changes.
func eachChange(t *testing.T, file string, do func(*asked)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	for d := json.NewDecoder(bufio.NewReader(f)); d.More(); {
		var a asked
		if err := d.Decode(&a); err != nil {
			t.Fatal(err)
		}
		do(&a)
	}
}

// TestBench_memory has a process of its own prove, certify and check every
// narrowed AWS managed policy, one after the other, and prints the most memory
// that it had.
func TestBench_memory(t *testing.T) {
	folder := benchFolder(t)
	if from := os.Getenv("DERA_IAM_CHANGES"); from != "" {
		n := 0
		eachChange(t, from, func(a *asked) {
			n++
			data, err := Prove(t.Context(), a.change(t), reason.Config{}).Certificate(year())
			if err == nil {
				_, err = check.Check(data)
			}
			if err != nil {
				t.Fatalf("%s: %v", a.Name, err)
			}
		})
		fmt.Printf("peak memory: %.0f MB for %d changes\n", peak(t), n)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBench_memory$", "-test.v")
	cmd.Env = append(os.Environ(), "DERA_IAM_CHANGES="+changesFile(t, folder, map[string]int{}))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, text, ok := strings.Cut(string(out), "peak memory: ")
	if !ok {
		t.Fatalf("the process said nothing of its memory:\n%s", out)
	}
	text, _, _ = strings.Cut(text, "\n")
	t.Logf("peak memory: %s", text)
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
