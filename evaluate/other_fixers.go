package evaluate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Fixer is another tool that changes resources of a type automatically, such as a
// remediation configuration of AWS Config. An empty field is any.
type Fixer struct {
	Name    string `yaml:"name" json:"name" jsonschema_description:"What people call it."`
	Account string `yaml:"account,omitempty" json:"account,omitempty" jsonschema_description:"Account ID or glob. Default: every account."`
	Region  string `yaml:"region,omitempty" json:"region,omitempty" jsonschema_description:"Region or glob. Default: every region."`
	Type    string `yaml:"type,omitempty" json:"type,omitempty" jsonschema_description:"CloudFormation type or glob. Default: every type."`
	// Rule is what the tool itself is called, such as a rule of EventBridge, where it was found
	// and not declared.
	Rule string `yaml:"-" json:"-"`
}

// Fixers knows which other tools change resources of a type in an account and
// region. An error means that nothing is known of them.
type Fixers interface {
	Fixers(ctx context.Context, account, region, typ string) ([]Fixer, error)
}

// FixerList is what a configuration declares.
type FixerList []Fixer

// Fixers implements Fixers.
func (l FixerList) Fixers(_ context.Context, account, region, typ string) ([]Fixer, error) {
	var out []Fixer
	for _, f := range l {
		if fits(f.Account, account) && fits(f.Region, region) && fits(f.Type, typ) {
			out = append(out, f)
		}
	}
	return out, nil
}

// FixerOwner names the one tool that fixes a control's findings in an account.
type FixerOwner struct {
	Control string `yaml:"control,omitempty" json:"control,omitempty" jsonschema_description:"Control ID or glob. Default: every control."`
	Account string `yaml:"account,omitempty" json:"account,omitempty" jsonschema_description:"Account ID or glob. Default: every account."`
	Owner   string `yaml:"owner" json:"owner" jsonschema_description:"dera, or the name of another tool."`
}

// ThisDera is the owner that means this dera.
const ThisDera = "dera"

// The tags by which other tools are known: AWS's solution Automated Security
// Response on AWS has the ID SO0111, and a dera tags what it changed with the
// name of its installation.
const (
	securityResponse = "SO0111*"
	InstanceTag      = resource.TagPrefix + "instance"
)

// OtherFixers sends to review where another tool fixes the same resources, until
// the configuration names one owner (requirement R13): two fixers that take each
// other's changes back are worse than none.
type OtherFixers struct {
	// Sources are asked one after the other.
	Sources []Fixers
	// Owners name the owner; of those that fit the last one counts.
	Owners []FixerOwner
	// Not are those that are none, by the name of the rule.
	Not []Fixer
	// Instance is the name of this dera among several; may be empty.
	Instance string
}

// Validate returns what is wrong, each with its field.
func (g OtherFixers) Validate() error {
	var errs []error
	for i, o := range g.Owners {
		if strings.TrimSpace(o.Owner) == "" {
			errs = append(errs, fmt.Errorf("fixers[%d].owner: is mandatory", i))
		}
	}
	for i, f := range g.Not {
		if strings.Trim(f.Name, "*? ") == "" {
			errs = append(errs, fmt.Errorf("not_fixers[%d].name: %q would be every one: name the rule", i, f.Name))
		}
	}
	for _, s := range g.Sources {
		list, declared := s.(FixerList)
		for i, f := range list {
			if declared && strings.TrimSpace(f.Name) == "" {
				errs = append(errs, fmt.Errorf("other_fixers[%d].name: is mandatory", i))
			}
		}
	}
	return errors.Join(errs...)
}

// Name implements Guardrail.
func (OtherFixers) Name() string { return "other-fixers" }

// Check implements Guardrail.
func (g OtherFixers) Check(ctx context.Context, c Case) (dera.Reason, error) {
	switch owner := g.OwnerOf(c.Finding.Control, c.Finding.Account); {
	case owner == ThisDera || owner != "" && owner == g.Instance:
		return pass("the configuration names dera as the one that fixes it"), nil
	case owner != "":
		return review("the configuration names %s as the one that fixes it", owner), nil
	}
	if who := g.tagged(c.Resource.Tags); who != "" {
		return review("%s fixes it too, as its tags say; name one owner in fixers", who), nil
	}
	for _, s := range g.Sources {
		list, err := s.Fixers(ctx, c.Finding.Account, c.Finding.Region, c.Finding.ResourceType)
		if err != nil {
			return dera.Reason{}, fmt.Errorf("look for other tools: %w", err)
		}
		if list = slices.DeleteFunc(slices.Clone(list), g.IsNone); len(list) > 0 {
			more := ""
			if n := len(list) - 1; n > 0 {
				more = fmt.Sprintf(" (and %d more)", n)
			}
			r := review("%s%s fixes such resources too; name one owner in fixers", list[0].Name, more)
			r.Ref = list[0].Name
			return r, nil
		}
	}
	if len(g.Sources) == 0 {
		return pass("its tags name no other tool that fixes it; other places were not checked"), nil
	}
	return pass("no other tool is known to fix it"), nil
}

// IsNone reports whether the configuration says that a tool that was found is no fixer.
func (g OtherFixers) IsNone(f Fixer) bool {
	return f.Rule != "" && slices.ContainsFunc(g.Not, func(n Fixer) bool {
		return fits(n.Name, f.Rule) && fits(n.Account, f.Account) && fits(n.Region, f.Region) && (n.Type == "" || fits(n.Type, f.Type))
	})
}

// OwnerOf is the owner that the configuration names for a control's findings in an account, or "".
func (g OtherFixers) OwnerOf(control, account string) (owner string) {
	for _, o := range g.Owners {
		if fits(o.Control, control) && fits(o.Account, account) {
			owner = o.Owner
		}
	}
	return owner
}

// tagged finds another tool in the tags of the resource.
func (g OtherFixers) tagged(tags map[string]string) string {
	for _, k := range sortedKeys(tags) {
		switch {
		case dera.MatchGlob(securityResponse, k) || dera.MatchGlob(securityResponse, tags[k]):
			return "Automated Security Response on AWS"
		case k == InstanceTag && tags[k] != g.Instance:
			return fmt.Sprintf("another dera (%q)", plain(tags[k]))
		}
	}
	return ""
}
