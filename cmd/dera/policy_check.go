package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dera/iam/policy"
)

// policyKinds are the values of --kind.
func policyKinds() map[string]policy.Kind {
	return map[string]policy.Kind{
		"identity": policy.Identity, "boundary": policy.Boundary, "session": policy.Session,
		"trust": policy.Trust, "resource": policy.Resource, "scp": policy.SCP, "rcp": policy.RCP,
	}
}

func newPolicyCheckCommand(a *app) *cobra.Command {
	var kindName string
	names := strings.Join(slices.Sorted(maps.Keys(policyKinds())), ", ")
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Say whether AWS would accept a policy, and if not, why and where",
		Long: "Say whether AWS would accept a policy, and if not, why and where.\n\n" +
			"Exit code 0: every file is valid. 3: one is not. 1: a file cannot be read.",
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, paths []string) error {
			kind, ok := policyKinds()[kindName]
			if !ok {
				return usage("--kind is %q, want one of %s", kindName, names)
			}
			return checkPolicies(a, paths, kind)
		},
	}
	cmd.Flags().StringVar(&kindName, "kind", "identity", "what the policy is used as: "+names)
	return cmd
}

// checkJSON is the answer about one file.
type checkJSON struct {
	File  string `json:"file"`
	Valid bool   `json:"valid"`
	Error string `json:"error,omitempty"`
	Size  int    `json:"size,omitempty"`
	Limit int    `json:"limit,omitempty"`
}

func checkPolicies(a *app, paths []string, kind policy.Kind) error {
	var results []checkJSON
	valid := true
	for _, path := range paths {
		f, err := openPolicy(a, path)
		if err != nil {
			return err
		}
		r := checkPolicy(f, kind)
		valid = valid && r.Valid
		results = append(results, r)
	}
	if a.json() {
		if err := a.printJSON(results); err != nil {
			return err
		}
	} else {
		printChecks(a, results, kind)
	}
	if !valid {
		return &exitError{code: exitNo}
	}
	return nil
}

func checkPolicy(f policyFile, kind policy.Kind) checkJSON {
	r := checkJSON{File: f.name, Limit: kind.SizeLimit()}
	doc, err := policy.Parse(f.text)
	if err == nil {
		err = doc.Validate(kind)
	}
	if err != nil {
		r.Error = f.locate(err).Error()
		return r
	}
	if r.Size = doc.Size(kind); r.Limit > 0 && r.Size > r.Limit {
		r.Error = fmt.Sprintf("%s: %d characters, AWS stores %d", f.name, r.Size, r.Limit)
		return r
	}
	r.Valid = true
	return r
}

func printChecks(a *app, results []checkJSON, kind policy.Kind) {
	p := newPaint(a.out)
	for _, r := range results {
		if r.Valid {
			a.printf("%s %s as %v\n", p.colour("2", "valid"), r.File, kind)
			continue
		}
		a.printf("%s %s\n", p.colour("1", "invalid"), r.Error)
	}
}
