package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"dera.example/dera"
)

// canaryConfig names the test account in which dera doctor --canary may open a group of its own. The zero
// value is none, and then it opens nothing.
type canaryConfig struct {
	Account    string `yaml:"account,omitempty" json:"account,omitempty" jsonschema:"pattern=^[0-9]{12}$" jsonschema_description:"Test account in which dera doctor --canary opens a security group that it makes itself. Default: none."`
	Region     string `yaml:"region,omitempty" json:"region,omitempty" jsonschema_description:"Region in which it does so."`
	Role       string `yaml:"role_arn,omitempty" json:"role_arn,omitempty" jsonschema_description:"Role of its own in that account, with the policy that dera role --canary prints. It is none of dera's other roles."`
	ExternalID string `yaml:"external_id,omitempty" json:"external_id,omitempty" jsonschema_description:"External ID that the trust policy of the role requires."`
	VPC        string `yaml:"vpc,omitempty" json:"vpc,omitempty" jsonschema_description:"VPC in which the group is made. Default: the default VPC."`
}

// validate returns what is wrong with canary, each with its field.
func (c canaryConfig) validate(accounts []accountConfig) error {
	if c == (canaryConfig{}) {
		return nil
	}
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("canary%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if err := dera.ValidAccountID(c.Account); err != nil {
		bad(".account", "%v", err)
	} else if len(accounts) > 0 && !slices.ContainsFunc(accounts, func(a accountConfig) bool { return a.ID == c.Account }) {
		bad(".account", "account %s is not in accounts, so that dera would not close what is opened there", c.Account)
	}
	if !regionForm.MatchString(c.Region) {
		bad(".region", "is %q, write a region such as eu-west-1", c.Region)
	}
	named := dera.ARN(c.Role)
	ofTheAccount := named.Service() == "iam" && named.Account() == c.Account
	switch {
	case !ofTheAccount:
		bad(".role_arn", "is %q, write the ARN of a role of account %s", c.Role, c.Account)
	case slices.ContainsFunc(accounts, func(a accountConfig) bool { return a.Role == c.Role || a.WriteRole == c.Role }):
		bad(".role_arn", "is a role of dera's: what that one does, dera does not judge; the canary needs another (dera role --canary)")
	}
	if c.VPC != "" && !regexp.MustCompile(`^vpc-[0-9a-f]+$`).MatchString(c.VPC) {
		bad(".vpc", "is %q, write an ID such as vpc-0123456789abcdef0", c.VPC)
	}
	return errors.Join(errs...)
}
