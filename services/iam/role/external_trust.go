package role

import (
	"errors"
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

// ExternalTrust finds roles that principals of accounts may assume which nobody
// declared.
func ExternalTrust() control.Control {
	return control.Define(control.Spec[*Role]{
		Meta: control.Meta{
			ID:       "iam-role-external-trust",
			Title:    "Role can be assumed from an account that is not declared",
			Type:     Name,
			Severity: dera.Critical,
			Why: "Whoever holds that account is as powerful as the role, from anywhere and for as long as the trust policy says so. To let an account of " +
				"one's own assume an administrator's role is how attackers come back after everything else was closed. Whoever assumes a role that is in an instance profile has what the instances have: that is critical.",
			Fix: "Just that account's principals go out of the trust policy; every other byte of it stays. Of a statement for everybody the organisation that " +
				"the configuration names, or else the own account, keeps its part. A role that would trust nobody afterwards gets a trust policy that denies, and a " +
				"person decides. Sessions that were begun before last until they end.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "an account that is not the own one, not among accounts, not in trusted_accounts and not a known vendor's may assume the role; the record of calls is whole, and that account did not assume it in the window", Disposition: dera.Auto, Because: "only that account's access goes, with a proof, nobody used it, and it can be undone"},
				{When: "that account assumed the role, or nothing or not everything is recorded", Disposition: dera.Review, Because: "somebody may depend on it"},
				{When: "anybody may assume the role, also under conditions that do not hold it to declared accounts", Disposition: dera.Review, Because: "the record does not tell who came in because anybody may"},
				{When: "a condition holds that account to a place that the policy names: an address, a VPC, an endpoint", Disposition: dera.Review, Because: "it may be one's own place, and meant; who comes from there, the condition does not tell"},
				{When: "someone of that account is declared, by organisation or by name, and no edit leaves all that they may do", Disposition: dera.Review, Because: "there is no plan: a person must say what stays"},
				{When: "the role would trust nobody afterwards, or its trust policy names a principal that was deleted", Disposition: dera.Review, Because: "the role may be there for that account alone; IAM takes no policy back that names a deleted principal"},
				{When: "StackSets, Control Tower or another service of AWS made the role for itself", Disposition: dera.Alert, Because: "the service puts the trust policy back; it is changed where it is made"},
			},
			Refs: []control.Ref{
				{Standard: "IAM Access Analyzer", ID: "external access, AWS::IAM::Role", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-resources.html"},
				{Standard: "NIST 800-53 r5", ID: "AC-3, AC-6", URL: "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final"},
				{Standard: "PCI DSS 4.0.1", ID: "7.2.5", URL: "https://www.pcisecuritystandards.org/document_library/"},
			},
			Reads:    iam.ReadsOf(Parts()),
			Writes:   []string{UpdateTrust},
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: checkExternalTrust,
		Plan: func(r *Role, failures []control.Failure, s control.Settings) ([]dera.Change, *control.Refusal) {
			if why := iam.MadeByAWS(r.Path, r.Name); why != "" {
				return nil, &control.Refusal{Code: "made-by-aws", Why: why}
			}
			doc, err := policy.Parse(r.Trust)
			if err != nil {
				return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
			}
			list, dead := trust.Outsiders(doc, trust.Zone(r.Account, s))
			if dead {
				return nil, deadRefusal()
			}
			list = slices.DeleteFunc(list, func(o trust.Outsider) bool {
				return !slices.ContainsFunc(failures, func(f control.Failure) bool { return f.Key == o.Key })
			})
			after, err := trust.Without(doc, list, document.House{Account: r.Account, Organization: s.Organization}, trust.Zone(r.Account, s))
			if errors.Is(err, trust.ErrDeclared) {
				return nil, &control.Refusal{Code: "declared-loses", Why: err.Error()}
			}
			if err == nil {
				err = after.Validate(policy.Trust)
			}
			if err != nil {
				return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
			}
			c, err := r.SetTrust(after.Text())
			if err != nil {
				return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
			}
			return []dera.Change{c}, nil
		},
		Prove: proveTrust,
	})
}

func checkExternalTrust(r *Role, s control.Settings) control.Result {
	if !r.Read(PartRole) {
		return control.Result{Outcome: control.UnknownResult, Why: "dera lacks permission to read the trust policy"}
	}
	if iam.Fixed(r.Path) {
		return control.Result{Outcome: control.NotApplicable}
	}
	doc, err := policy.Parse(r.Trust)
	if err != nil {
		return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
	}
	list, dead := trust.Outsiders(doc, trust.Zone(r.Account, s))
	if len(list) == 0 {
		return control.Result{Outcome: control.Pass}
	}
	made := iam.MadeByAWS(r.Path, r.Name)
	var out control.Result
	out.Outcome = control.Fail
	for _, o := range list {
		f := control.Failure{
			Key: o.Key, Start: dera.Auto, Severity: dera.High, Title: fmt.Sprintf("Role can be assumed from account %s, which is not declared", o.Account()),
			Why: "Assuming the role is allowed by " + strings.Join(o.Lines, ", ") + ".",
		}
		lower := func(to dera.Disposition, why string) { f.Start, f.Why = f.Start.Lower(to), f.Why+" "+why }
		if o.Key == trust.Everyone {
			f.Severity, f.Title = dera.Critical, "Role can be assumed by anybody"
			if o.Conditions {
				f.Severity, f.Title = dera.High, "Role can be assumed by anybody who fulfils its conditions"
			}
			lower(dera.Review, "Who came in because anybody may, the record does not tell apart.")
		} else {
			switch calls, times, unknown := r.assumed(o.Account()); {
			case times > 0:
				lower(dera.Review, fmt.Sprintf("It did so, or may have, %d times, as is recorded.", times))
			case unknown != "":
				lower(dera.Review, "Whether it did is not known: "+unknown+".")
			default:
				f.Why += fmt.Sprintf(" None of its %d recorded calls since %s did.", calls, r.Trusting[o.Account()].From.UTC().Format("2006-01-02"))
			}
		}
		if len(r.Profiles) > 0 && r.Read(PartProfiles) {
			f.Severity = dera.Critical
			f.Why += " Whoever does has what the machines have that are started with instance profile " + strings.Join(r.Profiles, ", ") + "."
		}
		if o.Place {
			lower(dera.Review, "It has to come from a place that the policy names, which may be one's own, so that someone may have meant it; who comes, that does not tell.")
		}
		switch after, err := trust.Without(doc, []trust.Outsider{o}, document.House{Account: r.Account, Organization: s.Organization}, trust.Zone(r.Account, s)); {
		case err != nil:
			lower(dera.Review, "No plan takes just it out: "+err.Error()+".")
		case !trust.Anybody(after):
			lower(dera.Review, "Without it the role would trust nobody.")
		}
		if dead {
			lower(dera.Review, "The trust policy also names a principal that was deleted, so that IAM would not take it back.")
		}
		if made != "" {
			lower(dera.Alert, "It is not changed here: "+made+".")
		}
		out.Failures = append(out.Failures, f)
	}
	return out
}
