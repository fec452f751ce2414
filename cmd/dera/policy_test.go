package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestPolicy runs testdata/policy_*.txtar. In them, "dera CODE ARGS..." runs a
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
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"dera": deraCommand},
	})
}

func deraCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: dera CODE ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	work := ts.Getenv("WORK")
	var in bytes.Buffer
	var list []string
	for _, arg := range args[1:] {
		if name, ok := strings.CutPrefix(arg, "<"); ok {
			in.WriteString(ts.ReadFile(name))
			continue
		}
		if _, err := os.Stat(ts.MkAbs(arg)); err == nil && !strings.HasPrefix(arg, "-") {
			arg = ts.MkAbs(arg)
		} else if strings.HasSuffix(arg, ".json") || strings.HasSuffix(arg, ".smt2") {
			arg = ts.MkAbs(arg)
		}
		list = append(list, arg)
	}
	var out, errOut bytes.Buffer
	got := runPolicy(&in, &out, &errOut, list)
	fmt.Fprint(ts.Stdout(), strings.ReplaceAll(out.String(), work+string(filepath.Separator), ""))
	fmt.Fprint(ts.Stderr(), strings.ReplaceAll(errOut.String(), work+string(filepath.Separator), ""))
	if got != want {
		ts.Fatalf("exit code %d, want %d\n%s%s", got, want, out.String(), errOut.String())
	}
}

// runPolicy runs a command line with nothing but the policy commands.
func runPolicy(in, out, errOut *bytes.Buffer, list []string) int {
	a := &app{in: in, out: out, err: errOut, now: time.Now}
	root := newPolicyCommand(a)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetArgs(list[1:])
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	a.flags.register(root)
	err := root.Execute()
	var e *exitError
	if err != nil && (!errors.As(err, &e) || e.err != nil) {
		fmt.Fprintf(errOut, "dera: %v\n", err)
	}
	return codeOf(err)
}
