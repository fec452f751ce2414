package main

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"
	"github.com/spf13/cobra"
)

func newConfigCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "The configuration file: check, schema",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "check FILE", Short: "Check a configuration file", Args: args(cobra.ExactArgs(1)),
			RunE: func(_ *cobra.Command, list []string) error {
				c, err := loadConfig(list[0])
				if err != nil {
					return err
				}
				if a.json() {
					return a.printJSON(map[string]any{"valid": true, "accounts": len(c.Accounts), "enforces": c.enforces("")})
				}
				a.printf("%s is valid: %d accounts, %d mode entries\n", list[0], len(c.Accounts), len(c.Modes))
				return nil
			},
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

// configSchema is generated from the configuration's type (draft 2020-12).
func configSchema() ([]byte, error) {
	r := jsonschema.Reflector{
		FieldNameTag: "yaml", DoNotReference: true, Anonymous: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t == reflect.TypeFor[duration]() {
				return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`}
			}
			return nil
		},
	}
	s := r.Reflect(&fileConfig{})
	s.Title = "dera configuration"
	return json.MarshalIndent(s, "", "  ")
}
