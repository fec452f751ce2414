package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
	"dera.example/dera/services"
	"github.com/spf13/cobra"
)

func newExemptionsCommand(a *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exemptions",
		Short: "The exemption list: check, schema",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "check FILE", Short: "Check an exemption list, for its pull requests",
			Long: "check says what is wrong with the list, each with file, line and column, what has expired and what soon will.\n\n" +
				"Exit codes: 0 valid, 1 not valid.",
			Args: args(cobra.ExactArgs(1)),
			RunE: func(_ *cobra.Command, list []string) error { return a.checkExemptions(list[0]) },
		},
		&cobra.Command{
			Use: "schema", Short: "Print the JSON Schema of the list", Args: args(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error {
				fmt.Fprintf(a.out, "%s\n", evaluate.ExemptionSchema())
				return nil
			},
		},
	)
	return cmd
}

// badListJSON is what dera exemptions check prints with --output json of a list that is not
// valid, and goodListJSON of one that is.
type badListJSON struct {
	Problems []evaluate.ExemptionProblem `json:"problems"`
	Valid    bool                        `json:"valid"`
}

type goodListJSON struct {
	Entries  int                         `json:"entries"`
	Expired  []dera.Exemption            `json:"expired"`
	Keep     []evaluate.Keep             `json:"keep"`
	Valid    bool                        `json:"valid"`
	Version  string                      `json:"version"`
	Warnings []evaluate.ExemptionProblem `json:"warnings"`
}

func (a *cli) checkExemptions(path string) error {
	cfg := exemptionConfig()
	cfg.Now = a.now()
	list, err := cfg.Load(path)
	if err != nil {
		var faults *evaluate.ExemptionError
		if a.json() && errors.As(err, &faults) {
			if err := a.printJSON(badListJSON{Problems: faults.Problems}); err != nil {
				return err
			}
			return &exitError{code: exitFailed}
		}
		return err
	}
	expired, kept, inForce := list.Expired(), list.AllKeep(), len(list.Keep(cfg.Now))
	if a.json() {
		return a.printJSON(goodListJSON{len(list.All()), expired, kept, true, list.Commit, list.Warnings})
	}
	for _, w := range list.Warnings {
		a.printf("warning: %s\n", w)
	}
	for _, x := range expired {
		a.printf("lapsed: %s:%d: %s expired on %s and exempts nothing; remove it or renew it\n", path, x.Position.Line, x.ID, x.Expires.UTC().Format(time.DateOnly))
	}
	for _, k := range kept {
		if cfg.Now.After(k.Expires) {
			a.printf("lapsed: %s:%d: %s expired on %s and keeps nothing; remove it or renew it\n", path, k.Position.Line, k.ID, k.Expires.UTC().Format(time.DateOnly))
		}
	}
	if len(kept) > 0 {
		a.printf("%s keeps permissions: %s, %d of them lapsed\n", path, entries(len(kept)), len(kept)-inForce)
	}
	a.printf("%s is valid: %s, %d of them lapsed\n", path, entries(len(list.All())), len(expired))
	return nil
}

// exemptionConfig is how a list is read: by the controls that there are.
func exemptionConfig() evaluate.ExemptionConfig {
	cfg := evaluate.ExemptionConfig{Controls: slices.Clone(controlIDs()), Types: services.Types(), On: map[string][]string{}}
	for _, c := range services.Controls() {
		cfg.On[c.Type] = append(cfg.On[c.Type], c.ID)
	}
	return cfg
}
