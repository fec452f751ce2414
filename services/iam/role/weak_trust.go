package role

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/iam"
	"dera.example/dera/services/iam/trust"
)

// WeakTrust finds roles whose trust policy allows someone who is meant, and with them
// others: every user of an identity provider, every customer of a vendor or of a
// service of AWS.
func WeakTrust() control.Control {
	return control.Define(control.Spec[*Role]{
		Meta: control.Meta{
			ID:       "iam-role-weak-trust",
			Title:    "Role trusts an identity provider, a vendor or a service without saying for whom",
			Type:     Name,
			Severity: dera.High,
			Why: "An identity provider speaks for all its users, a vendor works for all its customers, a service of AWS for all accounts. Without a condition " +
				"on the subject, the external ID or the source, each of them can be made to act for somebody else (the confused deputy).",
			Fix: "A person adds the condition: the claim that names the subject (TOKEN-ISSUER:sub), the external ID that the vendor gave (sts:ExternalId), or " +
				"aws:SourceAccount and aws:SourceArn. What the right value is, nobody but the owner knows.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "a web identity or SAML provider may assume the role, and no condition names a subject", Disposition: dera.Review, Because: "every user of the provider may come in; of a shared issuer that is anybody"},
				{When: "a declared account that is not the organisation's, or a known vendor's, may assume the role without an external ID", Disposition: dera.Review, Because: "another customer of the vendor could make it act on this role"},
				{When: "a service of AWS may assume the role on behalf of an account that nobody declared (aws:SourceAccount, aws:SourceArn)", Disposition: dera.Review, Because: "whoever holds that account can make the service act as the role"},
				{When: "a service of AWS, in which a customer of another account can name the role, may assume it without aws:SourceArn, aws:SourceAccount or aws:SourceOrgID", Disposition: dera.Alert, Because: "the service can be made to act by any of its customers; seldom urgent"},
				{When: "several such services may assume it: one finding for all of them", Disposition: dera.Review, Because: "a role that is there for several services is seldom meant so, and each of them can be made to act by any of its customers"},
			},
			Refs: []control.Ref{
				{Standard: "IAM user guide", ID: "the confused deputy problem", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"},
				{Standard: "IAM user guide", ID: "OIDC federation: limit the subject", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html"},
				{Standard: "NIST 800-53 r5", ID: "AC-3, IA-8", URL: "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final"},
			},
			Reads:    iam.ReadsOf(Parts()),
			ByHand:   true,
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: checkWeakTrust,
		Plan: func(*Role, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) {
			return nil, &control.Refusal{Code: "by-hand", Why: "which subject, external ID or source is meant, only the role's owner knows: add the condition to the trust policy"}
		},
	})
}

func checkWeakTrust(r *Role, s control.Settings) control.Result {
	if !r.Read(PartRole) {
		return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the trust policy"}
	}
	if iam.Fixed(r.Path) {
		return control.Result{Outcome: control.NotApplicable}
	}
	made := iam.MadeByAWS(r.Path, r.Name) // a name that anybody can give hides nothing, but the services that such roles are for
	doc, err := policy.Parse(r.Trust)
	if err != nil {
		return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
	}
	found := map[string]control.Failure{}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		if st.Effect != policy.Allow || !trust.Assumes(st) {
			continue
		}
		line := "“" + document.StatementLine(i, st) + "”"
		add := func(key string, start dera.Disposition, severity dera.Severity, title, why string) {
			f, seen := found[key]
			if made != "" {
				start, why = start.Lower(dera.Alert), why+" "+made+", as its name says."
			}
			if !seen {
				f = control.Failure{Key: key, Start: start, Severity: severity, Title: title, Why: why + " It is allowed by " + line + "."}
			} else if !strings.Contains(f.Why, line) {
				f.Why = strings.TrimSuffix(f.Why, ".") + ", " + line + "."
			}
			found[key] = f
		}
		for _, p := range document.PrincipalsOf(st) {
			account := p.Account()
			vendor := account != "" && (slices.Contains(s.Trusted, account) || document.KnownAccount(account) != "") && account != r.Account && !slices.Contains(s.Accounts, account)
			switch {
			case p.Kind == policy.PrincipalFederated && !trust.Subject(st, p.Value):
				severity, who := dera.Medium, "every user of the provider"
				if trust.Shared(p.Value) {
					severity, who = dera.High, "anybody who has an account at the provider"
				}
				add("federated/"+trust.Issuer(p.Value), dera.Review, severity, "Role trusts "+trust.Issuer(p.Value)+" without a condition on the subject",
					"No condition says which subject is meant, so that "+who+" may come in.")
			case vendor && !trust.Demands(st, "sts:externalid", func(v string) bool { return v != "" && strings.IndexAny(v, "*?") != 0 }):
				add("external-id/"+account, dera.Review, dera.Medium, fmt.Sprintf("Role trusts account %s without an external ID", account),
					"No condition demands an external ID (sts:ExternalId).")
			}
		}
		for _, p := range document.PrincipalsOf(st) {
			for _, account := range trust.Sources(st) {
				if p.Kind == policy.PrincipalService && !slices.Contains(trust.Zone(r.Account, s).Accounts, account) && document.KnownAccount(account) == "" {
					add("service/"+p.Value+"/"+account, dera.Review, dera.High, fmt.Sprintf("Role can be assumed by %s on behalf of account %s, which is not declared", p.Value, account),
						"The source that its conditions name is another account's.")
				}
			}
		}
		for _, name := range document.OpenServices(doc, i) {
			if !trust.OwnOnly(name) && made == "" {
				add(openKey+name, dera.Alert, dera.Low, "Role can be assumed by "+name+" on behalf of any account",
					"No condition limits on whose behalf it acts (aws:SourceArn, aws:SourceAccount).")
			}
		}
	}
	if len(found) == 0 || trust.Closed(doc) {
		return control.Result{Outcome: control.Pass}
	}
	several(found)
	out := control.Result{Outcome: control.Fail}
	for _, f := range found {
		out.Failures = append(out.Failures, f)
	}
	slices.SortFunc(out.Failures, func(a, b control.Failure) int { return strings.Compare(a.Key, b.Key) })
	return out
}
