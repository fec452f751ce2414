package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// args makes an argument too many or too few a usage error that says what the command
// takes. What that is stands in its Use.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, list []string) error {
		if err := check(cmd, list); err != nil {
			return usage("%s; see %s --help", takesText(cmd, list), cmd.CommandPath())
		}
		return nil
	}
}

// takesText says what a command takes, where that is not what was given.
func takesText(cmd *cobra.Command, list []string) string {
	var needed []string
	most, optional := 0, ""
	for _, word := range operands(cmd) {
		switch {
		case strings.HasPrefix(word, "["):
			optional = strings.Trim(word, "[]")
			most++
		default:
			needed = append(needed, operand(cmd, word))
			most++
		}
	}
	switch {
	case len(list) < len(needed):
		return cmd.CommandPath() + " needs " + strings.Join(needed, " and ")
	case most == 0:
		return fmt.Sprintf("%s takes no argument, and %q is one", cmd.CommandPath(), list[0])
	case len(needed) == 0:
		return fmt.Sprintf("%s takes one argument at most (%s), and %q is another", cmd.CommandPath(), optional, list[most])
	}
	return fmt.Sprintf("%s takes %s and nothing else, and %q is more", cmd.CommandPath(), strings.Join(needed, " and "), list[min(most, len(list)-1)])
}

// operands are the words of Use that are no flags.
func operands(cmd *cobra.Command) []string {
	words, out, flag := strings.Fields(cmd.Use)[1:], []string(nil), false
	for _, word := range words {
		switch {
		case strings.HasPrefix(strings.TrimPrefix(word, "["), "--"):
			flag = !strings.HasSuffix(word, "]")
		case flag:
			flag = false // its value
		default:
			out = append(out, word)
		}
	}
	return out
}

// operand is an argument in words.
func operand(cmd *cobra.Command, word string) string {
	name := strings.TrimRight(word, ".…")
	text := map[string]string{
		"ID": "an ID (f-… or r-…)", "FINDING": "the ID of a finding (f-…)", "DIR": "a folder", "FILE": "a file", "PATH": "a file or a folder",
		"OLD": "the old policy", "NEW": "the new policy", "POLICY": "a policy", "PRINCIPAL": "a principal",
	}[name]
	if name == "ID" {
		switch cmd.Name() {
		case "approve", "reject", "rollback":
			text = "the ID of a remediation (r-…)"
		case "new":
			text = "the ID of the new control"
		}
		if cmd.Name() == "show" && cmd.HasParent() && cmd.Parent().Name() == "control" {
			text = "the ID of a control"
		}
	}
	if text == "" {
		text = name
	}
	if name != word {
		return "at least " + strings.Replace(text, "a ", "one ", 1)
	}
	return text
}
