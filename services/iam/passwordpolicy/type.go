// Package passwordpolicy is the password policy of an account, which holds for the
// passwords of its IAM users: the configuration, events and controls.
package passwordpolicy

import (
	"fmt"
	"strconv"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/iam"
)

// Name is the type name. CloudFormation has no such type; this one is in the form of
// those that it has.
const Name = "AWS::IAM::AccountPasswordPolicy"

// The writes, by their IAM actions.
const (
	Put    = "iam:UpdateAccountPasswordPolicy"
	Delete = "iam:DeleteAccountPasswordPolicy"
)

// PartPolicy is all of it.
const PartPolicy = "password policy"

// Policy is the password policy of an account.
type Policy struct {
	Account string `json:"account"`
	Rules
}

// Rules are what a new password must be like. A password that exists stays valid.
type Rules struct {
	// Own says that the account has a policy of its own; without one the rules are
	// AWS's.
	Own       bool `json:"own"`
	Length    int  `json:"minimum_length"`
	Uppercase bool `json:"require_uppercase"`
	Lowercase bool `json:"require_lowercase"`
	Numbers   bool `json:"require_numbers"`
	Symbols   bool `json:"require_symbols"`
	Reuse     int  `json:"reuse_prevention"` // so many earlier passwords are refused; 0 is none
	// MaxAge is after how many days a password expires, 0 for never. With HardExpiry its
	// user cannot set a new one then.
	MaxAge     int  `json:"max_age"`
	HardExpiry bool `json:"hard_expiry"`
	// ChangeOwn says that all users may change their own passwords.
	ChangeOwn bool `json:"change_own"`
}

// Default are the rules of AWS for an account without a policy. It also wants three of
// the four kinds of characters, which no policy can say.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
func Default() Rules { return Rules{Length: 8} }

// Input is version 1 of the input of both writes. Put sends all of Rules: IAM resets what
// it is not sent. Expect are the rules that are replaced.
type Input struct {
	Account string `json:"account"`
	Rules   Rules  `json:"rules"`
	Expect  Rules  `json:"expect"`
}

// ARNOf names the policy. AWS gives it no ARN; this one is in the form of those that AWS
// gives.
func ARNOf(partition, account string) dera.ARN {
	return dera.NewARN(partition, "iam", "", account, "account-password-policy/"+account)
}

// operation is the write after which the rules are those.
func operation(r Rules) string {
	if r.Own {
		return Put
	}
	return Delete
}

// Set returns the change that puts rules; its undo puts those of before, or deletes the
// policy where there was none.
func (p *Policy) Set(to Rules) (dera.Change, error) {
	diff := differences(p.Rules, to)
	return resource.NewChange(operation(to), Input{p.Account, to, p.Rules}, p.Rules, to, operation(p.Rules), Input{p.Account, p.Rules, to}, diff)
}

// differences are the settings that differ, for people.
func differences(before, after Rules) (diff []string) {
	for i, s := range settings() {
		from, to := before.values()[i], after.values()[i]
		if from != to {
			diff = append(diff, "- "+s.Path+" = "+from, "+ "+s.Path+" = "+to)
		}
	}
	return diff
}

// values are the rules in the order of settings.
func (r Rules) values() []string {
	return []string{
		strconv.FormatBool(r.Own), strconv.Itoa(r.Length), strconv.FormatBool(r.Uppercase), strconv.FormatBool(r.Lowercase), strconv.FormatBool(r.Numbers), strconv.FormatBool(r.Symbols), strconv.Itoa(r.Reuse),
	}
}

// settings are what the evidence compares. One write sends all of them.
func settings() []resource.Setting {
	off := []any{false, true}
	return []resource.Setting{
		{Path: "own", Order: off}, {Path: "minimum_length", Order: upTo(6, 128)}, {Path: "require_uppercase", Order: off}, {Path: "require_lowercase", Order: off},
		{Path: "require_numbers", Order: off}, {Path: "require_symbols", Order: off}, {Path: "reuse_prevention", Order: upTo(0, 24)},
	}
}

func upTo(from, to int) (out []any) {
	for n := from; n <= to; n++ {
		out = append(out, n)
	}
	return out
}

// Type is password policies: one for each account.
func Type() resource.Type {
	write := func(name string, own bool) resource.Operator[Policy] {
		return resource.Op(resource.OpSpec[Policy, Input]{
			OperationType: resource.OperationType{Name: name, Whole: true, Rivals: []string{"UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"}, Denies: resource.DeniesWithin},
			// A policy of the account's own says whether users may change their passwords.
			Took: func(Input, dera.Plan, dera.Change) (resource.Taken, error) {
				return resource.Taken{Within: []resource.Bounds{
					{Actions: []string{"iam:ChangePassword"}, Why: "the password policy says who may change a password, and to what"},
					{Actions: []string{"iam:CreateLoginProfile", "iam:UpdateLoginProfile"}, Error: true, Why: "the password policy refuses weak passwords"},
				}}, nil
			},
			Of: func(in Input) (string, error) {
				if in.Rules.Own != own || !own && in.Rules != Default() {
					return "", fmt.Errorf("%s does not make these rules", name)
				}
				return in.Account, nil
			},
			Apply: func(p *Policy, in Input) { p.Rules = in.Rules },
		})
	}
	return resource.Define(resource.Spec[Policy]{
		Name: Name, Global: true,
		ARN:        func(partition, account, _, _ string) dera.ARN { return ARNOf(partition, account) },
		Identify:   func(p *Policy) (id, name string, tags map[string]string) { return p.Account, "IAM", nil },
		Parts:      []resource.Part{{Name: PartPolicy, Action: "iam:GetAccountPasswordPolicy", Cheap: true}},
		Operations: []resource.Operator[Policy]{write(Put, true), write(Delete, false)},
		Settings:   settings(),
		Declare:    declare,
		Events:     Events(),
		Note:       "Passwords that exist stay valid: the rules hold for the next one that each user sets, and for those that programs make for new users.",
	})
}

// declare tells a change in Terraform. CloudFormation has no resource for it.
func declare(before, after *Policy, _ resource.Operation, as resource.Format) ([]string, error) {
	if as.Language != resource.Terraform || !after.Own {
		return nil, fmt.Errorf("%s has nothing that declares this password policy", as.Language)
	}
	names := []string{"", "minimum_password_length", "require_uppercase_characters", "require_lowercase_characters", "require_numbers", "require_symbols", "password_reuse_prevention"}
	var changed []string
	for i, name := range names[1:] {
		from, to := before.values()[i+1], after.values()[i+1]
		if from == to && before.Own {
			continue
		}
		if before.Own {
			changed = append(changed, "-  "+name+" = "+from)
		}
		changed = append(changed, "+  "+name+" = "+to)
	}
	return resource.WrapCode(as, []string{"resource \"aws_iam_account_password_policy\" \"account\" {"}, changed, []string{"}"})
}

// Events are the calls on the policy, which AWS Config has as a property of the account.
func Events() cloudtrail.Events {
	return iam.AccountEvents(Name, func(cloudtrail.Call) bool { return true }, "UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy")
}

// Controls are the controls on password policies.
func Controls() []control.Control { return []control.Control{Weak()} }
