package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestPolicy runs testdata/policy_*.txtar. In them, "exits CODE ARGS..." runs a
// command line in this process and wants the exit code; an argument "<FILE"
// gives it a standard input.
func TestPolicy(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/policy_*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Files: files,
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var in, out, errOut bytes.Buffer
	var list []string
	for _, arg := range args[1:] {
		switch name, input := strings.CutPrefix(arg, "<"); {
		case input:
			in.WriteString(ts.ReadFile(name))
		case strings.HasSuffix(arg, ".json"), strings.HasSuffix(arg, ".smt2"):
			list = append(list, ts.MkAbs(arg))
		default:
			list = append(list, arg)
		}
	}
	got := run(context.Background(), list, &in, &out, &errOut)
	local := strings.NewReplacer(ts.Getenv("WORK")+string(filepath.Separator), "")
	if _, err := local.WriteString(ts.Stdout(), out.String()); err != nil {
		ts.Check(err)
	}
	if _, err := local.WriteString(ts.Stderr(), errOut.String()); err != nil {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\n%s%s", got, want, out.String(), errOut.String())
	}
}
