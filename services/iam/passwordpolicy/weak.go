package passwordpolicy

import (
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/evidence"
	"dera.example/dera/services/iam"
)

// What a policy has to ask for at least (CIS AWS Foundations 5.0.0, 1.7 and 1.8).
const (
	leastLength = 14
	leastReuse  = 24
)

// Weak finds accounts whose users may set short, simple or earlier passwords.
func Weak() control.Control {
	return control.Define(control.Spec[*Policy]{
		Meta: control.Meta{
			ID:         "iam-passwordpolicy-weak",
			Title:      "Password policy of the account allows weak passwords",
			Type:       Name,
			Severity:   dera.Medium,
			Why:        "A short, simple or earlier password is guessed or found in a list, and whoever has it is the user, in the console, from anywhere.",
			Fix:        "One write sends the whole policy: 14 characters at least, of all four kinds, and none of the last 24 passwords. What is stricter stays, and so do the age at which passwords expire and who may change their own.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "new passwords may be shorter than 14 characters, lack a kind of characters or be one of the last 24, or the account has no policy of its own", Disposition: dera.Auto, Because: "passwords that exist stay valid, and nobody is locked out"},
				{When: "the same, where passwords expire and only an administrator can set a new one then", Disposition: dera.Review, Because: "what administrators set by a program may be too short"},
			},
			Refs: []control.Ref{
				iam.CIS("1.7, 1.8"), iam.CIS7("2.8, 2.9"), iam.SecurityHub("IAM.11 to IAM.16; IAM.7 and IAM.10 but for the age"), iam.ConfigRule("IAM_PASSWORD_POLICY"), iam.NIST("AC-2(1), AC-2(3), AC-3(15), IA-5(1)"), iam.PCI("8.3.6, 8.3.7, 8.6.3"),
			},
			Reads:    Type().Reads(),
			Writes:   []string{Put, Delete},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: func(p *Policy, _ control.Settings) control.Result {
			_, weak := p.stricter()
			if len(weak) == 0 {
				return control.Result{Outcome: control.Pass}
			}
			f := control.Failure{
				Key: "password-policy", Start: dera.Auto, Severity: dera.Medium, Title: "Password policy of the account allows weak passwords",
				Why: p.lacks(),
			}
			if p.HardExpiry && p.MaxAge > 0 {
				f.Start, f.Why = dera.Review, f.Why+" Passwords expire, and only an administrator sets a new one then."
			}
			return control.Result{Outcome: control.Fail, Whole: true, Failures: []control.Failure{f}}
		},
		Plan: func(p *Policy, _ []control.Failure, _ control.Settings) ([]dera.Change, *control.Refusal) {
			c, err := p.Set(p.strict())
			if err != nil {
				return nil, iam.CannotPlan(err)
			}
			return []dera.Change{c}, nil
		},
		Prove: func(p *Policy, _ []control.Failure, changes []dera.Change, _ control.Settings) (dera.Evidence, error) {
			_, wanted := p.stricter()
			return evidence.ProveSettings(Type(), p, changes, wanted)
		},
	})
}

// lacks says what is less strict than it should be.
func (p *Policy) lacks() string {
	var out []string
	for i, s := range settings()[1:] {
		if is, want := p.values()[i+1], p.strict().values()[i+1]; is != want {
			out = append(out, s.Path+" is "+is+" and should be "+want)
		}
	}
	why := strings.Join(out, ", ") + "."
	if !p.Own {
		return "The account has no policy of its own; by that of AWS " + why
	}
	return "In the policy of the account " + why
}

// strict are the rules with what they have to ask for at least.
func (p *Policy) strict() Rules {
	r, _ := p.stricter()
	return r
}

// stricter are the rules with what they have to ask for at least, and the settings that
// differ then.
func (p *Policy) stricter() (Rules, map[string]any) {
	r := p.Rules
	r.Own, r.Length, r.Reuse = true, max(r.Length, leastLength), max(r.Reuse, leastReuse)
	r.Uppercase, r.Lowercase, r.Numbers, r.Symbols = true, true, true, true
	after := []any{r.Own, r.Length, r.Uppercase, r.Lowercase, r.Numbers, r.Symbols, r.Reuse}
	changed := map[string]any{}
	for i, s := range settings() {
		if p.values()[i] != r.values()[i] {
			changed[s.Path] = after[i]
		}
	}
	return r, changed
}
