package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"dera.example/dera"
	"dera.example/dera/evaluate"
)

type flappingConfig struct {
	Returns int      `yaml:"returns,omitempty" json:"returns,omitempty" jsonschema:"minimum=0" jsonschema_description:"Default: 3."`
	Window  duration `yaml:"window,omitempty" json:"window,omitempty" jsonschema:"type=string" jsonschema_description:"Default: 24h."`
}

type watchersConfig struct {
	Principals []string `yaml:"principals,omitempty" json:"principals,omitempty" jsonschema_description:"ARN globs of users and roles: what they switched off goes to review."`
}

type threatsConfig struct {
	Automatic []evaluate.Threat `yaml:"automatic,omitempty" json:"automatic,omitempty" jsonschema_description:"Which threats are answered automatically. Default: none; a person decides."`
}

// validateGate returns what is wrong with the parts that the guardrails read.
func (c fileConfig) validateGate() error {
	errs := []error{
		evaluate.BreakGlass(c.BreakGlass).Validate(), evaluate.Own{Resources: dera.NewPrincipals(c.OwnResources)}.Validate(), evaluate.Watchers(c.Watchers).Validate(), evaluate.Threats(c.Threats).Validate(),
		evaluate.Observation{Days: c.Observation.Days, Shorter: c.Observation.Shorter}.Validate(), evaluate.Code(c.Code).Validate(), evaluate.Compliance{Scopes: c.Compliance}.Validate(), evaluate.Criteria{List: c.Criteria}.Validate(),
	}
	errs = append(errs, c.otherFixers(nil, nil).Validate(), c.Permissions.validate(), c.Access.validate(), c.nonProductionFirst().Validate())
	for i, o := range c.Fixers {
		if o.Control != "" && !matchesControl(o.Control) {
			errs = append(errs, fmt.Errorf("fixers[%d].control: %q matches no control", i, o.Control))
		}
	}
	_, err := evaluate.NewWindows(c.FreezeWindows, c.ChangeWindows, time.Now)
	errs = append(errs, err)
	if c.Breakers.Reserve < -1 || c.Breakers.Reserve > 1000 {
		errs = append(errs, fmt.Errorf("breakers.reserve: is %d, must be -1 (none) to 1000", c.Breakers.Reserve))
	}
	if p := c.Breakers.Production; p != nil && len(p.ResourceTags) > 0 {
		errs = append(errs, errors.New("breakers.production.resource_tags: whoever can tag a resource could use the reserve"))
	}
	places := c.places()
	for _, field := range slices.Sorted(maps.Keys(places)) {
		if w := places[field]; w.Control != "" && !matchesControl(w.Control) {
			errs = append(errs, fmt.Errorf("%s.match.control: %q matches no control", field, w.Control))
		}
	}
	return errors.Join(errs...)
}

// otherFixers is the guardrail with what the configuration declares, and those that AWS Config
// and EventBridge tell of, where they are to be asked.
func (c fileConfig) otherFixers(config, rules evaluate.Fixers) evaluate.OtherFixers {
	g := evaluate.OtherFixers{Owners: c.Fixers, Not: c.NotFixers, Instance: c.Instance}
	if len(c.OtherFixers) > 0 {
		g.Sources = append(g.Sources, evaluate.FixerList(c.OtherFixers))
	}
	if c.AskConfig {
		g.Sources = append(g.Sources, config)
	}
	if c.AskRules {
		g.Sources = append(g.Sources, rules)
	}
	return g
}

// nonProductionFirst is the guardrail with what the configuration declares.
func (c fileConfig) nonProductionFirst() evaluate.NonProductionFirst {
	return evaluate.NonProductionFirst{List: c.First, Accounts: c.accounts()}
}

// places are the matches of the configuration by their fields.
func (c fileConfig) places() map[string]evaluate.Where {
	out := map[string]evaluate.Where{}
	add := func(list string, i int, w evaluate.Where) { out[fmt.Sprintf("%s[%d]", list, i)] = w }
	for i, w := range c.FreezeWindows {
		add("freeze_windows", i, w.Match)
	}
	for i, w := range c.ChangeWindows {
		add("change_windows", i, w.Match)
	}
	for i, s := range c.Compliance {
		add("compliance_scopes", i, s.Match)
	}
	for i, x := range c.Criteria {
		add("criteria", i, x.Match)
	}
	for i, x := range c.First {
		add("non_production_first", i, x.Match)
	}
	for i, x := range c.Threats.Automatic {
		add("threats.automatic", i, x.Match)
	}
	for i, s := range c.Observation.Shorter {
		add("observation.shorter", i, s.Match)
	}
	return out
}
