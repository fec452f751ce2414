package evaluate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dera.example/dera"
)

// Threat is one kind of threats that may be answered automatically.
type Threat struct {
	Type     string `yaml:"type" json:"type" jsonschema_description:"GuardDuty's finding type or a glob, for example CryptoCurrency:EC2/*."`
	Severity string `yaml:"severity" json:"severity" jsonschema:"enum=low,enum=medium,enum=high,enum=critical" jsonschema_description:"From which severity of GuardDuty on: low is from 1, medium from 4, high from 7, critical from 9."`
	// DataUnseen accepts that use of a key that only reads or writes data is in no record.
	DataUnseen bool  `yaml:"data_unseen,omitempty" json:"data_unseen,omitempty" jsonschema_description:"Of access keys: accept that no record has all data events, so that an owner who only reads or writes data (objects of S3 and such) is not seen. Without it a person decides. Default: false."`
	Match      Where `yaml:"match" json:"match" jsonschema_description:"Where: at least an account, an OU, an environment or a tag of the account. Tags of the resource may only narrow it: whoever may tag a resource does not say that it may be cut off."`
}

// ofKeys is in the types of findings that are about access keys.
const ofKeys = ":IAMUser/"

// Threats leaves to a person what answers a threat, other than where the configuration says
// that it may be automatic (requirement D5).
type Threats struct{ Automatic []Threat }

// Validate returns what is wrong, each with its field.
func (g Threats) Validate() error {
	var errs []error
	for i, x := range g.Automatic {
		bad := func(field, format string, args ...any) {
			errs = append(errs, fmt.Errorf("threats.automatic[%d].%s: %s", i, field, fmt.Sprintf(format, args...)))
		}
		if !strings.Contains(x.Type, ":") {
			bad("type", "%q is no finding type of GuardDuty; write one such as CryptoCurrency:EC2/*", x.Type)
		}
		if _, err := x.From(); err != nil {
			bad("severity", "%v", err)
		}
		if w := x.Match; w.Account == "" && w.OU == "" && w.Environment == "" && len(w.AccountTags) == 0 {
			bad("match", "it names no account, ou, environment or account_tags: say where the answer may be automatic; resource_tags may only narrow that")
		}
	}
	return errors.Join(errs...)
}

// From is the lowest severity that the entry is about.
func (x Threat) From() (s dera.Severity, err error) {
	err = s.UnmarshalText([]byte(x.Severity))
	return s, err
}

// Name implements Guardrail.
func (Threats) Name() string { return "threats" }

// Check implements Guardrail. The key of such a finding is GuardDuty's type.
func (g Threats) Check(_ context.Context, c Case) (dera.Reason, error) {
	if !c.Threat {
		return pass("it answers no threat"), nil
	}
	unseen := -1
	for i, x := range g.Automatic {
		from, err := x.From()
		if err != nil {
			return dera.Reason{}, err
		}
		if c.Finding.Severity >= from && dera.MatchGlob(x.Type, c.Finding.Key) && x.Match.Fits(c) {
			if strings.Contains(c.Finding.Key, ofKeys) && !x.DataUnseen {
				unseen = i
				continue
			}
			r := pass("the configuration answers %s here automatically", c.Finding.Key)
			r.Ref = fmt.Sprintf("threats.automatic[%d]", i)
			return r, nil
		}
	}
	if unseen >= 0 {
		return review("threats.automatic[%d] answers %s here, but an owner who only reads or writes data is in no record: the entry does not say data_unseen", unseen, c.Finding.Key), nil
	}
	return review("no entry of threats.automatic is about %s of severity %s here", c.Finding.Key, c.Finding.Severity), nil
}
