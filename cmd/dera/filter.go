package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"dera.example/dera"
	"dera.example/dera/app"
)

// filterFlags are the flags that limit a report, as they were given.
type filterFlags struct {
	severity                             string
	accounts, controls, owners, resource []string
	states                               []string
	waiting                              bool
}

func (f *filterFlags) severityFlag(p *pflag.FlagSet) {
	p.StringVar(&f.severity, "severity", "", "only findings of this severity and worse: "+strings.Join(severities(), ", "))
}

func (f *filterFlags) controlFlag(p *pflag.FlagSet) {
	p.StringSliceVar(&f.controls, "control", nil, "only findings of these controls: IDs or globs, separated by commas")
}

func (f *filterFlags) resourceFlag(p *pflag.FlagSet) {
	p.StringSliceVar(&f.resource, "resource", nil, "only findings of these resources: names, IDs, ARNs or globs, separated by commas")
}

func severities() []string {
	return []string{dera.Critical.String(), dera.High.String(), dera.Medium.String(), dera.Low.String()}
}

func findingStates() []string {
	return []string{string(dera.FindingOpen), string(dera.FindingUnknown), string(dera.FindingResolved)}
}

// filter is what the flags say. A value that can fit nothing is a usage error.
func (f *filterFlags) filter() (app.Filter, error) {
	out := app.Filter{Accounts: f.accounts, Controls: f.controls, Owners: f.owners, Resources: f.resource, Waiting: f.waiting}
	var err error
	if f.severity != "" {
		if out.Severity, err = severityOf("--severity", f.severity, severities()); err != nil {
			return out, err
		}
	}
	for _, glob := range f.controls {
		if !matchesControl(glob) {
			return out, usage("--control: %q matches no control; dera control list names them", glob)
		}
	}
	for _, a := range f.accounts {
		if strings.Trim(a, "0123456789*?") != "" || !strings.ContainsAny(a, "*?") && dera.ValidAccountID(a) != nil {
			return out, usage("--account: %q is not an account ID (12 digits) or a glob of them", a)
		}
	}
	for _, s := range f.states {
		if !slices.Contains(findingStates(), s) {
			return out, usage("--state: %q is not one of %s", s, strings.Join(findingStates(), ", "))
		}
		out.States = append(out.States, dera.FindingState(s))
	}
	for name, list := range map[string][]string{"--owner": f.owners, "--resource": f.resource} {
		if slices.Contains(list, "") {
			return out, usage("%s: a value is empty", name)
		}
	}
	return out, nil
}

func severityOf(flag, text string, values []string) (dera.Severity, error) {
	var s dera.Severity
	if err := s.UnmarshalText([]byte(text)); err != nil {
		return 0, usage("%s: %q is not one of %s", flag, text, strings.Join(values, ", "))
	}
	return s, nil
}

// failOn is from which severity on an open finding makes exit code 3.
func failOn(text string) (dera.Severity, error) {
	const never = dera.Critical + 1
	if text == "none" {
		return never, nil
	}
	return severityOf("--fail-on", text, append(severities(), "none"))
}

// leftOutText counts the findings that the filter hides, and those of them that
// could not be read.
func leftOutText(s app.ScanSummary) string {
	if s.LeftOut == 0 {
		return ""
	}
	text := fmt.Sprintf("the filter hides %s", counted(s.LeftOut, "finding"))
	if s.LeftOutNotRead > 0 {
		text += fmt.Sprintf(", %d of which the last scan could not read", s.LeftOutNotRead)
	}
	return text
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
