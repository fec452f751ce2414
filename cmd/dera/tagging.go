package main

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/evaluate"
	"dera.example/dera/resource"
)

// taggingConfig says whether and with what changed resources are tagged
// (requirement A3). Its zero value tags nothing.
type taggingConfig struct {
	Enabled bool `yaml:"enabled,omitempty" json:"enabled,omitempty" jsonschema_description:"Tag what was changed with the finding, the owning team and the cost centre. Default: false."`
	// A tag can change who has access where policies go by tags.
	Except     []string `yaml:"except_accounts,omitempty" json:"except_accounts,omitempty" jsonschema_description:"Accounts (IDs or globs) whose policies go by tags of resources: nothing is tagged there."`
	CostCentre []string `yaml:"cost_centre_tags,omitempty" json:"cost_centre_tags,omitempty" jsonschema_description:"Tag keys of the resource, then of the account, that hold the cost centre. Default: cost-centre, CostCenter, cost_center."`
}

// Keys of the tags that dera writes. All have resource.TagPrefix.
const (
	findingTag    = resource.TagPrefix + "finding"
	ownerTag      = resource.TagPrefix + "owner"
	costCentreTag = resource.TagPrefix + "cost-centre"
)

// tags is how the engine tags, or nil where tagging is off.
func (c taggingConfig) tags(owners evaluate.Owners, instance string) func(dera.Account, dera.Resource, []dera.Finding) map[string]string {
	if !c.Enabled {
		return nil
	}
	return func(a dera.Account, r dera.Resource, findings []dera.Finding) map[string]string {
		for _, glob := range c.Except {
			if dera.MatchGlob(glob, a.ID) {
				return nil
			}
		}
		out := map[string]string{}
		var ids []string
		for _, f := range findings {
			ids = append(ids, f.ID)
		}
		put(out, findingTag, strings.Join(ids, " "))
		owner, _ := owners.Of(r, a, "") // not the last actor: the plan must come out the same again
		put(out, ownerTag, owner)
		put(out, costCentreTag, c.costCentre(a, r))
		put(out, evaluate.InstanceTag, instance)
		return out
	}
}

func (c taggingConfig) costCentre(a dera.Account, r dera.Resource) string {
	keys := c.CostCentre
	if len(keys) == 0 {
		keys = []string{"cost-centre", "CostCenter", "cost_center"}
	}
	for _, tags := range []map[string]string{r.Tags, a.Tags} {
		for _, k := range keys {
			if tags[k] != "" {
				return tags[k]
			}
		}
	}
	return ""
}

// put sets a tag in the form that every service takes: letters, digits, blanks
// and + - = . _ : / @, 256 characters at most (AWS Tagging reference).
func put(tags map[string]string, key, value string) {
	value = strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.ContainsRune(" +-=._:/@", c) {
			return c
		}
		return '_'
	}, value)
	const most = 256
	if len(value) > most {
		value = value[:most]
	}
	if value = strings.TrimSpace(value); value != "" {
		tags[key] = value
	}
}
