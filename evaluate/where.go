package evaluate

import (
	"strings"

	"dera.example/dera"
)

// Where says in which places a rule of the configuration holds: where every
// field that is set fits. The zero value holds everywhere.
type Where struct {
	Control     string `yaml:"control,omitempty" json:"control,omitempty" jsonschema_description:"Control ID or glob."`
	Account     string `yaml:"account,omitempty" json:"account,omitempty" jsonschema_description:"Account ID or glob."`
	OU          string `yaml:"ou,omitempty" json:"ou,omitempty" jsonschema_description:"Organisational unit or glob."`
	Environment string `yaml:"environment,omitempty" json:"environment,omitempty" jsonschema_description:"Glob on the account's tag environment, env or stage."`
	// AccountTags come from the configuration, ResourceTags from the resource,
	// where whoever can change it can set them.
	AccountTags  map[string]string `yaml:"account_tags,omitempty" json:"account_tags,omitempty" jsonschema_description:"Tags of the account as configured: keys with globs on their values."`
	ResourceTags map[string]string `yaml:"resource_tags,omitempty" json:"resource_tags,omitempty" jsonschema_description:"Tags of the resource: keys with globs on their values. They can only lower to review."`
}

// Everywhere reports whether nothing is set.
func (w Where) Everywhere() bool {
	return w.Control == "" && w.Account == "" && w.OU == "" && w.Environment == "" && len(w.AccountTags)+len(w.ResourceTags) == 0
}

// Fits reports whether the case is in one of the places.
func (w Where) Fits(c Case) bool {
	// The account is that of the finding or nobody's.
	acct := c.Account
	if acct.ID != c.Finding.Account {
		acct = dera.Account{}
	}
	return fits(w.Control, c.Finding.Control) && fits(w.Account, c.Finding.Account) && fits(w.OU, acct.OU) &&
		fits(strings.ToLower(w.Environment), strings.ToLower(Environment(acct))) &&
		tagged(w.AccountTags, acct.Tags) && tagged(w.ResourceTags, c.Resource.Tags)
}

// Environment is what the configuration says an account is for, in the tag
// environment, env or stage, or "".
func Environment(a dera.Account) string {
	for _, key := range []string{"environment", "env", "stage"} {
		for k, v := range a.Tags {
			if strings.EqualFold(k, key) {
				return v
			}
		}
	}
	return ""
}

// fits reports whether s is matched; an unset glob matches everything, a set one
// nothing that is empty.
func fits(glob, s string) bool { return glob == "" || s != "" && dera.MatchGlob(glob, s) }

// tagged reports whether every wanted tag is there, keys without regard to case.
func tagged(want, have map[string]string) bool {
	for key, glob := range want {
		found := false
		for k, v := range have {
			found = found || strings.EqualFold(k, key) && dera.MatchGlob(glob, v)
		}
		if !found {
			return false
		}
	}
	return true
}
