package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func commandTree() (*cobra.Command, *cli) {
	a := &cli{in: strings.NewReader(""), out: io.Discard, err: io.Discard, now: time.Now}
	return newRootCommand(a), a
}

// TestEveryCommandHelps: each command that runs has a group (at the top), a line of
// help and examples, and every example is a command line that the real flags and
// arguments take.
func TestEveryCommandHelps(t *testing.T) {
	t.Parallel()
	root, _ := commandTree()
	each(root, func(cmd *cobra.Command) {
		if !cmd.IsAvailableCommand() && cmd != root && cmd.Name() != "help" {
			return
		}
		path := cmd.CommandPath()
		if cmd.Parent() == root && !slices.ContainsFunc(root.Groups(), func(g *cobra.Group) bool { return g.ID == cmd.GroupID }) {
			t.Errorf("%s: got the group %q, want one of the groups of help.go", path, cmd.GroupID)
		}
		if cmd.Short == "" {
			t.Errorf("%s has no Short", path)
		}
		lines := exampleLines(cmd.Example)
		if len(lines) == 0 {
			t.Errorf("%s has no Example: give it one in examples() of help.go", path)
		}
		for _, line := range lines {
			if err := parses(line, cmd); err != "" {
				t.Errorf("%s: the example %q: %s", path, line, err)
			}
		}
	})
	for path := range examples() {
		cmd, rest, err := root.Find(strings.Fields(path))
		if path != "dera" && (err != nil || len(rest) > 0) {
			t.Errorf("help.go has examples of %q, which is no command", path)
		} else if cmd.Example == "" {
			t.Errorf("%s has no example", path)
		}
	}
}

// exampleLines are the command lines of an example, continued lines joined.
func exampleLines(text string) []string {
	var out []string
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// parses says what is wrong with a command line as an example of a command, or "".
// Of a pipe it looks at dera alone.
func parses(line string, of *cobra.Command) string {
	_, line, found := strings.Cut(line, "dera ")
	if !found {
		return "does not call dera"
	}
	words := shellWords(line)
	root, _ := commandTree()
	cmd, rest, err := root.Find(words)
	if err != nil {
		return err.Error()
	}
	if of.HasParent() && !strings.HasPrefix(cmd.CommandPath(), of.CommandPath()) && !strings.HasPrefix(of.CommandPath(), "dera usage") {
		return "is an example of " + cmd.CommandPath()
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err.Error()
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err.Error()
	}
	if cmd == root && len(cmd.Flags().Args()) > 0 {
		return "calls no command"
	}
	return ""
}

// shellWords splits a command line at blanks, up to a pipe or redirection.
func shellWords(line string) []string {
	var out []string
	var word strings.Builder
	quoted, begun := false, false
	for _, c := range line + " " {
		switch {
		case c == '"':
			quoted, begun = !quoted, true
		case !quoted && strings.ContainsRune("|>);", c):
			if begun {
				out = append(out, word.String())
			}
			return out
		case !quoted && c == ' ':
			if begun {
				out = append(out, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(c)
			begun = true
		}
	}
	return out
}

func TestMistyped(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, line, want string
	}{
		{"command", "scna", "did you mean dera scan?"},
		{"command_with_a_flag_of_it", "scna --apply", "did you mean dera scan?"},
		{"beginning_of_a_command", "find", "did you mean dera findings?"},
		{"topic_of_help", "help audit verfy", "did you mean dera audit verify?"},
		{"nothing_near", "nonsense", `there is no command "nonsense"; dera --help lists them`},
		{"subcommand", "audit verfy", "did you mean dera audit verify?"},
		{"subcommand_of_a_command_that_runs", "catalog updaet", "did you mean dera catalog update?"},
		{"subcommand_of_a_command_that_does_not", "usage nonsense", `dera usage has no command "nonsense"`},
		{"flag", "scan --aply", "did you mean --apply?"},
		{"global_flag", "scan --regoin eu-west-1", "did you mean --region?"},
		{"no_flag_near", "scan --nonsense", "unknown flag: --nonsense; see dera scan --help"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root, _ := commandTree()
			root.SetArgs(strings.Fields(tt.line))
			root.SetOut(io.Discard)
			err := root.ExecuteContext(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) || codeOf(err) != exitUsage {
				t.Errorf("got %v (exit code %d), want %q and exit code 2", err, codeOf(err), tt.want)
			}
		})
	}
}
