package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
)

// policyKinds are the values of --kind.
func policyKinds() map[string]policy.Kind {
	return map[string]policy.Kind{
		"identity": policy.Identity, "boundary": policy.Boundary, "session": policy.Session,
		"trust": policy.Trust, "resource": policy.Resource, "scp": policy.SCP, "rcp": policy.RCP,
	}
}

func newPolicyCheckCommand(a *cli) *cobra.Command {
	var kindName string
	names := strings.Join(slices.Sorted(maps.Keys(policyKinds())), ", ")
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Say whether AWS would accept a policy, and if not, why and where",
		Long: "Say whether AWS would accept a policy, and if not, why and where: every fault with file, line and column.\n" +
			"What AWS accepts and nobody knows - a service, an action or a condition key that the catalogue lacks, an empty\n" +
			"list of values - is a warning.\n\n" +
			"Exit code 0: every file is valid, with or without warnings. 3: one is not. 1: a file cannot be read. 2: the\n" +
			"command line is wrong.",
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, paths []string) error {
			kind, ok := policyKinds()[kindName]
			if !ok {
				return usage("--kind is %q, must be one of %s", kindName, names)
			}
			return checkPolicies(a, paths, kind)
		},
	}
	cmd.Flags().StringVar(&kindName, "kind", "identity", "what the policy is used as: "+names)
	return cmd
}

// checkJSON is the answer about one file.
type checkJSON struct {
	File     string      `json:"file"`
	Valid    bool        `json:"valid"`
	Error    string      `json:"error,omitempty"` // what AWS would answer, with its place
	Faults   []faultJSON `json:"faults,omitempty"`
	Warnings []faultJSON `json:"warnings,omitempty"`
	Size     int         `json:"size,omitempty"`
	Limit    int         `json:"limit,omitempty"`
}

// faultJSON is one thing that is wrong with a file, or may be.
type faultJSON struct {
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`

	text string // all of it, for people
}

func checkPolicies(a *cli, paths []string, kind policy.Kind) error {
	var results []checkJSON
	valid := true
	know := newKnowledge()
	for _, path := range paths {
		f, err := openPolicy(a, path)
		if err != nil {
			return err
		}
		r := checkPolicy(f, kind, know)
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

func checkPolicy(f policyFile, kind policy.Kind, know knowledge) checkJSON {
	r := checkJSON{File: f.name, Limit: kind.SizeLimit()}
	for _, e := range policy.Faults(f.text, kind) {
		r.Faults = append(r.Faults, faultJSON{e.At.Line, e.At.Column, e.Reason, e.Detail, f.locate(e).Error()})
	}
	doc, err := policy.Parse(f.text)
	if err == nil {
		r.Warnings = know.warnings(f, doc)
		if r.Size = doc.Size(kind); r.Limit > 0 && r.Size > r.Limit {
			text := fmt.Sprintf("%d characters, AWS stores %d", r.Size, r.Limit)
			r.Faults = append(r.Faults, faultJSON{Reason: text, text: f.name + ": " + text})
		}
	}
	if err == nil {
		err = doc.Validate(kind)
	}
	r.Valid = len(r.Faults) == 0
	switch {
	case err != nil:
		r.Error = f.locate(err).Error()
	case !r.Valid:
		r.Error = r.Faults[0].text
	}
	return r
}

// knowledge is what the catalogue has of services, actions and condition keys.
type knowledge struct {
	catalog *catalog.Catalog
	key     func(string) bool
}

func newKnowledge() knowledge {
	c := catalog.Embedded()
	return knowledge{c, reason.KnownKeys(c)}
}

// warnings names what AWS accepts and nobody knows.
func (k knowledge) warnings(f policyFile, doc *policy.Document) []faultJSON {
	var out []faultJSON
	warn := func(n policy.Name, format string) {
		at, text := doc.Position(n.Offset), fmt.Sprintf(format, n.Text)
		out = append(out, faultJSON{at.Line, at.Column, text, "", fmt.Sprintf("%s:%d:%d: %s", f.name, at.Line, at.Column, text)})
	}
	for _, a := range doc.Actions() {
		service, _, ok := strings.Cut(a.Text, ":")
		switch list, found := k.catalog.Expand(a.Text); {
		case !ok || found && len(list) > 0:
		case service != "*" && !k.catalog.Known(service):
			warn(a, "the service of action %q is not known")
		default:
			warn(a, "no action is known that %q matches")
		}
	}
	keys, empty := doc.Keys()
	for _, n := range keys {
		if strings.Contains(n.Text, ":") && !k.key(n.Text) {
			warn(n, "the condition key %q is not known")
		}
	}
	for _, n := range empty {
		warn(n, "the condition on %q has no value: it never holds, or always")
	}
	return out
}

func printChecks(a *cli, results []checkJSON, kind policy.Kind) {
	p := newPaint(a.out)
	for _, r := range results {
		if r.Valid {
			a.printf("%s %s as %v\n", p.colour("2", "valid"), r.File, kind)
		}
		for _, e := range r.Faults {
			a.printf("%s %s\n", p.colour("1", "invalid"), e.text)
		}
		for _, w := range r.Warnings {
			a.printf("%s %s\n", p.colour("3", "warning"), w.text)
		}
	}
}
