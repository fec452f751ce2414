package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dera.example/dera/evaluate"
)

// subcommandsOnly makes a command that has subcommands refuse other words, with
// the subcommand that is meant.
func subcommandsOnly(cmd *cobra.Command) {
	cmd.Args = func(cmd *cobra.Command, list []string) error {
		if len(list) > 0 {
			return noSuchCommand(cmd, list[0])
		}
		return nil
	}
	if cmd.Run == nil && cmd.RunE == nil {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}

// noSuchCommand is the answer to a mistyped command or subcommand.
func noSuchCommand(cmd *cobra.Command, word string) error {
	meant := "; "
	if list := cmd.SuggestionsFor(word); len(list) > 0 {
		for i := range list {
			list[i] = cmd.CommandPath() + " " + list[i]
		}
		meant = ", did you mean " + strings.Join(list, " or ") + "? "
	}
	if cmd.HasParent() {
		return usage("%s has no command %q%s%[1]s --help lists them", cmd.CommandPath(), word, meant)
	}
	return usage("there is no command %q%sdera --help lists them", word, meant)
}

// badFlag is the answer to a mistyped flag. Behind a mistyped command, whose flags
// nobody knows, it is the command that is wrong.
func badFlag(cmd *cobra.Command, err error) error {
	if words := cmd.Flags().Args(); cmd.HasSubCommands() && len(words) > 0 {
		return noSuchCommand(cmd, words[0])
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1 {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		if near, ok := evaluate.Nearest(unknown.GetSpecifiedName(), names); ok {
			return usage("%v, did you mean --%s? see %s --help", err, near, cmd.CommandPath())
		}
	}
	if bad := badValue(err); bad != nil {
		err = bad
	}
	return usage("%v; see %s --help", err, cmd.CommandPath())
}
