package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/services"
)

// customFixConfig names a document or a function as the fix of a control.
type customFixConfig struct {
	Control string           `yaml:"control" json:"control" jsonschema_description:"ID of the control; no glob."`
	Account string           `yaml:"account,omitempty" json:"account,omitempty" jsonschema_description:"Account ID or glob. Default: every account."`
	Run     customRunConfig  `yaml:"run" json:"run" jsonschema_description:"What is run as the fix, in the account and region of the finding."`
	Undo    *customRunConfig `yaml:"undo,omitempty" json:"undo,omitempty" jsonschema_description:"What takes it back. Default: nothing, so that dera rolls nothing back."`
}

// customRunConfig is a document or a function.
type customRunConfig struct {
	Document   string           `yaml:"document,omitempty" json:"document,omitempty" jsonschema_description:"Name of an SSM Automation document of the account or of AWS; no ARN."`
	Function   string           `yaml:"function,omitempty" json:"function,omitempty" jsonschema_description:"Name of a Lambda function, instead of a document; no ARN."`
	Version    string           `yaml:"version,omitempty" json:"version,omitempty" jsonschema:"pattern=^[1-9][0-9]*$" jsonschema_description:"A number, quoted; of a function mandatory. Default: the default version of the document, when the plan is made."`
	Role       string           `yaml:"role,omitempty" json:"role,omitempty" jsonschema_description:"Name of the role in the account as which the document acts, with its path (AutomationAssumeRole). Default: the document's own."`
	Parameters customParameters `yaml:"parameters,omitempty" json:"parameters,omitempty" jsonschema_description:"What it is given: texts, and of a document lists of them, with {resource_arn}, {resource_id}, {account}, {region} and {partition} of the finding."`
	Timeout    duration         `yaml:"timeout,omitempty" json:"timeout,omitempty" jsonschema:"type=string" jsonschema_description:"How long a document may run, 1m to 12h. Default: 30m."`
}

// customParameters are texts and lists of texts by their names.
type customParameters map[string][]string

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (p *customParameters) UnmarshalYAML(b []byte) error {
	var written map[string]any
	if err := yaml.Unmarshal(b, &written); err != nil {
		return err
	}
	*p = customParameters{}
	for _, name := range slices.Sorted(maps.Keys(written)) {
		list, ok := written[name].([]any)
		if !ok {
			list = []any{written[name]}
		}
		for _, v := range list {
			text, ok := v.(string)
			if !ok {
				return fmt.Errorf("%s is neither a text nor a list of texts: quote each value", name)
			}
			(*p)[name] = append((*p)[name], text)
		}
	}
	return nil
}

// JSONSchema says what may be written.
func (customParameters) JSONSchema() *jsonschema.Schema {
	text := &jsonschema.Schema{Type: "string"}
	return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{OneOf: []*jsonschema.Schema{text, {Type: "array", Items: text}}}}
}

// The bounds of how long a document may run: without a role of its own AWS ends it after 12
// hours.
const (
	customTimeout = 30 * time.Minute
	leastTimeout  = time.Minute
	mostTimeout   = 12 * time.Hour
)

// validateCustom returns what is wrong with custom_fixes.
func (c fileConfig) validateCustom() (errs []error) {
	seen := map[string]int{}
	for i, f := range c.CustomFixes {
		field := fmt.Sprintf("custom_fixes[%d]", i)
		bad := func(at, format string, args ...any) {
			errs = append(errs, fmt.Errorf("%s%s: %s", field, at, fmt.Sprintf(format, args...)))
		}
		ctl, err := services.FindControl(f.Control)
		switch {
		case err != nil:
			bad(".control", "%q is no control; dera control list names them", f.Control)
		case ctl.Incident || ctl.Gives:
			bad(".control", "the findings of %s are about use or access that people answer: it has no fix", f.Control)
		}
		if f.Account != "" && !regexp.MustCompile(`^[0-9*?]{1,12}$`).MatchString(f.Account) {
			bad(".account", "is %q, write twelve digits, quoted, or a glob of them", f.Account)
		}
		key := f.Control + " " + f.Account
		if first, twice := seen[key]; twice {
			bad("", "is about the same control and account as custom_fixes[%d]: remove one", first)
		}
		seen[key] = i
		for at, run := range map[string]*customRunConfig{".run": &c.CustomFixes[i].Run, ".undo": f.Undo} {
			if run != nil && c.ownRole(f.Account, run.Role) {
				bad(at+".role", "is %q, which is a role of dera's: what the document changes would be in dera's name; give it one of its own", run.Role)
			}
		}
		kind, _ := services.Types().Lookup(ctl.Type) // of an unknown control nothing more is said
		f.Run.validate(func(at, format string, args ...any) { bad(".run"+at, format, args...) }, kind.Global)
		if f.Undo != nil {
			f.Undo.validate(func(at, format string, args ...any) { bad(".undo"+at, format, args...) }, kind.Global)
		}
	}
	return errs
}

// ownRole reports whether a role of dera has the name, in an account that the glob is about.
func (c fileConfig) ownRole(account, name string) bool {
	return name != "" && slices.ContainsFunc(c.Accounts, func(a accountConfig) bool {
		if account != "" && !dera.MatchGlob(account, a.ID) {
			return false
		}
		is := func(arn string) bool { return dera.ARN(arn).Resource() == "role/"+strings.TrimPrefix(name, "/") }
		return is(a.Role) || is(a.WriteRole)
	})
}

func (r customRunConfig) validate(bad func(at, format string, args ...any), global bool) {
	fits := func(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }
	number := fits(`^[1-9][0-9]{0,9}$`, r.Version)
	switch {
	case (r.Document == "") == (r.Function == ""):
		bad("", "write a document or a function, one of both")
	case r.Function != "":
		if !fits(`^[A-Za-z0-9_-]{1,64}$`, r.Function) {
			bad(".function", "is %q, write the name of a function alone: it runs in the account and region of the finding", r.Function)
		}
		if !number {
			bad(".version", "is %q, write the number of a published version, quoted: $LATEST and aliases can change after the approval", r.Version)
		}
		if r.Role != "" || r.Timeout != 0 {
			bad("", "has role or timeout, which are of documents: a function has its own")
		}
	default:
		if !fits(`^[A-Za-z0-9_.-]{3,128}$`, r.Document) {
			bad(".document", "is %q, write the name of a document alone: it runs in the account and region of the finding", r.Document)
		}
		if r.Version != "" && !number {
			bad(".version", "is %q, write a number, quoted, or leave it out for the default version", r.Version)
		}
		if r.Role != "" && !fits(`^[A-Za-z0-9_+=,.@/-]{1,512}$`, r.Role) {
			bad(".role", "is %q, write the name of a role in the account of the finding, with its path", r.Role)
		}
		if d := time.Duration(r.Timeout); d != 0 && (d < leastTimeout || d > mostTimeout) {
			bad(".timeout", "is %s, write a duration from %s to %s", d, leastTimeout, mostTimeout)
		}
	}
	const most = 50
	if len(r.Parameters) > most {
		bad(".parameters", "has %d parameters, at most %d are taken", len(r.Parameters), most)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Parameters)) {
		r.validateParameter(bad, name, r.Parameters[name], global)
	}
}

func (r customRunConfig) validateParameter(bad func(at, format string, args ...any), name string, values []string, global bool) {
	const longest = 1000
	switch {
	case !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,99}$`).MatchString(name):
		bad(".parameters", "has a parameter %q, write letters, digits, dots, dashes and underscores", name)
	case name == "AutomationAssumeRole":
		bad(".parameters", "has AutomationAssumeRole: write the name of the role as role")
	case r.Function != "" && len(values) != 1:
		bad(".parameters", "%s is a list, and a function is given texts", name)
	}
	for _, v := range values {
		rest := v
		for _, p := range control.Placeholders() {
			rest = strings.ReplaceAll(rest, p, "")
		}
		switch {
		case len(v) > longest || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }):
			bad(".parameters", "%s has more than %d characters, or one that cannot be printed", name, longest)
		case strings.ContainsAny(rest, "{}"):
			bad(".parameters", "%s is %q: braces are only for %s", name, v, strings.Join(control.Placeholders(), ", "))
		case global && strings.Contains(v, "{region}"):
			bad(".parameters", "%s names {region}, and the resources of this control are in none: write the region", name)
		}
	}
}

// withCustom returns the controls with the custom fixes of the configuration.
func (c fileConfig) withCustom(list []control.Control) []control.Control {
	run := func(r customRunConfig) control.CustomRun {
		out := control.CustomRun{Document: r.Document, Function: r.Function, Version: r.Version, Role: r.Role, Timeout: time.Duration(r.Timeout)}
		if out.Timeout == 0 && r.Document != "" {
			out.Timeout = customTimeout
		}
		for name, values := range r.Parameters {
			if out.Parameters == nil {
				out.Parameters = map[string][]string{}
			}
			out.Parameters[name] = values
		}
		return out
	}
	for i := range list {
		var fixes []control.CustomFix
		for _, f := range c.CustomFixes {
			if f.Control != list[i].ID {
				continue
			}
			fix := control.CustomFix{Account: f.Account, Run: run(f.Run)}
			if f.Undo != nil {
				undo := run(*f.Undo)
				fix.Undo = &undo
			}
			fixes = append(fixes, fix)
		}
		if len(fixes) > 0 {
			list[i] = list[i].WithCustom(fixes...)
		}
	}
	return list
}
