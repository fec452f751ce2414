package key

import (
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/document"
)

// ExternalGrant finds grants to principals of accounts that are not declared.
func ExternalGrant() control.Control {
	return control.Define(control.Spec[*Key]{
		Meta: control.Meta{
			ID: "kms-key-external-grant", Title: "A grant of the KMS key is for an account that is not declared", Type: Name, Severity: dera.High,
			Why:        "A grant gives the use of a key beside its policy, and is seen by nobody who reads only that.",
			Fix:        "A person finds out whose account it is, and revokes the grant, or declares the account in trusted_accounts of the configuration. A revoked grant cannot be made again as it was.",
			Complexity: "medium", ByHand: true,
			Cases: []control.Case{{When: "the grantee is a principal of an account that is not the key's own, not among accounts, not in trusted_accounts and not a known vendor's", Disposition: dera.Review, Because: "it may be meant, and only its owner knows"}},
			Refs:  []control.Ref{{Standard: "AWS KMS", ID: "grants", URL: "https://docs.aws.amazon.com/kms/latest/developerguide/grants.html"}},
			Reads: Type().Reads(), Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Check: func(k *Key, s control.Settings) control.Result {
			switch {
			case k.Manager == "AWS":
				return control.Result{Outcome: control.NotApplicable}
			case !k.Read(PartGrants):
				return control.Result{Outcome: control.UnknownResult, Why: "its grants could not be read"}
			}
			by := map[string][]string{}
			for _, g := range k.Grants {
				account := dera.ARN(g.Grantee).Account()
				if account == "" || account == k.Account || slices.Contains(s.Accounts, account) || slices.Contains(s.Trusted, account) || document.KnownAccount(account) != "" {
					continue
				}
				by[account] = append(by[account], g.Grantee+" ("+strings.Join(g.Operations, ", ")+")")
			}
			var out []control.Failure
			for account, grants := range by {
				slices.Sort(grants)
				out = append(out, control.Failure{
					Key: "grant/" + account, Start: dera.Review, Severity: dera.High, Title: "A grant of the KMS key is for the undeclared account " + account,
					Why: "Grants are for " + strings.Join(slices.Compact(grants), "; ") + ".",
				})
			}
			if len(out) == 0 {
				return control.Result{Outcome: control.Pass}
			}
			slices.SortFunc(out, func(a, b control.Failure) int { return strings.Compare(a.Key, b.Key) })
			return control.Result{Outcome: control.Fail, Failures: out}
		},
		Plan: func(*Key, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) {
			return nil, &control.Refusal{Code: "by-hand", Why: "a grant that is revoked cannot be made again as it was: revoke it with aws kms revoke-grant, or declare the account in trusted_accounts"}
		},
	})
}
