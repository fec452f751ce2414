package evaluate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Code sends to review what infrastructure as code owns: a change that its next
// run takes back helps nobody, so its owner gets the change as a diff of the
// code. Tags and the program of the last change are its hints; whoever changes a
// resource sets both, so they only ever lower to review.
type Code struct {
	// Tags are keys with globs on their values, both without regard to case; nil
	// means terraform = *, and managed-by, managedby, managed_by, provisioner and
	// iac naming Terraform, OpenTofu, Pulumi, the CDK or CloudFormation.
	Tags map[string]string
	// Principals are ARN globs of those that run infrastructure as code. Where
	// there are any, the name of a program counts only from them.
	Principals []string
}

// Validate returns what is wrong, each with its field.
func (g Code) Validate() error {
	errs := []error{arnGlobs("infrastructure_as_code.principals", g.Principals)}
	for _, k := range sortedKeys(g.Tags) {
		if strings.TrimSpace(k) == "" || g.Tags[k] == "" {
			errs = append(errs, fmt.Errorf("infrastructure_as_code.tags: %q: a key and a glob are mandatory", k))
		}
	}
	return errors.Join(errs...)
}

// Name implements Guardrail.
func (Code) Name() string { return "infrastructure-as-code" }

// Check implements Guardrail.
func (g Code) Check(_ context.Context, c Case) (dera.Reason, error) {
	tool, how := g.tool(c)
	if tool == "" {
		return pass("neither a tag nor the last change says that infrastructure as code owns it"), nil
	}
	r := review("%s owns it, as %s says: its next run would bring it back, so the change belongs into the code", tool, how)
	r.Ref = language(tool)
	return r, nil
}

// tool names the tool that owns the resource and how that is known, or "".
func (g Code) tool(c Case) (tool, how string) {
	for _, key := range sortedKeys(c.Resource.Tags) {
		value := c.Resource.Tags[key]
		switch strings.ToLower(key) {
		case "aws:cloudformation:stack-name", "aws:cloudformation:stack-id", "aws:cloudformation:logical-id":
			return "CloudFormation", fmt.Sprintf("its tag %q", key)
		}
		if g.tagged(key, value) {
			tool := toolIn(key + " " + value)
			if tool == "" {
				tool = "infrastructure as code"
			}
			return tool, fmt.Sprintf("its tag %q", key)
		}
	}
	if tool := toolIn(c.Finding.LastAgent); tool != "" && (len(g.Principals) == 0 || IsPrincipal(g.Principals, c.Finding.LastActor)) {
		return tool, "the program of its last change"
	}
	return "", ""
}

func (g Code) tagged(key, value string) bool {
	lower := strings.ToLower(value)
	if g.Tags != nil {
		for k, glob := range g.Tags {
			if strings.EqualFold(k, key) && dera.MatchGlob(strings.ToLower(glob), lower) {
				return true
			}
		}
		return false
	}
	switch strings.ToLower(key) {
	case "terraform":
		return lower != "false" && lower != "no" && lower != "0"
	case "managed-by", "managedby", "managed_by", "provisioner", "iac":
		return toolIn(value) != ""
	}
	return false
}

// toolIn finds the name of a tool in a tag or in the name of a program.
func toolIn(text string) string {
	text = strings.ToLower(text)
	for _, t := range [][2]string{
		{"terraform", "Terraform"}, {"opentofu", "OpenTofu"}, {"pulumi", "Pulumi"}, {"aws-cdk", "the CDK"}, {"cdk", "the CDK"},
		{"cloudformation", "CloudFormation"},
	} {
		if strings.Contains(text, t[0]) {
			return t[1]
		}
	}
	return ""
}

// language is what the owner's code is written in, or can be read as.
func language(tool string) string {
	if tool == "CloudFormation" || tool == "the CDK" {
		return resource.CloudFormation
	}
	return resource.Terraform
}

// CodeLanguage returns the language in which the owner wants the change, where
// the decision says that it belongs into infrastructure as code.
func CodeLanguage(d dera.Decision) (string, bool) {
	for _, r := range d.Reasons {
		if (r.Guardrail == Code{}.Name() || r.Guardrail == Flapping{}.Name()) && r.Disposition == dera.Review && !r.Error && r.Ref != "" {
			return r.Ref, true
		}
	}
	return "", false
}
