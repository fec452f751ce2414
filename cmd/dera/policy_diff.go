package main

import (
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"

	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
)

func newPolicyDiffCommand(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare two policies: the text, and what they grant",
		Long: "Compare two policies: the text, and what they grant.\n\n" +
			"Exit code 0: they grant the same, whatever the text. 3: they differ, with requests. 4: undecided.",
		Args: args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, paths []string) error {
			files, err := readPolicies(a, paths)
			if err != nil {
				return err
			}
			old, fresh := files[0], files[1]
			same := proof.Equivalent(cmd.Context(), documents(files[1:]), documents(files[:1]), reason.Config{})
			text := udiff.Unified(old.name, fresh.name, old.doc.Text(), fresh.doc.Text())
			if a.json() {
				err := a.printJSON(diffJSON{same.Verdict.String(), newVerdictJSON(same.Forth), newVerdictJSON(same.Back), text})
				if err != nil {
					return err
				}
				return verdictExit(same.Verdict)
			}
			p := newPaint(a.out)
			for line := range strings.Lines(text) {
				a.printf("%s\n", p.diff(strings.TrimSuffix(line, "\n")))
			}
			if same.Verdict == reason.Proved {
				a.printf("%s %s and %s grant the same.\n", p.colour("2", "equal:"), old.name, fresh.name)
				return nil
			}
			printProof(a, same.Forth, old, fresh)
			printProof(a, same.Back, fresh, old)
			return verdictExit(same.Verdict)
		},
	}
}

// diffJSON is what dera policy diff prints with --output json.
type diffJSON struct {
	Verdict string      `json:"verdict"` // proved: they grant the same
	Adds    verdictJSON `json:"adds"`    // proved: NEW adds nothing
	Removes verdictJSON `json:"removes"` // proved: NEW removes nothing
	Diff    string      `json:"diff"`
}
