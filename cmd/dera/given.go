package main

import (
	"encoding/csv"
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// errBlank refuses a value that is given and says nothing: a script with a variable
// that is not set must not widen what it asks for.
var errBlank = errors.New("the value is empty; is a variable not set? Leave the flag out for its default")

// refuseBlank makes every flag of every command refuse an empty value, and a list
// an empty member. Nothing means "all" only where the flag is left out.
func refuseBlank(root *cobra.Command) {
	for _, cmd := range append(everyCommand(root), root) {
		for _, set := range []*pflag.FlagSet{cmd.LocalNonPersistentFlags(), cmd.PersistentFlags()} {
			set.VisitAll(func(f *pflag.Flag) {
				if _, done := f.Value.(filled); done || f.Value.Type() == "bool" {
					return
				}
				if f.DefValue == "[]" {
					f.DefValue = "" // help shows no default of a list that is empty
				}
				f.Value = filled{f.Value}
			})
		}
	}
}

// filled is a value that is not blank.
type filled struct{ pflag.Value }

// Set implements pflag.Value.
func (v filled) Set(text string) error {
	members := []string{text}
	if v.Type() == "stringSlice" && strings.TrimSpace(text) != "" {
		var err error
		if members, err = csv.NewReader(strings.NewReader(text)).Read(); err != nil {
			return err
		}
	}
	for _, m := range members {
		if strings.TrimSpace(m) == "" {
			return errBlank
		}
	}
	return v.Value.Set(text)
}

// blankArgument refuses an empty argument, which names nothing.
func blankArgument(cmd *cobra.Command, list []string) error {
	if strings.HasPrefix(cmd.Name(), cobra.ShellCompRequestCmd) {
		return nil // what is completed may have no letter yet
	}
	for i, text := range list {
		if strings.TrimSpace(text) == "" {
			return usage("argument %d is empty; is a variable not set?", i+1)
		}
	}
	return nil
}
