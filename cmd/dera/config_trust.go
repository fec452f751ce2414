package main

import (
	"errors"
	"fmt"
	"regexp"

	"dera.example/dera/evaluate"
)

// trustedConfig is someone outside of the accounts to whom policies may grant access.
type trustedConfig struct {
	ID     string `yaml:"id" json:"id" jsonschema:"pattern=^([0-9]{12}|[0-9a-f]{64}|o-[a-z0-9]{10\\,32})$" jsonschema_description:"Account of twelve digits, quoted, canonical user ID of 64 hexadecimal digits, or organisation ID."`
	Name   string `yaml:"name" json:"name" jsonschema_description:"Whose it is."`
	Reason string `yaml:"reason" json:"reason" jsonschema_description:"Why it may have access."`
}

var (
	organizationID = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
	outsiderID     = regexp.MustCompile(`^([0-9]{12}|[0-9a-f]{64})$`)
)

func (c fileConfig) trusted() (ids []string) {
	for _, t := range c.Trusted {
		ids = append(ids, t.ID)
	}
	return ids
}

// validateTrust returns what is wrong with organization and trusted_accounts.
func (c fileConfig) validateTrust() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if c.Organization != "" && !organizationID.MatchString(c.Organization) {
		bad("organization", "%q is not the ID of an organisation such as o-a1b2c3d4e5", c.Organization)
	}
	seen := map[string]bool{}
	for i, t := range c.Trusted {
		field := fmt.Sprintf("trusted_accounts[%d]", i)
		switch {
		case !outsiderID.MatchString(t.ID) && !organizationID.MatchString(t.ID):
			bad(field+".id", "%q is no account of 12 digits in quotes, canonical user ID of 64 hexadecimal digits or organisation ID such as o-a1b2c3d4e5", t.ID)
		case seen[t.ID]:
			bad(field+".id", "%s is listed twice", t.ID)
		}
		seen[t.ID] = true
		for _, f := range []struct{ name, text string }{{"name", t.Name}, {"reason", t.Reason}} {
			if err := evaluate.PlainText(f.text); err != nil {
				bad(field+"."+f.name, "%v", err)
			}
		}
	}
	return errors.Join(errs...)
}

// s3Config is what is asked of buckets.
type s3Config struct {
	RequireTLS bool `yaml:"require_tls,omitempty" json:"require_tls,omitempty" jsonschema_description:"Buckets must deny requests without TLS: s3-bucket-plain-http-allowed finds those that do not. AWS makes buckets without it."`
}
