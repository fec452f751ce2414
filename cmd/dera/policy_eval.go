package main

import (
	"strings"

	"github.com/spf13/cobra"

	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/reason"
)

func newPolicyEvalCommand(a *cli) *cobra.Command {
	var action, resource, principal string
	var context []string
	cmd := &cobra.Command{
		Use:   "eval FILE...",
		Short: "Answer one request by the policies of one principal or resource",
		Long: "Answer one request by policies that act together: all of one principal, or that of one resource.\n\n" +
			"Exit code 0: allowed. 3: denied. 4: AWS's documentation can be read both ways.",
		Example: "  dera policy eval role.json --action s3:GetObject --resource arn:aws:s3:::b/key \\\n" +
			"    --context aws:SourceIp=198.51.100.7 --context aws:TagKeys=a,b",
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, paths []string) error {
			if action == "" {
				return usage("--action is missing")
			}
			request := eval.Request{Action: action, Resource: resource, Context: eval.Context{}}
			request.Principal = eval.Principal{ARN: principal}
			if strings.HasSuffix(principal, ".amazonaws.com") {
				request.Principal.Type = eval.Service
			}
			for _, pair := range context {
				key, values, ok := strings.Cut(pair, "=")
				if !ok || key == "" {
					return usage("--context is %q, must be KEY=VALUE or KEY=VALUE,VALUE", pair)
				}
				request.Context[strings.ToLower(key)] = strings.Split(values, ",")
			}
			files, err := readPolicies(a, paths)
			if err != nil {
				return err
			}
			return evalPolicies(a, files, request)
		},
	}
	cmd.Flags().StringVar(&action, "action", "", "action of the request, such as s3:GetObject")
	cmd.Flags().StringVar(&resource, "resource", "*", "ARN of the resource")
	cmd.Flags().StringVar(&principal, "principal", "", "ARN of the caller, or name of an AWS service (default: anonymous)")
	cmd.Flags().StringArrayVar(&context, "context", nil, "condition key and values; may be repeated")
	return cmd
}

// evalPolicies answers under every reading and says where they differ.
func evalPolicies(a *cli, files []policyFile, request eval.Request) error {
	set := eval.Compile(documents(files)...)
	readings := eval.Readings()
	decision, because := set.Explain(request, readings[0])
	var other *eval.Reading
	for i, r := range readings {
		if got := set.Decide(request, r); (got == eval.Allowed) != (decision == eval.Allowed) {
			other = &readings[i]
			break
		}
	}
	if a.json() {
		out := evalJSON{decision.String(), newRequestJSON(request), []string{}, other != nil}
		for _, ref := range because {
			out.Because = append(out.Because, files[ref.Document].where(ref.Statement))
		}
		if err := a.printJSON(out); err != nil {
			return err
		}
	} else {
		p := newPaint(a.out)
		colour := "1"
		if decision == eval.Allowed {
			colour = "2"
		}
		a.printf("%s %s on %s\n", p.colour(colour, decision.String()), request.Action, request.Resource)
		for _, ref := range because {
			a.printf("  %s %s\n", p.faint("by"), files[ref.Document].where(ref.Statement))
		}
		if other != nil {
			a.printf("  %s AWS's documentation can be read so that the answer is the opposite: %v\n", p.colour("3", "but"), reason.Reading{Reading: *other})
		}
	}
	switch {
	case other != nil:
		return &exitError{code: exitUndecided}
	case decision != eval.Allowed:
		return &exitError{code: exitNo}
	}
	return nil
}

// evalJSON is what dera policy eval prints with --output json.
type evalJSON struct {
	Decision  string      `json:"decision"`
	Request   requestJSON `json:"request"`
	Because   []string    `json:"because"`   // the statements, with their files
	Ambiguous bool        `json:"ambiguous"` // AWS's documentation can be read the other way
}
