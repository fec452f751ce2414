package main

import (
	"cmp"
	"errors"
	"fmt"

	"dera.example/dera"
)

// hubConfig is what dera writes to AWS Security Hub. The zero value writes nothing.
type hubConfig struct {
	WriteBack bool   `yaml:"write_back,omitempty" json:"write_back,omitempty" jsonschema_description:"Set the workflow of Security Hub's findings: NOTIFIED at the fix, RESOLVED when Security Hub sees it too, NEW on a rollback. What a person set stays. Default: false."`
	Import    bool   `yaml:"import,omitempty" json:"import,omitempty" jsonschema_description:"Import dera's own findings into the Security Hub of their account and region. Default: false."`
	V2        bool   `yaml:"v2,omitempty" json:"v2,omitempty" jsonschema_description:"Write back to Security Hub V2, by comment and status. Default: false."`
	Both      bool   `yaml:"v1_too,omitempty" json:"v1_too,omitempty" jsonschema_description:"With v2: write back to Security Hub CSPM as well. Default: false."`
	Account   string `yaml:"account,omitempty" json:"account,omitempty" jsonschema_description:"Delegated administrator through which findings are set. Default: the account of the finding."`
	Region    string `yaml:"region,omitempty" json:"region,omitempty" jsonschema_description:"Aggregation region in which findings are set. Default: the region of the finding."`
}

func (c hubConfig) on() bool { return c.WriteBack || c.Import }

// validate returns what is wrong with security_hub.
func (c hubConfig) validate(accounts []accountConfig) error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("security_hub%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if c.Account != "" {
		if err := dera.ValidAccountID(c.Account); err != nil {
			bad(".account", "%v", err)
		} else if known := func() bool {
			for _, a := range accounts {
				if a.ID == c.Account {
					return true
				}
			}
			return len(accounts) == 0
		}(); !known {
			bad(".account", "account %s is not in accounts, so that dera does not know how to get into it", c.Account)
		}
	}
	if (c.V2 || c.Account != "" || c.Region != "") && !c.WriteBack {
		bad("", "has %s and no write_back, so that nothing is set", cmp.Or(map[bool]string{true: "v2"}[c.V2], "a place"))
	}
	if c.Both && !c.V2 {
		bad(".v1_too", "is about v2, which is off: leave it out")
	}
	return errors.Join(errs...)
}

// actions are the IAM actions that it takes.
func (c hubConfig) actions() (out []string) {
	if c.WriteBack && (!c.V2 || c.Both) {
		out = append(out, "securityhub:GetFindings", "securityhub:BatchUpdateFindings")
	}
	if c.WriteBack && c.V2 {
		out = append(out, "securityhub:GetFindingsV2", "securityhub:BatchUpdateFindingsV2")
	}
	if c.Import {
		out = append(out, "securityhub:BatchImportFindings")
	}
	return out
}
