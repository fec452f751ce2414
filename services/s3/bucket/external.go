package bucket

import (
	"context"
	"slices"
	"strings"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/resource/document"
)

// Outsiders finds those to whom the statement gives access, without those whom
// trusted knows. What the policy's denials take back does not count; in doubt it does.
func (b *Bucket) Outsiders(ctx context.Context, doc *policy.Document, index int, trusted func(id string) bool) []document.Outsider {
	st := doc.Statements[index]
	if st.Effect != policy.Allow {
		return nil
	}
	zone := reason.Zone{Accounts: []string{b.Owner}, Principals: []string{b.OwnerID}}
	var out, byService []document.Outsider // byService have access through a service of AWS
	serve := func(kind, id string) {
		if o := (document.Outsider{Kind: kind, ID: id}); id != "" && id != b.Owner && !trusted(id) && !slices.Contains(byService, o) {
			byService = append(byService, o)
		}
	}
	add := func(kind, id string) {
		o := document.Outsider{Kind: kind, ID: id}
		switch {
		case id == "" || id == b.Owner || id == b.OwnerID || slices.Contains(out, o):
		case !trusted(id):
			out = append(out, o)
		case kind == "organisation":
			zone.Organizations = append(zone.Organizations, id)
		case kind == "account":
			zone.Accounts = append(zone.Accounts, id)
		default:
			zone.Principals = append(zone.Principals, id)
		}
	}
	for _, p := range document.PrincipalsOf(&st) {
		switch account := p.Account(); {
		case p.Everyone():
			for _, c := range st.Conditions {
				document.ByCondition(c, add)
			}
		case p.Kind == policy.PrincipalService:
			for _, c := range st.Conditions {
				document.ByCondition(c, serve)
			}
		case account == "cloudfront": // an origin access identity of the account's own
		case account != "":
			add("account", account)
		case p.Kind == policy.PrincipalCanonical:
			add("canonical", p.Value)
		case p.Kind == policy.PrincipalAWS:
			add("principal", p.Value)
		case p.Kind == policy.PrincipalFederated:
			if parts := strings.SplitN(p.Value, ":", 6); len(parts) == 6 {
				add("account", parts[4])
			}
		}
	}
	if len(out) > 0 && proof.External(ctx, reason.Policies{document.Only(doc, st)}, zone, reason.Config{}).Verdict == reason.Proved {
		out = nil
	}
	return append(out, byService...)
}
