package main

import (
	"cmp"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
)

func newPolicyProveCommand(a *cli) *cobra.Command {
	var smt, certificate string
	cmd := &cobra.Command{
		Use:   "prove OLD NEW",
		Short: "Prove that NEW grants nothing that OLD did not",
		Long: "Prove that NEW grants nothing that OLD did not, for every request there can be.\n\n" +
			"Exit code 0: proved. 3: refuted, with a request that NEW allows and OLD does not.\n" +
			"4: undecided, with the reason. 1: a file cannot be read, with line and column.",
		Example: "  dera policy prove before.json after.json\n  aws iam get-role-policy … | dera policy prove before.json -",
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := cmp.Or(a.writable("--smtlib", smt, paths...), a.writable("--certificate", certificate, append(paths, smt)...)); err != nil {
				return err
			}
			files, err := readPolicies(a, paths)
			if err != nil {
				return err
			}
			old, fresh := documents(files[:1]), documents(files[1:])
			if smt != "" {
				if err := writeSMT(smt, fresh, old); err != nil {
					return err
				}
			}
			answer := proof.Subset(cmd.Context(), fresh, old, reason.Config{})
			if certificate != "" && answer.Verdict == reason.Proved {
				if err := proveCertificate(cmd.Context(), certificate, fresh, old); err != nil {
					return err
				}
			}
			if a.json() {
				if err := a.printJSON(provedJSON{files[0].name, files[1].name, newVerdictJSON(answer)}); err != nil {
					return err
				}
				return verdictExit(answer.Verdict)
			}
			printProof(a, answer, files[0], files[1])
			return verdictExit(answer.Verdict)
		},
	}
	cmd.Flags().StringVar(&smt, "smtlib", "", "also write the question to this file as SMT-LIB: unsat means proved")
	cmd.Flags().StringVar(&certificate, "certificate", "", "where it is proved, also write a certificate that dera policy check-certificate accepts")
	return cmd
}

// provedJSON is the answer of dera policy prove.
type provedJSON struct {
	Old string `json:"old"` // paths, as they were given
	New string `json:"new"`
	verdictJSON
}

// writeSMT writes the question for a solver, under the default reading.
func writeSMT(path string, fresh, old reason.Policies) error {
	text, err := reason.SMTLIB(fresh, old, reason.Reading{}, reason.Config{})
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the question: %w", err)
	}
	return nil
}

// printProof says what was decided about "fresh grants nothing that old does not".
func printProof(a *cli, answer reason.Answer, old, fresh policyFile) {
	p := newPaint(a.out)
	switch answer.Verdict {
	case reason.Proved:
		a.wrapf("%s %s grants nothing that %s does not.\n", p.colour("2", "proved"), fresh.name, old.name)
		if n := len(answer.Readings); n > 1 {
			a.wrapf("  %s\n", p.faint(fmt.Sprintf("under all %d readings of AWS's documentation that make a difference", n)))
		}
	case reason.Refuted:
		a.wrapf("%s %s allows this request, %s does not:\n", p.colour("1", "refuted"), fresh.name, old.name)
		printRequest(a, answer.Witness.Request)
		a.wrapf("  %s %s\n", p.faint("allowed by"), fresh.where(answer.Witness.Statement.Statement))
		printReading(a, answer.Witness.Reading)
	case reason.Unknown:
		a.wrapf("%s (%v) %s.\n", p.colour("3", "unknown"), answer.Why, answer.Detail)
	}
}
