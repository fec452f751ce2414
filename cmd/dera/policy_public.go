package main

import (
	"github.com/spf13/cobra"

	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
)

// openingJSON is a statement that allows public access, or may.
type openingJSON struct {
	File      string       `json:"file"`
	Statement int          `json:"statement"` // counted from zero
	Sid       string       `json:"sid,omitempty"`
	Witness   *witnessJSON `json:"witness,omitempty"`
	Cause     string       `json:"cause,omitempty"`
	Detail    string       `json:"detail,omitempty"`
}

func newPolicyPublicCommand(a *cli) *cobra.Command {
	var zone reason.Zone
	cmd := &cobra.Command{
		Use:   "public FILE...",
		Short: "Decide whether a resource policy allows public or external access",
		Long: "Decide whether a resource policy allows public or external access, and name the statements that allow it.\n" +
			"Without flags it decides about public access: anyone without any condition that limits who they are; with --account,\n" +
			"--organization or --trust about external principals: everyone outside that zone of trust.\n\n" +
			"Exit code 0: no. 3: yes, with a request. 4: undecided.",
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, paths []string) error {
			files, err := readPolicies(a, paths)
			if err != nil {
				return err
			}
			var found reason.Exposure
			external := len(zone.Accounts)+len(zone.Organizations)+len(zone.Principals) > 0
			if external {
				found = proof.External(cmd.Context(), documents(files), zone, reason.Config{})
			} else {
				found = proof.Public(cmd.Context(), documents(files), reason.Config{})
			}
			if a.json() {
				err = a.printJSON(newExposureJSON(found, files))
			} else {
				printExposure(a, found, files, external)
			}
			if err != nil {
				return err
			}
			return verdictExit(found.Verdict)
		},
	}
	cmd.Flags().StringSliceVar(&zone.Accounts, "account", nil, "account number inside the zone of trust")
	cmd.Flags().StringSliceVar(&zone.Organizations, "organization", nil, "organization ID inside the zone of trust")
	cmd.Flags().StringSliceVar(&zone.Principals, "trust", nil, "ARN of a principal inside the zone of trust")
	return cmd
}

// exposureJSON is what dera policy public prints with --output json.
type exposureJSON struct {
	Verdict string        `json:"verdict"` // proved: there is no such access
	Open    []openingJSON `json:"open,omitempty"`
	Unsure  []openingJSON `json:"unsure,omitempty"`
}

func newExposureJSON(found reason.Exposure, files []policyFile) exposureJSON {
	out := exposureJSON{Verdict: found.Verdict.String()}
	for _, o := range found.Open {
		out.Open = append(out.Open, openingJSON{
			File: files[o.Statement.Document].name, Statement: o.Statement.Statement, Sid: o.Statement.Sid,
			Witness: newWitnessJSON(o.Witness),
		})
	}
	for _, d := range found.Unsure {
		out.Unsure = append(out.Unsure, openingJSON{
			File: files[d.Statement.Document].name, Statement: d.Statement.Statement, Sid: d.Statement.Sid,
			Cause: d.Why.String(), Detail: d.Detail,
		})
	}
	return out
}

func printExposure(a *cli, found reason.Exposure, files []policyFile, external bool) {
	p := newPaint(a.out)
	kind, who := "public", "anybody"
	if external {
		kind, who = "external", "an external principal"
	}
	if found.Verdict == reason.Proved {
		a.wrapf("%s %s is allowed nothing.\n", p.colour("2", "not "+kind+":"), who)
	}
	for _, o := range found.Open {
		a.wrapf("%s %s allows access by %s, for example:\n", p.colour("1", kind+":"), files[o.Statement.Document].where(o.Statement.Statement), who)
		printRequest(a, o.Witness.Request)
		printReading(a, o.Witness.Reading)
	}
	for _, d := range found.Unsure {
		a.wrapf("%s %s: (%v) %s.\n", p.colour("3", "unknown:"), files[d.Statement.Document].where(d.Statement.Statement), d.Why, d.Detail)
	}
}
