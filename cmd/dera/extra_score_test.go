package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The tests named TestExtra… run over cases of others, which are not part of the
// tree: DERA_EXTRA_DATA names their folder. What they count stands in
// docs/recall.md.

func extraData(t *testing.T, parts ...string) string {
	t.Helper()
	dir := os.Getenv("DERA_EXTRA_DATA")
	if dir == "" {
		t.Skip("DERA_EXTRA_DATA names no folder of real data")
	}
	return filepath.Join(append([]string{dir}, parts...)...)
}

// extraLines reads a file of JSON lines.
func extraLines[T any](t *testing.T, parts ...string) []T {
	t.Helper()
	packed, err := os.ReadFile(extraData(t, parts...))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	s := bufio.NewScanner(z)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// score compares what dera says with the labels of one source. Where they differ
// there must be a reason, and where there is a reason they must differ.
type score struct {
	source  string
	reasons map[string]string // why they differ, by the name of the judgement

	cases, bad, found, good, alarms, silent int
	used                                    map[string]bool
	unexplained                             []string
}

func newScore(source string, reasons map[string]string) *score {
	return &score{source: source, reasons: reasons, used: map[string]bool{}}
}

// judge counts one judgement: whether the label calls it bad, and whether dera does.
func (s *score) judge(name string, label, dera bool) {
	switch {
	case label && dera:
		s.bad, s.found = s.bad+1, s.found+1
		return
	case !label && !dera:
		s.good++
		return
	case label:
		s.bad++
	default:
		s.good, s.alarms = s.good+1, s.alarms+1
	}
	s.used[name] = true
	if s.reasons[name] == "" {
		s.unexplained = append(s.unexplained, fmt.Sprintf("%s: bad by its label: %t, by dera: %t", name, label, dera))
	}
}

// row is the line of the table.
func (s *score) row() string {
	return fmt.Sprintf("| %s | %d | %d of %d | %d of %d | %d |", s.source, s.cases, s.found, s.bad, s.alarms, s.good, s.silent)
}

// explained are the lines of the second table.
func (s *score) explained() []string {
	var out []string
	for name, why := range s.reasons {
		out = append(out, fmt.Sprintf("| %s | %s | %s |", s.source, name, why))
	}
	slices.Sort(out)
	return out
}

// done holds every difference against the reasons, and what was counted against
// docs/recall.md.
func (s *score) done(t *testing.T) {
	t.Helper()
	for _, u := range s.unexplained {
		t.Errorf("not explained: %s", u)
	}
	for name := range s.reasons {
		if !s.used[name] {
			t.Errorf("explained, but it does not differ: %s", name)
		}
	}
	t.Logf("| source | cases | recall | wrong alarms | without a verdict |\n%s\n%s", s.row(), strings.Join(s.explained(), "\n"))
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "recall.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range append(s.explained(), s.row()) {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("docs/recall.md lacks the line:\n%s", line)
		}
	}
}
