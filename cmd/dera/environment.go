package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dera.example/dera"
	"dera.example/dera/evaluate"
)

// environmentPrefix is what the variables of the global flags begin with.
const environmentPrefix = "DERA_"

// variable is the environment variable of a global flag.
func variable(flag string) string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment reports whether a global flag may come from the environment.
// --no-exemptions must be given on each command line, so that nobody enforces
// without a list because of a variable that was set some time ago, and a file for
// the answer belongs to one command.
func fromEnvironment(flag string) bool {
	return !slices.Contains([]string{"no-exemptions", "output-file", "help"}, flag)
}

// environment takes the global flags that the command line leaves out from the
// variables DERA_*: a flag wins over the environment, that over the configuration.
func (a *cli) environment(cmd *cobra.Command) error {
	a.from = map[string]string{}
	var bad error
	known := []string{"DERA_CONTROLS", "DERA_ACTIVE_HELP", "DERA_COMPLETION_DESCRIPTIONS"}
	cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if !fromEnvironment(f.Name) {
			return
		}
		name := variable(f.Name)
		known = append(known, name)
		value := os.Getenv(name)
		if value == "" || f.Changed || bad != nil || overridden(cmd, f.Name) || !takes(cmd, f.Name) {
			return
		}
		if err := f.Value.Set(value); err != nil {
			bad = usage("%s is %q: %w", name, value, err)
			if want := wanted(f); want != "" {
				bad = usage("%s is %q, %s", name, value, want)
			}
			return
		}
		a.from[f.Name] = name
	})
	if bad == nil && a.flags.mode != "" {
		if _, err := dera.ParseMode(a.flags.mode); err != nil {
			bad = usage("%s: %v", a.source("mode"), err)
		} else if name := a.from["mode"]; name != "" && a.flags.mode == dera.Enforce.String() {
			bad = usage("%s: enforce comes from the configuration or from --mode on the command line, so that no variable that was set some time ago changes AWS", name)
		}
	}
	a.warnUnknown(known)
	return bad
}

// overridden reports whether the command line gives a flag that says the opposite.
func overridden(cmd *cobra.Command, flag string) bool {
	opposite := map[string]string{"exemptions": "no-exemptions", "region": "all-regions", "all-regions": "region"}[flag]
	return opposite != "" && cmd.Flags().Changed(opposite)
}

// takes reports whether a command takes a flag from the environment. The demo and
// a replay have data and a mode of their own, and help comes whatever is set.
func takes(cmd *cobra.Command, flag string) bool {
	switch path, _, _ := strings.Cut(strings.TrimPrefix(cmd.CommandPath(), "dera "), " "); path {
	case "help", "completion":
		return flag == "quiet"
	case "demo", "version":
		return slices.Contains([]string{"output", "quiet", "log-level", "log-format"}, flag)
	case "replay":
		return !slices.Contains([]string{"data", "db", "mode", "all-regions"}, flag)
	}
	return true
}

// source names where the value of a global flag came from: the variable, or the
// flag itself.
func (a *cli) source(flag string) string {
	if name := a.from[flag]; name != "" {
		return name
	}
	return "--" + flag
}

// named says of an error which variable gave the value that is wrong.
func (a *cli) named(flag string, err error) error {
	name := a.from[flag]
	if err == nil || name == "" {
		return err
	}
	return &exitError{codeOf(err), fmt.Errorf("%s: %w", name, err)}
}

// warnUnknown names variables that look like a mistyped one.
func (a *cli) warnUnknown(known []string) {
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, environmentPrefix) || slices.Contains(known, name) {
			continue
		}
		if name == variable("no-exemptions") {
			a.note("dera: warning: %s is not read; write --no-exemptions on the command line\n", name)
		} else if near, ok := evaluate.Nearest(name, known); ok {
			a.note("dera: warning: dera does not know the environment variable %s, did you mean %s?\n", name, near)
		}
	}
}
