//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// block is a fenced block of the page: a script (sh), or commands with what they
// print (console).
type block struct {
	line  int // of its first line
	kind  string
	lines []string
}

// blocks are the fenced blocks of the page.
func blocks(page string) (out []block) {
	open := false
	for n, line := range strings.Split(page, "\n") {
		switch kind, fence := strings.CutPrefix(line, "```"); {
		case fence && !open:
			open = true
			out = append(out, block{line: n + 2, kind: kind})
		case fence:
			open = false
		case open:
			out[len(out)-1].lines = append(out[len(out)-1].lines, line)
		}
	}
	return out
}

// changing is what differs from run to run: IDs, digests, times, and how long
// something took.
var changing = regexp.MustCompile(`\b[fr]-[0-9a-f]{20}\b|\bsg-[0-9a-f]{17}\b|\b20\d\d-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?Z)?|\b(?:[0-9a-f]{64}|[0-9a-f]{20}|[0-9a-f]{12})\b|\b(?:\d+h)?(?:\d+m)?\d+s\b|/\S*first-hour\b|\d+ (?:records|pieces)\b`)

// shell is a shell that runs the page from top to bottom. met maps what changes
// from the page's value to that of this run.
type shell struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
	met map[string]string
}

const done = "\x01done "

// run runs a script and returns what it prints and its exit code.
func (s *shell) run(script string) (lines []string, code string) {
	s.t.Helper()
	fmt.Fprintf(s.in, "{ %s\n} 2>&1 </dev/null; printf '%s%%s\\n' $?\n", script, done)
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("the shell ended in\n%s\n%s", script, strings.Join(lines, "\n"))
		}
		line = strings.TrimSuffix(line, "\n")
		if rest, code, ok := strings.Cut(line, done); ok {
			if rest != "" {
				lines = append(lines, rest)
			}
			return lines, code
		}
		lines = append(lines, line)
	}
}

// id is what the page calls by one name and every run by another.
var id = regexp.MustCompile(`^(f-|r-|sg-)`)

// fits holds a line of the page against one of the run.
func (s *shell) fits(page, got string) bool {
	of, in := changing.FindAllString(page, -1), changing.FindAllString(got, -1)
	if len(of) != len(in) || changing.ReplaceAllString(page, "\x00") != changing.ReplaceAllString(got, "\x00") {
		return false
	}
	for i := range of {
		if known, ok := s.met[of[i]]; ok && known != in[i] && id.MatchString(of[i]) {
			return false
		}
	}
	for i := range of {
		s.met[of[i]] = in[i]
	}
	return true
}

// compare holds what the page shows against what was printed, and returns the
// first line that is on one side only. The order is that of the resources' IDs, so
// it differs. A line … stands for what the page leaves out.
func (s *shell) compare(page, got []string) (bad string) {
	got = slices.Clone(got)
	cut := false
	for _, want := range page {
		if want == "…" {
			cut = true
			continue
		}
		i := slices.IndexFunc(got, func(line string) bool { return s.fits(want, line) })
		if i < 0 {
			return want
		}
		got = slices.Delete(got, i, i+1)
	}
	if !cut && len(got) > 0 {
		return "the end of it, after which comes " + got[0]
	}
	return ""
}

// TestFirstHour runs docs/first-hour.md: its scripts must succeed, and its
// commands print what the page shows.
func TestFirstHour(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "first-hour.md"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc")
	cmd.Dir = root
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "DERA_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	work := t.TempDir()
	cmd.Env = append(cmd.Env, "FIRST_HOUR="+filepath.Join(work, "first-hour"), "COLUMNS=", "TZ=UTC", "LANG=C.UTF-8")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, out := piped(t, cmd)
	s := &shell{t: t, in: in, out: out, met: map[string]string{}}
	defer func() {
		_ = in.Close()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // and moto, where the page did not come to its end
		_ = cmd.Wait()
	}()
	all := blocks(string(page))
	if len(all) < 8 {
		t.Fatalf("the page has %d blocks", len(all))
	}
	for _, b := range all {
		switch b.kind {
		case "sh":
			// make build compiles everything once more, with flags of its own: CI runs it as a step.
			script := strings.Replace(strings.Join(b.lines, "\n"), "make build\n", "go build -o dist/dera ./cmd/dera\n", 1)
			if got, code := s.run("set -e\n" + script + "\nset +e"); code != "0" {
				t.Fatalf("docs/first-hour.md:%d: exit code %s\n%s", b.line, code, strings.Join(got, "\n"))
			}
		case "console":
			s.console(b)
		default:
			t.Fatalf("docs/first-hour.md:%d: a block of %q: write sh or console", b.line, b.kind)
		}
	}
}

// console runs the commands of a block and compares what they print.
func (s *shell) console(b block) {
	s.t.Helper()
	for i := 0; i < len(b.lines); {
		command, ok := strings.CutPrefix(b.lines[i], "$ ")
		if !ok {
			s.t.Fatalf("docs/first-hour.md:%d: want a command: %s", b.line+i, b.lines[i])
		}
		end := i + 1
		for end < len(b.lines) && !strings.HasPrefix(b.lines[end], "$ ") {
			end++
		}
		command = changing.ReplaceAllStringFunc(command, func(id string) string {
			if known, ok := s.met[id]; ok {
				return known
			}
			return id
		})
		got, code := s.run(command)
		if code != "0" && code != "3" {
			s.t.Fatalf("docs/first-hour.md:%d: %s: exit code %s\n%s", b.line+i, command, code, strings.Join(got, "\n"))
		}
		if bad := s.compare(b.lines[i+1:end], got); bad != "" {
			s.t.Errorf("docs/first-hour.md:%d: %s does not print\n%s\nbut\n%s", b.line+i, command, bad, strings.Join(got, "\n"))
		}
		i = end
	}
}

// TestREADMEShowsTheDemo: the lines that the README shows of make demo are lines
// of it, in their order.
func TestREADMEShowsTheDemo(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--exit"}, strings.NewReader(""), &out, &errOut); code != exitGood {
		t.Fatalf("got exit code %d\n%s", code, errOut.String())
	}
	rest := strings.Split(out.String(), "\n")
	for _, b := range blocks(string(page)) {
		if len(b.lines) == 0 || b.lines[0] != "$ make demo" {
			continue
		}
		shown := 0
		for _, want := range b.lines[1:] {
			if want == "…" {
				continue
			}
			i := slices.IndexFunc(rest, func(got string) bool {
				return changing.ReplaceAllString(got, "") == changing.ReplaceAllString(want, "")
			})
			if i < 0 {
				t.Fatalf("README.md shows a line that the demo does not print there: %s", want)
			}
			rest, shown = rest[i+1:], shown+1
		}
		if shown < 12 {
			t.Errorf("README.md shows %d lines of the demo, want 12", shown)
		}
		return
	}
	t.Error("README.md does not show the demo")
}
