package account

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// Left finds accounts that are not in the organization that they are declared to be in.
func Left() control.Control {
	return control.OnFact(Type(), control.FactSpec[Account]{
		Key: "organization",
		Applies: func(_ *Account, s control.Settings) string {
			if s.Organization == "" {
				return "no organization is declared"
			}
			return ""
		},
		Meta: control.Meta{
			ID: "organizations-account-left", Title: "Account is not in its organization", Severity: dera.Critical, Watches: true,
			Why:        "Outside of the organization no service control policy holds, and the organization's trail, GuardDuty, Config and Security Hub do not see the account any more.",
			Fix:        "A person invites the account back, and looks at what was done in it meanwhile.",
			Complexity: "high",
			Cases: []control.Case{
				{When: "`organization` is set, and the account is in none or in another one", Disposition: dera.Alert, Because: "an invitation is the organization's to make and the account's to accept"},
			},
			Refs: []control.Ref{
				{Standard: "MITRE ATT&CK", ID: "T1666", URL: "https://attack.mitre.org/techniques/T1666/"},
				{Standard: "Security Hub", ID: "Account.2", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/account-controls.html"},
			},
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Fails: func(a *Account, s control.Settings) (string, bool) {
			switch {
			case a.Organization == nil || *a.Organization == s.Organization:
				return "", a.Organization != nil
			case *a.Organization == "":
				return "The account is in no organization; it is declared to be in " + s.Organization + ".", true
			}
			return "The account is in the organization " + *a.Organization + ", which " + a.Manager + " manages; it is declared to be in " + s.Organization + ".", true
		},
	})
}
