package resource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"dera.example/dera"
)

// The languages of infrastructure as code that a plan can be told in.
const (
	Terraform      = "terraform"
	CloudFormation = "cloudformation"
)

// Format says how to write infrastructure as code.
type Format struct {
	Language string // Terraform or CloudFormation
	// Plain leaves out what customers wrote freely, such as descriptions: what
	// goes into the audit log holds none.
	Plain bool
}

// Declare returns the plan as a unified diff of infrastructure as code. Where
// the file stands that declares the resource, nobody but its owner knows.
func (r Registry) Declare(config any, p dera.Plan, as Format) ([]string, error) {
	kind, err := r.Lookup(p.Type)
	if err != nil {
		return nil, err
	}
	if kind.Declare == nil {
		return nil, fmt.Errorf("%s cannot be written as %s", p.Type, as.Language)
	}
	name := p.Resource.Name()
	out := []string{"--- " + name + " as it is", "+++ " + name + " without the finding", "@@ " + string(p.Resource) + " @@"}
	for i, c := range p.Changes {
		if c.Optional {
			continue // dera's own tags are not the owner's to declare
		}
		lines, err := kind.Declare(config, Of(c), as)
		if err != nil {
			return nil, fmt.Errorf("write change %d as %s: %w", i+1, as.Language, err)
		}
		out = append(out, lines...)
		if config, err = kind.Apply(config, Of(c)); err != nil {
			return nil, fmt.Errorf("write change %d as %s: %w", i+1, as.Language, err)
		}
	}
	return out, nil
}

// YAMLText is a text as YAML reads it back: a string of JSON is one.
func YAMLText(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // a string always has JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// HCLText is a text as Terraform reads it back: templates in it stay text.
func HCLText(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(YAMLText(s))
}

// Identifier makes a name of letters, digits and underscores of what is given.
func Identifier(parts ...string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return '_'
	}, strings.Join(parts, "_"))
}

// WrapCode puts changed lines, which carry their sign, between lines that stay.
func WrapCode(as Format, head, changed, tail []string) ([]string, error) {
	if as.Language != Terraform && as.Language != CloudFormation {
		return nil, fmt.Errorf("%q is not a language of infrastructure as code that dera writes", as.Language)
	}
	var out []string
	for _, l := range head {
		out = append(out, " "+l)
	}
	out = append(out, changed...)
	for _, l := range tail {
		out = append(out, " "+l)
	}
	return out, nil
}

// LogicalID is a logical ID of CloudFormation, which has letters and digits only.
func LogicalID(name string) string {
	out := ""
	for part := range strings.SplitSeq(Identifier(name), "_") {
		if part != "" {
			out += strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return out
}
