package main

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"

	"dera.example/dera/control"
	"github.com/spf13/cobra"
)

func newConfigCommand(a *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "The configuration file: check, schema",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "check FILE", Short: "Check a configuration file",
			Long: "check finds everything that would keep dera from starting, in the file, in the files that it names and in the data folder\n" +
				"(--data): each with file, line, column, field and what to write. It creates nothing and calls nothing.\n\n" +
				"Exit codes: 0 valid, 2 not valid.",
			Args: args(cobra.ExactArgs(1)),
			RunE: func(_ *cobra.Command, list []string) error { return a.configCheck(list[0]) },
		},
		&cobra.Command{
			Use: "schema", Short: "Print the JSON Schema of the configuration file", Args: args(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error {
				text, err := configSchema()
				if err != nil {
					return err
				}
				fmt.Fprintf(a.out, "%s\n", text)
				return nil
			},
		},
	)
	return cmd
}

// badConfigJSON is what dera config check prints with --output json of a configuration that
// is not valid, and goodConfigJSON of one that is.
type badConfigJSON struct {
	Problems []fault `json:"problems"`
	Valid    bool    `json:"valid"`
}

type goodConfigJSON struct {
	Accounts int      `json:"accounts"`
	Enforces bool     `json:"enforces"`
	Valid    bool     `json:"valid"`
	Warnings []string `json:"warnings"`
}

func (a *cli) configCheck(path string) error {
	c, faults, err := a.checkConfig(path)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		if !a.json() {
			return &exitError{exitUsage, &configError{faults}}
		}
		if err := a.printJSON(badConfigJSON{Problems: faults}); err != nil {
			return err
		}
		return &exitError{code: exitUsage}
	}
	warnings := a.configWarnings(c)
	if a.json() {
		return a.printJSON(goodConfigJSON{len(c.Accounts), c.enforces(""), true, append([]string{}, warnings...)})
	}
	for _, w := range warnings {
		a.printf("warning: %s\n", w)
	}
	a.printf("%s is valid: %d accounts, %d mode entries\n", path, len(c.Accounts), len(c.Modes))
	return nil
}

// configSchema is generated from the configuration's type (draft 2020-12).
func configSchema() ([]byte, error) {
	r := jsonschema.Reflector{
		FieldNameTag: "yaml", DoNotReference: true, Anonymous: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t == reflect.TypeFor[allowEntry]() {
				detail := (&jsonschema.Reflector{FieldNameTag: "yaml", DoNotReference: true, Anonymous: true}).Reflect(&allowDetail{})
				detail.Version = ""
				return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, detail}}
			}
			if t == reflect.TypeFor[keepInternal]() {
				return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
					{Type: "string", Enum: []any{control.KeepPrivate, control.KeepVPC, control.KeepNone}},
					{Type: "array", Items: &jsonschema.Schema{Type: "string"}},
				}}
			}
			if t == reflect.TypeFor[duration]() {
				return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`}
			}
			return nil
		},
	}
	s := r.Reflect(&fileConfig{})
	s.ID, s.Title = "https://dera.example/schema/config/1.json", "dera configuration"
	s.Description = "What dera monitors, how far it goes, and what it leaves to people. Every field except version is optional."
	return json.MarshalIndent(s, "", "  ")
}
